import { describe, expect, it } from 'vitest';
import type { Application, DatasetState } from '$lib/backend/backend';
import { application, tiles } from '$lib/backend/invented/applications';
import { readElsewhere } from './elsewhere';

const found = tiles([]).find(({ slug }) => slug === 'customer-io');
if (!found) throw new Error('there is no such tile');
const customerIo: Application = application(found, []);
const dataset = (id: string, state: string, ...logins: string[]): DatasetState => ({ id, title: id, state, cause: null, rows: 0, needs: [], checks: 1, logins });

describe('what another login option reads', () => {
  it('is told apart from what is missing', () => {
    const datasets = [
      dataset('read', 'complete', 'okta'),
      dataset('refused', 'unavailable', 'okta', 'service-account'),
      dataset('webhooks', 'unavailable', 'app-api-key'),
      dataset('senders', 'unavailable', 'app-api-key'),
      dataset('nobody', 'unavailable'),
    ];
    const ids = readElsewhere(customerIo, 'okta', datasets).map(({ logins, datasets }) => [logins, datasets.map(({ id }) => id)]);
    expect(ids).toEqual([['App API key', ['webhooks', 'senders']]]);
    expect(readElsewhere(customerIo, 'app-api-key', datasets).map(({ logins }) => logins)).toEqual(['Service account or Log in with Okta']);
  });

  it('hides nothing when the catalog no longer has the option', () => {
    expect(readElsewhere(customerIo, 'gone', [dataset('webhooks', 'unavailable', 'app-api-key')])).toEqual([]);
  });
});
