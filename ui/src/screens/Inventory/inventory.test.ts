import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../../App.svelte';
import type { Backend, InventoryQuery, InventoryThresholds } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { readView, silence, writeView, type Kind } from './inventory';

async function open(kind: Kind, instance = 'i-kustomer', change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['applications', instance], { tab: kind });
  render(App, { backend });
  await screen.findByTestId(`panel-${kind}`);
  return { backend, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  router.go(['overview']);
});

const everything: InventoryQuery = { filter: { risks: [], unknown: [], kinds: [], text: '' }, sort: 'severity', descending: true, slice: { offset: 0, limit: 500 } };

describe('accounts', () => {
  it('counts each risk, says of how many it is not known, and shows the worst first', async () => {
    const { backend } = await open('accounts');
    const { head } = await backend.accounts('i-kustomer', everything);
    const mfa = head.risks.find(({ risk }) => risk === 'no_mfa');
    expect(mfa?.present).toBeGreaterThan(0);
    expect(mfa?.unknown).toBeGreaterThan(0);
    expect(await screen.findByTestId('risk-no_mfa')).toHaveTextContent(`${mfa?.present}No MFA`);
    expect(screen.getByTestId('risk-no_mfa-unknown')).toHaveAccessibleName(`No MFA: not known of ${mfa?.unknown}`);
    const [first] = await screen.findAllByTestId('account-row');
    expect(within(first as HTMLElement).getByLabelText('Critical')).toBeInTheDocument();
    expect(screen.getByTestId('accounts-count')).toHaveTextContent('140 of 140 accounts');
    expect(screen.getByTestId('accounts-silent')).toHaveTextContent('does not tell Identity provider');
  });

  it('says that a list was not read whole', async () => {
    await open('accounts');
    expect(await screen.findByTestId('accounts-cut')).toHaveTextContent('not all of it was read');
  });

  it('is filtered by a risk, and by what is not known of it, and the address says so', async () => {
    const { user, backend } = await open('accounts');
    await user.click(await screen.findByTestId('risk-guest'));
    expect(router.query.get('risk')).toBe('guest');
    const guests = await backend.accounts('i-kustomer', { ...everything, filter: { ...everything.filter, risks: ['guest'] } });
    await waitFor(() => expect(screen.getByTestId('accounts-count')).toHaveTextContent(`${guests.head.total} of 140 accounts`));
    expect(screen.getByTestId('risk-guest')).toHaveAttribute('aria-pressed', 'true');
    await user.click(screen.getByTestId('risk-guest'));
    await user.click(screen.getByTestId('risk-no_mfa-unknown'));
    expect(router.query.get('unknown')).toBe('no_mfa');
    const unsure = await backend.accounts('i-kustomer', { ...everything, filter: { ...everything.filter, unknown: ['no_mfa'] } });
    await waitFor(() => expect(screen.getByTestId('accounts-count')).toHaveTextContent(`${unsure.head.total} of 140 accounts`));
  });

  it('opens a row by the keyboard with its reasons, its unknowns and its evidence, and gives the focus back', async () => {
    const { user, backend } = await open('accounts');
    const all = await backend.accounts('i-kustomer', { ...everything, filter: { ...everything.filter, unknown: ['no_mfa'] } });
    router.setQuery({ tab: 'accounts', unknown: 'no_mfa' });
    await waitFor(() => expect(screen.getByTestId('accounts-count')).toHaveTextContent(`${all.head.total} of 140`));
    const table = await screen.findByTestId('accounts-table');
    table.focus();
    await user.keyboard('{Enter}');
    expect(await screen.findByTestId('item-title')).toHaveTextContent(all.rows[0]?.title ?? '');
    expect(screen.getByTestId('item-risk-no_mfa')).toHaveAttribute('data-present', 'false');
    expect(screen.getByTestId('item-risk-no_mfa')).toHaveTextContent('No MFA, not known');
    expect(screen.getByTestId('item-mfa')).toHaveTextContent('Unknown');
    expect(screen.getByTestId('item-mfa')).toHaveTextContent('the vendor does not say what that means');
    expect(screen.getByTestId('item-identity_provider')).toHaveTextContent('Not read');
    expect(screen.getByTestId('item-evidence')).toHaveTextContent('vendor_id');
    expect(router.query.get('item')).toBe(all.rows[0]?.id);
    await user.keyboard('{F6}');
    expect(screen.getByTestId('item-pane')).toHaveFocus();
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByTestId('item-pane')).toBeNull());
    expect(screen.getByTestId('accounts-table')).toHaveFocus();
  });

  it('has thresholds that can be changed, checked while they are typed', async () => {
    const sent: InventoryThresholds[] = [];
    const { user, backend } = await open('accounts', 'i-kustomer', (mock) => ({
      setInventoryThresholds: (id, thresholds) => {
        sent.push(thresholds);
        return mock.setInventoryThresholds(id, thresholds);
      },
    }));
    const before = (await backend.accounts('i-kustomer', everything)).head.risks.find(({ risk }) => risk === 'dormant')?.present ?? 0;
    await screen.findByTestId('risk-dormant');
    await user.click(screen.getByTestId('thresholds'));
    const days = await screen.findByTestId('threshold-dormant_days');
    expect(days).toHaveValue('90');
    await user.clear(days);
    expect(screen.getByTestId('thresholds-save')).toHaveAttribute('aria-disabled', 'true');
    await user.type(days, '10');
    await user.click(screen.getByTestId('thresholds-save'));
    await waitFor(() => expect(sent).toEqual([{ dormant_days: 10, expiring_days: 30, rotation_days: 180, unused_days: 90 }]));
    const after = (await backend.accounts('i-kustomer', everything)).head.risks.find(({ risk }) => risk === 'dormant')?.present ?? 0;
    expect(after).toBeGreaterThan(before);
    await waitFor(() => expect(screen.getByTestId('risk-dormant')).toHaveTextContent(`${after}Dormant`));
  });

  it('is exported with the filter that is shown', async () => {
    const asked: InventoryQuery[] = [];
    const { user } = await open('accounts', 'i-kustomer', (mock) => ({
      exportAccounts: (id, query, format) => {
        asked.push(query);
        return mock.exportAccounts(id, query, format);
      },
    }));
    router.setQuery({ tab: 'accounts', kind: 'guest' });
    await user.click(await screen.findByTestId('export'));
    await user.click(await screen.findByTestId('menu-export-csv'));
    await waitFor(() => expect(asked.map(({ filter }) => filter.kinds)).toEqual([['guest']]));
    expect(await screen.findByText(/written to ~\/accounts.csv/)).toBeInTheDocument();
  });

  it('says honestly that nothing is read, and never that all is well', async () => {
    await open('accounts', 'i-convo');
    expect(await screen.findByTestId('accounts-not-declared')).toHaveTextContent('nobody has looked');
    expect(screen.queryByTestId('accounts-table')).toBeNull();
  });

  it('says that a list that could not be read tells nothing', async () => {
    await open('accounts', 'i-kustomer', (mock) => ({
      accounts: async (id, query) => {
        const list = await mock.accounts(id, query);
        const cause = { kind: 'scope_missing', sentence: 'The key lacks a role.', remedy: '' };
        const sources = list.head.sources.map((source) => ({ ...source, available: false, cause, items: 0 }));
        return { rows: [], head: { ...list.head, all: 0, total: 0, sources, risks: [] } };
      },
    }));
    expect(await screen.findByTestId('accounts-none')).toHaveTextContent('Whether there are any is not known');
    expect(screen.getByTestId('accounts-cut')).toHaveTextContent('nothing of it was read');
  });
});

describe('3rd party plugins', () => {
  it('marks generative AI as found by name and shows what is risky', async () => {
    const { user } = await open('plugins', 'i-slack');
    const row = (await screen.findAllByTestId('plugin-row')).find((one) => within(one).queryByText('ChatGPT for Tickets'));
    expect(row).toHaveTextContent('Gen-AI (by name)');
    await user.click(row as HTMLElement);
    expect(await screen.findByTestId('item-risk-gen_ai')).toHaveTextContent('What it does was not looked at');
    expect(screen.getByTestId('item-scopes')).toHaveTextContent('tickets:write');
    expect(screen.getByTestId('item-expires')).toHaveTextContent('Not read');
  });
});

describe('the address', () => {
  it('is the whole state of the tab', () => {
    const view = { text: 'ada', risks: ['no_mfa'], unknown: ['dormant'], kinds: ['guest'], sort: 'last_used', descending: true } as const;
    const query = new URLSearchParams(writeView({ ...view, risks: [...view.risks], unknown: [...view.unknown], kinds: [...view.kinds] }));
    expect(readView(query, 'accounts')).toEqual(view);
    expect(writeView(readView(new URLSearchParams('kind=nonsense&sort=nonsense'), 'plugins'))).toEqual({});
  });

  it('has a word for each way of not knowing', () => {
    const silent = (['none', 'unknown', 'not_read'] as const).map((state) => silence({ state, value: '', values: [], cause: null }));
    expect(new Set(silent).size).toBe(3);
    expect(silent.every((word) => word !== '')).toBe(true);
  });
});
