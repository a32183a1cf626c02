import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../../App.svelte';
import type { Backend, FleetQuery, IdentityQuery } from '$lib/backend/backend';
import { mockBackend, type Invented } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { NO_FILTER, readFleet, readKey, writeFleet } from './fleet';
import { readIdentities, writeIdentities } from './identity';

async function open(query: Record<string, string> = {}, change: (backend: Backend) => Partial<Backend> = () => ({}), invented: Invented = {}) {
  const mock = mockBackend(invented);
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['identities'], query);
  render(App, { backend });
  await screen.findByTestId(`panel-${query.tab ?? 'threats'}`);
  return { backend, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  router.go(['overview']);
});

const accounts = (filter: Partial<FleetQuery['filter']>): FleetQuery => ({ filter: { ...NO_FILTER, ...filter }, sort: 'severity', descending: true, slice: { offset: 0, limit: 500 } });
const toast = async () => within((await screen.findAllByTestId('toast')).at(-1) as HTMLElement);

describe('Identity Threats', () => {
  it('asks for what is filtered, says so in the address, and writes that to a file', async () => {
    const asked: FleetQuery[] = [];
    const written: FleetQuery[] = [];
    const { user, backend } = await open({}, (mock) => ({
      accountsEverywhere: (query) => {
        asked.push(query);
        return mock.accountsEverywhere(query);
      },
      exportAccountsEverywhere: (query, format) => {
        written.push(query);
        return mock.exportAccountsEverywhere(query, format);
      },
    }));
    const all = await backend.accountsEverywhere(accounts({}));
    expect(await screen.findByTestId('accounts-count')).toHaveTextContent(`${all.total.toLocaleString()} of ${all.all.toLocaleString()} accounts`);
    await user.click(screen.getByTestId('risk-guest'));
    expect(router.query.get('risk')).toBe('guest');
    router.setQuery({ risk: 'guest', unknown: 'no_mfa', app: 'slack,zoom', identity: 'mei.laurent2@haldenmoor.example', text: 'mei', sandbox: 'with' });
    await waitFor(() => {
      const { filter } = asked.at(-1) as FleetQuery;
      expect(filter).toEqual({ ...NO_FILTER, risks: ['guest'], unknown: ['no_mfa'], apps: ['slack', 'zoom'], identity: 'mei.laurent2@haldenmoor.example', text: 'mei', sandbox: 'with' });
    });
    await user.click(await screen.findByTestId('export'));
    await user.click(await screen.findByTestId('menu-export-csv'));
    await waitFor(() => expect(written.map(({ filter }) => filter.apps)).toEqual([['slack', 'zoom']]));
  });

  it('tells which instances are not in the list whole, and that nothing is known where nothing was read', async () => {
    const { backend } = await open();
    const { gaps } = await backend.accountsEverywhere(accounts({}));
    expect(gaps.length).toBeGreaterThan(2);
    expect(await screen.findByTestId('gaps')).toHaveTextContent(`${gaps.length} instances are not in this list whole`);
    expect(screen.getByTestId('gaps')).toHaveTextContent('No scan of it has been complete yet.');
    expect(screen.getByTestId('gap-i-kustomer')).toHaveAttribute('href', '#/applications/i-kustomer?tab=accounts');
    cleanup();
    await open({}, (mock) => ({
      accountsEverywhere: async (query) => ({ ...(await mock.accountsEverywhere(query)), all: 0, total: 0, rows: [] }),
    }));
    expect(await screen.findByTestId('accounts-not-read')).toHaveTextContent('Whether there are any is not known');
  });

  it('opens an account with its instance, its identity and the thresholds of its instance', async () => {
    const { user, backend } = await open({ item: 'i-slack/5' });
    const { rows } = await backend.accountsEverywhere(accounts({ instances: ['i-slack'] }));
    const row = rows.find(({ account }) => account.id === '5');
    expect(await screen.findByTestId('item-title')).toHaveTextContent(row?.account.title ?? 'missing');
    expect(await screen.findByTestId('item-instance')).toHaveAttribute('href', '#/applications/i-slack?tab=accounts');
    expect(await screen.findByTestId('item-identity')).toHaveTextContent(row?.identity ?? 'missing');
    await user.click(screen.getByTestId('thresholds'));
    const days = await screen.findByTestId('threshold-dormant_days');
    await user.clear(days);
    await user.type(days, '10');
    await user.click(screen.getByTestId('thresholds-save'));
    await waitFor(() => expect(screen.queryByTestId('item-pane')).toBeNull());
    const slack = await backend.accounts('i-slack', { filter: { risks: [], unknown: [], kinds: [], text: '' }, sort: 'severity', descending: true, slice: { offset: 0, limit: 1 } });
    expect(slack.head.thresholds.dormant_days).toBe(10);
    await waitFor(() => expect(screen.getByTestId('accounts-table')).toHaveFocus());
  });

  it('ignores an account and counts it again, with the focus kept in its pane', async () => {
    const { rows: risky } = await mockBackend().accountsEverywhere(accounts({}));
    const one = risky.find(({ account }) => account.risks.length > 0);
    const { user, backend } = await open({ item: `${one?.instance}/${one?.account.id}` });
    const ignored = async () => (await backend.accountsEverywhere(accounts({}))).rows.find(({ instance, account }) => instance === one?.instance && account.id === one.account.id)?.account.ignored;
    await user.click(await screen.findByTestId('item-ignore-7'));
    expect(await screen.findByTestId('item-ignored')).toBeInTheDocument();
    expect(screen.getByTestId('item-pane')).toHaveFocus();
    expect(await ignored()).toMatchObject({ kind: 'ignore' });
    await user.click(screen.getByTestId('item-count-again'));
    expect(await screen.findByTestId('item-ignore-7')).toBeInTheDocument();
    expect(screen.getByTestId('item-pane')).toHaveFocus();
    expect(await ignored()).toBeNull();
  });

  it('keeps what is shown where it cannot be asked again, and says so', async () => {
    const { rows: risky } = await mockBackend().accountsEverywhere(accounts({}));
    const one = risky.find(({ account }) => account.risks.length > 0);
    let broken = false;
    const { user } = await open({ item: `${one?.instance}/${one?.account.id}` }, (mock) => ({
      accountsEverywhere: (query) => (broken ? Promise.reject({ code: 'E-DB', sentence: 'The database could not be read.', remedy: 'Try again.', field: null }) : mock.accountsEverywhere(query)),
    }));
    const ignore = await screen.findByTestId('item-ignore-7');
    broken = true;
    await user.click(ignore);
    expect(await screen.findByText('The database could not be read.')).toBeInTheDocument();
    expect(screen.getByTestId('accounts-table')).toBeInTheDocument();
  });

  it('says that there is nothing yet, and that nothing matches', async () => {
    await open({}, () => ({}), { empty: true });
    expect(await screen.findByTestId('accounts-nothing-yet')).toBeInTheDocument();
    cleanup();
    const { user } = await open({ text: 'nobody is called so' });
    expect(await screen.findByTestId('accounts-nothing-matches')).toBeInTheDocument();
    await user.click(screen.getByTestId('clear-filters'));
    expect(await screen.findByTestId('accounts-table')).toBeInTheDocument();
  });
});

describe('Unique Identities', () => {
  it('asks for what is filtered', async () => {
    const asked: IdentityQuery[] = [];
    await open({ tab: 'identities', nature: 'human', several: 'yes', risk: 'no_mfa', text: 'mei', sort: 'accounts', order: 'down' }, (mock) => ({
      identities: (query) => {
        asked.push(query);
        return mock.identities(query);
      },
    }));
    await screen.findByTestId('identities-table');
    expect(asked.at(-1)).toEqual({ text: 'mei', risks: ['no_mfa'], nature: 'human', several: true, sandbox: 'without', sort: 'accounts', descending: true, slice: { offset: 0, limit: 100 } });
    expect(await screen.findByTestId('gaps')).toBeInTheDocument();
  });

  it('gives an account to somebody else, and Undo takes it back', async () => {
    const key = 'mei.laurent@haldenmoor.example';
    const { user, backend } = await open({ tab: 'identities', item: key });
    const of = async (identity: string) => (await backend.accountsEverywhere(accounts({ identity }))).total;
    const before = await of(key);
    await waitFor(() => expect(screen.getAllByTestId('identity-account')).toHaveLength(before));
    const [first] = screen.getAllByTestId('identity-account');
    const moved = first?.dataset.key ?? '';
    await user.click(within(first as HTMLElement).getByTestId('belongs-to'));
    await user.click(await screen.findByTestId('menu-belongs-to-other'));
    const field = await screen.findByTestId('belongs-to-identity');
    await user.type(field, 'nonsense');
    expect(screen.getByTestId('belongs-to-save')).toHaveAttribute('aria-disabled', 'true');
    await user.clear(field);
    await user.type(field, 'Ada@Example.com');
    await user.click(screen.getByTestId('belongs-to-save'));
    await waitFor(() => expect(screen.getAllByTestId('identity-account')).toHaveLength(before - 1));
    expect(await of('ada@example.com')).toBe(1);
    expect(screen.getByTestId('identity-pane')).toHaveFocus();
    expect(screen.getAllByTestId('identity-account').map(({ dataset }) => dataset.key)).not.toContain(moved);
    await user.click((await toast()).getByText('Undo'));
    await waitFor(() => expect(screen.getAllByTestId('identity-account')).toHaveLength(before));
    const { rows } = await backend.accountsEverywhere(accounts({ identity: key }));
    expect(rows.some(({ corrected }) => corrected)).toBe(false);
  });

  it('takes a correction back to what the address says, and tells what the console refuses', async () => {
    const key = 'ada@example.com';
    const { user, backend } = await open({ tab: 'identities', item: key }, (mock) => {
      void mock.setAccountIdentity('i-slack', '3', key);
      return {
        setAccountIdentity: (instance, account, identity) =>
          identity === '' ? Promise.reject({ code: 'E-BUSY', sentence: 'The database is busy.', remedy: 'Try again.', field: null }) : mock.setAccountIdentity(instance, account, identity),
      };
    });
    const row = await screen.findByTestId('identity-account');
    expect(row).toHaveTextContent('Corrected');
    await user.click(within(row).getByTestId('belongs-to'));
    await user.click(await screen.findByTestId('menu-belongs-to-nobody'));
    expect(await screen.findByTestId('failure-sentence')).toHaveTextContent('The database is busy.');
    // A menu lets the page be pressed again once it has closed.
    await waitFor(() => expect(document.body).not.toHaveStyle({ pointerEvents: 'none' }));
    await user.click(within(screen.getByTestId('identity-account')).getByTestId('belongs-to'));
    await user.click(await screen.findByTestId('menu-belongs-to-address'));
    expect(await screen.findByTestId('identity-no-account')).toBeInTheDocument();
    expect((await backend.accountsEverywhere(accounts({ identity: key }))).total).toBe(0);
  });
});

describe('the address', () => {
  it('is the whole state of both tabs', () => {
    const threats = { risk: 'no_mfa', unknown: 'dormant', kind: 'guest', text: 'ada', app: 'slack', instance: 'i-slack', identity: 'ada@example.com', sandbox: 'with', sort: 'name', order: 'down' };
    expect(writeFleet(readFleet(new URLSearchParams(threats), 'accounts', false), false)).toEqual(threats);
    const identities = { tab: 'identities', text: 'ada', risk: 'no_mfa', nature: 'non_human', several: 'yes', sandbox: 'only', sort: 'last_seen', order: 'down' };
    expect(writeIdentities(readIdentities(new URLSearchParams(identities), false), false)).toEqual(identities);
    expect(writeFleet(readFleet(new URLSearchParams('user=x&reviewed=yes&ai=yes&sandbox=nonsense'), 'accounts', true), true)).toEqual({});
    expect(readKey('i-slack/5')).toEqual({ instance: 'i-slack', id: '5' });
    expect(readKey('nonsense')).toBeNull();
  });
});
