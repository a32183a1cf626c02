import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => /\.(ts|svelte)$/.test(path) && !path.endsWith('.test.ts'));
const text = (path: string) => readFileSync(`src/${path}`, 'utf8');

describe('the one door', () => {
  it('has files to look at', () => expect(files.length).toBeGreaterThan(60));

  it('is the only place that talks to Tauri', () => {
    const users = files.filter((path) => /['"]@tauri-apps\//.test(text(path)));
    expect(users).toContain('lib/backend/tauri.ts');
    expect(users.filter((path) => !path.startsWith('lib/backend/'))).toEqual([]);
  });

  it('hides invented data from the window: only the build switch and tests name it', () => {
    const users = files.filter((path) => !path.startsWith('lib/backend/') && /backend\/(mock|invented)/.test(text(path)));
    expect(users).toEqual([]);
  });

  it('parses nothing as markup and stores nothing in the browser', () => {
    const markup = files.filter((path) => /\{@html|innerHTML|outerHTML|insertAdjacentHTML/.test(text(path)));
    const stored = files.filter((path) => /\b(localStorage|sessionStorage|indexedDB)\b/.test(text(path)));
    expect(markup).toEqual([]);
    expect(stored).toEqual([]);
  });

  it('opens pages through the console alone', () => {
    const outside = files.filter((path) => /window\.open\(|target=["']_blank|href=["']https?:/.test(text(path)));
    expect(outside).toEqual([]);
  });
});
