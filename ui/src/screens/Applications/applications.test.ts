import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { href, parse } from '$lib/router/address';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import App from '../../App.svelte';
import { columns, valueOf } from './columns';
import { scannedWords } from './scanning';
import { absorb, FIRST, fits, readView, writeView, type View } from './view';

async function open(query: Record<string, string> = {}, change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['applications'], query);
  render(App, { backend });
  const table = await screen.findByTestId('instances-table');
  await screen.findAllByTestId('instance-row');
  return { backend, table, user: userEvent.setup() };
}
const rows = (): HTMLElement[] => screen.getAllByTestId('instance-row');
const row = (id: string): HTMLElement => {
  const found = rows().find((one) => one.dataset.key === id);
  if (!found) throw new Error(`${id} is not in sight`);
  return found;
};
// The window of the tests has no width of its own; this one has room for every column.
beforeEach(() => void vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(1200));
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  toasts.shown = [];
  router.go(['overview']);
});

describe('the onboarded instances', () => {
  it('mark a credential that ends soon, and are narrowed down to those', async () => {
    const { user } = await open();
    expect(within(row('i-github-labs')).getByTestId('credential-soon')).toHaveTextContent('Credential ends in 12 days');
    expect(within(row('i-github-labs')).getByTestId('credential-soon')).toHaveAttribute('title', expect.stringContaining('as GitHub Enterprise tells'));
    expect(screen.getAllByTestId('credential-soon')).toHaveLength(1);
    await user.click(screen.getByRole('button', { name: /^Credential/ }));
    await user.click(await screen.findByText('Credential ends soon'));
    await waitFor(() => expect(rows()).toHaveLength(1));
    expect(router.query.get('credential')).toBe('soon');
    expect(rows()[0]?.dataset.key).toBe('i-github-labs');
  });

  it('offer no filter of credentials where none ends', async () => {
    await open({}, (mock) => ({ instances: async (sandbox) => (await mock.instances(sandbox)).map((one) => ({ ...one, credential: null })) }));
    expect(screen.queryByRole('button', { name: /^Credential/ })).toBeNull();
    expect(screen.queryByTestId('credential-soon')).toBeNull();
  });

  it('say when they are scanned next, and that some are scanned only when asked', async () => {
    await open();
    const kustomer = (await mockBackend().instances('with')).find(({ id }) => id === 'i-kustomer');
    const time = within(row('i-kustomer')).getByText((_, element) => element?.tagName === 'TIME' && element.getAttribute('datetime') === kustomer?.next_scan);
    expect(time.textContent).toMatch(/^(in \d+\s(min|h)|Tomorrow|\d+\s\w{3}|due now)$/);
    expect(within(row('i-box')).getByTitle('Only when asked')).toHaveTextContent('–');
  });

  it('say who scans one elsewhere, and offer no Cancel of it', async () => {
    const { user } = await open();
    await waitFor(() => expect(within(row('i-zoom')).getByText('by ada, process 4242')).toBeInTheDocument());
    await user.click(screen.getByTestId('jobs'));
    expect(await screen.findByTestId('job-elsewhere')).toHaveTextContent('By ada, process 4242, which alone can cancel it');
    // The one of this window can be cancelled.
    expect(screen.getAllByTestId('job-cancel')).toHaveLength(1);
    expect(screen.getByTestId('job-cancel')).toHaveAttribute('aria-label', expect.stringContaining('GitHub Enterprise'));
  });

  it('are sorted by every column by the keyboard, and the address says so', async () => {
    const { table, user } = await open();
    table.focus();
    await user.keyboard('{Control>}{Home}{/Control}{ArrowUp}');
    for (const column of columns) {
      expect(column.sort, column.id).toBeDefined();
      await user.keyboard('{Enter}');
      await waitFor(() => expect(router.query.get('sort') ?? 'health.down', column.id).toMatch(new RegExp(`^${column.id}\\.`)));
      await user.keyboard('{ArrowRight}');
    }
    expect(router.query.get('sort')).toBe('next_scan.up');
    const keys = rows().map(({ dataset }) => dataset.key);
    const all = await mockBackend().instances('with');
    const next = keys.map((id) => all.find((one) => one.id === id)).filter((one) => one && !one.sandbox).map((one) => one?.next_scan ?? '9');
    expect(next).toEqual([...next].sort());
  });

  it('are narrowed down by chips and by what is typed, and Back undoes it', async () => {
    const { user } = await open();
    await user.click(screen.getByTestId('filter-app'));
    await user.click(await screen.findByTestId('filter-app-github-enterprise'));
    await waitFor(() => expect(router.query.get('app')).toBe('github-enterprise'));
    expect(rows().map(({ dataset }) => dataset.key).sort()).toEqual(['i-github', 'i-github-labs']);
    await user.keyboard('{Escape}');

    await user.keyboard('/');
    const text = screen.getByTestId('filter-text');
    expect(text).toHaveFocus();
    await user.type(text, 'label:dev labs{Enter}');
    await waitFor(() => expect(router.query.get('label')).toBe('Dev'));
    expect(router.query.get('text')).toBe('labs');
    expect(rows().map(({ dataset }) => dataset.key)).toEqual(['i-github-labs']);

    await user.clear(text);
    await user.type(text, 'nothing has this name{Enter}');
    expect(await screen.findByTestId('applications-nothing-matches')).toHaveTextContent('instances are connected');
    await user.click(screen.getByTestId('clear-filters'));
    await waitFor(() => expect(rows().length).toBeGreaterThan(3));
    expect(router.query.get('app')).toBeNull();
  });

  it('come back as they were left', async () => {
    const { user } = await open();
    await user.click(screen.getByTestId('filter-owner'));
    await user.click(await screen.findByTestId('filter-owner-T. Adler'));
    await waitFor(() => expect(router.query.get('owner')).toBe('T. Adler'));
    await user.keyboard('{Escape}');
    await user.click(screen.getByTestId('nav-settings'));
    await user.click(await screen.findByTestId('nav-applications'));
    await waitFor(() => expect(router.query.get('owner')).toBe('T. Adler'));
    await waitFor(() => expect(rows()).toHaveLength(4));
  });

  it('are all scanned by one action, which says what became of it', async () => {
    let end: ((many: { complete: number; failed: number; busy: number; cancelled: number }) => void) | undefined;
    const scanAll = vi.fn(() => new Promise<{ complete: number; failed: number; busy: number; cancelled: number }>((done) => (end = done)));
    const { user } = await open({}, () => ({ scanAll }));
    await user.click(screen.getByTestId('scan-all'));
    expect(scanAll).toHaveBeenCalledExactlyOnceWith('with');
    // Pressing it again while it runs does nothing.
    expect(screen.getByTestId('scan-all')).toHaveAttribute('aria-disabled', 'true');
    await user.click(screen.getByTestId('scan-all'));
    expect(scanAll).toHaveBeenCalledOnce();
    end?.({ complete: 11, failed: 1, busy: 2, cancelled: 0 });
    expect(await screen.findByTestId('toast')).toHaveTextContent('11 instances scanned, 1 failed, 2 already being scanned by somebody else.');
    await user.click(screen.getByText('Show'));
    await waitFor(() => expect(router.query.get('health')).toBe('down,unhealthy'));
  });

  it('say why they could not be scanned', async () => {
    const failure = { code: 'E-KEYCHAIN-LOCKED', sentence: 'The keychain is locked.', remedy: 'Unlock it.', field: null };
    const { table, user } = await open({ health: 'up' }, () => ({ scanAll: () => Promise.reject(failure), scan: () => Promise.reject(failure) }));
    await user.click(screen.getByTestId('scan-all'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-KEYCHAIN-LOCKED');
    table.focus();
    await user.keyboard('s');
    expect(await screen.findByTestId('failure-remedy')).toHaveTextContent('Unlock it.');
  });

  it('are not scanned by a letter while somebody else does', async () => {
    const scan = vi.fn(() => Promise.resolve());
    const { table, user } = await open({ app: 'zoom' }, () => ({ scan }));
    await waitFor(() => expect(within(row('i-zoom')).getByText('by ada, process 4242')).toBeInTheDocument());
    table.focus();
    await user.keyboard('s');
    expect(scan).not.toHaveBeenCalled();
  });
});

describe('the view of the instances', () => {
  it.each<View>([
    FIRST,
    { ...FIRST, filter: { app: ['box', 'zoom'], health: ['down'], label: ['Production'], owner: ['Brandt, A.', '100 %2C'], severity: ['high'], credential: ['soon'], text: 'a & b = c?' } },
    { ...FIRST, sorting: [{ column: 'next_scan', descending: false }] },
    { ...FIRST, sorting: [{ column: 'owner', descending: true }, { column: 'findings', descending: true }] },
  ])('is read back from its address: %j', (view) => {
    expect(readView(parse(href(['applications'], writeView(view))).query)).toEqual(view);
  });

  it('takes no column and no direction that there is not', () => {
    expect(readView(new URLSearchParams({ sort: 'secret.down,score.sideways' })).sorting).toEqual(FIRST.sorting);
  });

  it('keeps as text what is no filter', async () => {
    const all = await mockBackend().instances('with');
    const filter = absorb('health:down owner:nobody app:BOX https://x.example', FIRST.filter, all);
    expect(filter).toMatchObject({ health: ['down'], app: ['box'], owner: [], text: 'owner:nobody https://x.example' });
    expect(all.filter((one) => fits(one, { ...filter, text: '' })).map(({ id }) => id)).toEqual(['i-box']);
  });

  it('has a value for every column of every instance', async () => {
    for (const instance of await mockBackend().instances('with')) {
      for (const { id } of columns) expect(valueOf(instance, id), `${instance.id} ${id}`).not.toBeUndefined();
    }
  });
});

describe('what became of Scan all', () => {
  it.each([
    [{ complete: 14, failed: 0, busy: 0, cancelled: 0 }, '14 instances scanned.'],
    [{ complete: 1, failed: 0, busy: 0, cancelled: 2 }, '1 instance scanned, 2 cancelled.'],
    [{ complete: 0, failed: 3, busy: 1, cancelled: 0 }, 'No instance scanned, 3 failed, 1 already being scanned by somebody else.'],
    [{ complete: 0, failed: 0, busy: 0, cancelled: 0 }, 'There was nothing to scan.'],
  ])('%j is said: %s', (many, words) => expect(scannedWords(many).replaceAll('\u00a0', ' ')).toBe(words));
});
