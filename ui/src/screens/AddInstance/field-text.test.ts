import { describe, expect, it } from 'vitest';
import { application, tiles } from '$lib/backend/invented/applications';
import type { Field, Login } from '$lib/backend/backend';
import { fieldText, isShared, valueText } from './field-text';

function loginOf(app: string, id: string): Login {
  const tile = tiles([]).find(({ slug }) => slug === app);
  const login = tile && application(tile, []).logins.find((candidate) => candidate.id === id);
  if (!login) throw new Error(`${app} has the login option ${id}`);
  return login;
}
function fieldOf(login: Login, id: string): Field {
  const field = login.fields.find((candidate) => candidate.id === id);
  if (!field) throw new Error(`${login.id} asks for ${id}`);
  return field;
}
const okta = loginOf('customer-io', 'okta');
const domain = fieldOf(okta, 'okta_domain');

describe('what a field shows', () => {
  it.each([
    ['haldenmoor.okta.com', 'haldenmoor', '.okta.com'],
    ['haldenmoor', 'haldenmoor', '.okta.com'],
    ['haldenmoor.okta-emea.com', 'haldenmoor.okta-emea.com', ''],
    ['https://haldenmoor.okta.com', 'https://haldenmoor', ''],
    ['', '', '.okta.com'],
  ])('of %j is %j beside %j', (value, text, suffix) => expect(fieldText(domain, value)).toEqual({ text, suffix }));

  it('never doubles the suffix where the value is told', () => {
    expect(valueText(domain, 'haldenmoor.okta.com')).toBe('haldenmoor.okta.com');
    expect(valueText(domain, 'haldenmoor.oktapreview.com')).toBe('haldenmoor.oktapreview.com');
    expect(valueText(fieldOf(okta, 'region'), 'eu')).toBe('EU');
    expect(valueText(undefined, 'x')).toBe('x');
  });
});

describe('what two login options share', () => {
  it('is the same question, not the same name', () => {
    const account = loginOf('customer-io', 'service-account');
    const key = loginOf('customer-io', 'app-api-key');
    expect(isShared(fieldOf(account, 'region'), key)).toBe(true);
    expect(isShared(fieldOf(account, 'token'), key)).toBe(false);
    expect(isShared(fieldOf(account, 'token'), okta)).toBe(false);
  });
});
