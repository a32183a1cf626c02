import { expect, it } from 'vitest';
import type { Login } from '$lib/backend/backend';
import { application, tiles } from '$lib/backend/invented/applications';
import { hostsOf } from './hosts';

function loginOf(app: string, id: string): Login {
  const tile = tiles([]).find(({ slug }) => slug === app);
  const login = tile && application(tile, []).logins.find((candidate) => candidate.id === id);
  if (!login) throw new Error(`${app} has the login option ${id}`);
  return login;
}
const login = loginOf('kustomer', 'api-key');

it.each([
  [{ region: 'eu' }, ['api.prod2.kustomerapp.com']],
  [{ region: 'us', organization: 'haldenmoor' }, ['api.kustomerapp.com', 'haldenmoor.api.kustomerapp.com']],
  [{}, ['‹Region›']],
])('%j may be sent to %j', (values, hosts) => expect(hostsOf(login, values as Record<string, string>)).toEqual(hosts));

it('names every host that is tried while the region is left open', () => {
  const account = loginOf('customer-io', 'service-account');
  expect(hostsOf(account, { region: 'auto' })).toEqual(['us.fly.customer.io', 'eu.fly.customer.io']);
  expect(hostsOf(account, { region: 'eu' })).toEqual(['eu.fly.customer.io']);
});

it('leaves a custom Okta domain out until it is given', () => {
  const okta = loginOf('customer-io', 'okta');
  expect(hostsOf(okta, { region: 'us', okta_domain: 'haldenmoor.okta.com' })).toEqual(['haldenmoor.okta.com', 'fly.customer.io', 'us.fly.customer.io']);
  expect(hostsOf(okta, { region: 'us', okta_domain: 'haldenmoor.okta.com', okta_custom_domain: 'login.haldenmoor.example' })).toContain('login.haldenmoor.example');
});
