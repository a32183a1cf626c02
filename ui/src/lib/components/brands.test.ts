import { readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { brands, hue, monogram } from './brands';

// Tests run in the folder of the frontend.
const catalog = join(process.cwd(), '..', 'catalog');
const applications = readdirSync(catalog).filter((name) => !/^[_.]/.test(name) && existsSync(`${catalog}/${name}/app.toml`));
// Those that are named first, whether or not their folder is there yet.
const named = ['okta', 'gitlab', 'atlassian', 'snowflake', 'databricks', 'datadog', 'box', 'zendesk', 'zoom', 'google-workspace', 'github-enterprise'];

it.each(Object.entries(brands))('the mark of %s is an outline', (_slug, path) => expect(path).toMatch(/^[Mm][\d\s.,-]/));

it('each mark is one of its own', () => expect(new Set(Object.values(brands)).size).toBe(Object.keys(brands).length));

it.each(named)('%s has its mark', (slug) => expect(brands[slug]).toBeDefined());

it.each(applications)('%s is told by its mark, or by letters and a hue that stay', (slug) => {
  expect(brands[slug] ?? monogram(slug)).not.toMatch(/^\?*$/);
  expect(hue(slug)).toBe(hue(slug));
  expect(hue(slug)).toBeLessThan(360);
});
