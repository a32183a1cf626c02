import { describe, expect, it } from 'vitest';
import type { Question } from '$lib/backend/backend';
import { askedWith, given, keyOf, leftOpen } from './questions';

const ask = (check: string, param: string, label: string, ...logins: string[]): Question => ({ check, param, label, type: 'strings', title: `Title of ${check}`, logins });
const domains = ask('a.domains', 'domains', 'Domains', 'token', 'okta');
const webhooks = ask('a.webhooks', 'hosts', 'Hosts', 'token', 'okta');
const exports = ask('a.exports', 'hosts', 'Hosts', 'token');
const other = ask('a.app_webhooks', 'hosts', 'Hosts', 'key');
const all = [domains, webhooks, exports, other];
const checks = (login: string, answers = {}) => askedWith(all, login, answers).map(({ reached }) => reached.map(({ check }) => check));

describe('what only the administrator knows', () => {
  it('is asked for what the login option reaches, and each thing once', () => {
    expect(checks('token')).toEqual([['a.domains'], ['a.webhooks', 'a.exports']]);
    expect(checks('okta')).toEqual([['a.domains'], ['a.webhooks']]);
    expect(checks('key')).toEqual([['a.app_webhooks']]);
    expect(checks('none')).toEqual([]);
  });

  it('is asked apart where the words or the answers differ', () => {
    const differently = { ...exports, label: 'Hosts of exports' };
    expect(askedWith([webhooks, differently], 'token', {})).toHaveLength(2);
    expect(checks('token', { [keyOf(webhooks)]: 'hooks.example' })).toEqual([['a.domains'], ['a.webhooks'], ['a.exports']]);
  });

  it('says of every check what stays open', () => {
    const [first, second] = askedWith(all, 'token', {});
    expect(first && leftOpen(first)).toBe('Without it “Title of a.domains” stays Not evaluated.');
    expect(second && leftOpen(second)).toBe('Without it “Title of a.webhooks” and “Title of a.exports” stay Not evaluated.');
  });

  it('is sent to every check that is reached, and to no other', () => {
    const answers = Object.fromEntries([webhooks, exports, other].map((question) => [keyOf(question), ' hooks.example ']));
    expect(given(all, 'okta', answers)).toEqual([{ check: 'a.webhooks', param: 'hosts', value: 'hooks.example' }]);
    expect(given(all, 'token', answers).map(({ check }) => check)).toEqual(['a.webhooks', 'a.exports']);
  });
});
