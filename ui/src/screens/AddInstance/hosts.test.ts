import { expect, it } from 'vitest';
import { application, tiles } from '$lib/backend/invented/applications';
import { hostsOf } from './hosts';

const tile = tiles([]).find(({ slug }) => slug === 'kustomer');
const login = tile && application(tile, []).logins[0];
if (!login) throw new Error('Kustomer has a login option');

it.each([
  [{ region: 'eu' }, ['api.prod2.kustomerapp.com']],
  [{ region: 'us', organization: 'haldenmoor' }, ['api.kustomerapp.com', 'haldenmoor.api.kustomerapp.com']],
  [{}, ['‹Region›']],
])('%j may be sent to %j', (values, hosts) => expect(hostsOf(login, values as Record<string, string>)).toEqual(hosts));
