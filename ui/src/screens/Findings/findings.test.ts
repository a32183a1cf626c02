import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import App from '../../App.svelte';
import type { Backend, FindingQuery } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { copyText } from './copy';

async function open(query: Record<string, string> = {}, change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['findings'], { state: 'open', ...query });
  render(App, { backend });
  const table = await screen.findByTestId('findings-table');
  await screen.findAllByTestId('finding-row');
  return { backend, table, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  router.go(['overview']);
});

describe('the findings', () => {
  it('lead by the keyboard alone from the table to the evidence and back', async () => {
    const { table, user } = await open();
    table.focus();
    await user.keyboard('{ArrowDown}{Enter}');
    const pane = await screen.findByTestId('finding-pane');
    for (const part of ['finding-current', 'finding-recommended', 'finding-why', 'finding-steps', 'finding-evidence']) {
      expect(await within(pane).findByTestId(part)).not.toBeEmptyDOMElement();
    }
    const [, second] = screen.getAllByTestId('finding-row');
    expect(pane.dataset.finding).toBe(second?.dataset.key);
    expect(router.query.get('finding')).toBe(pane.dataset.finding);

    await user.keyboard('{F6}');
    expect(pane).toHaveFocus();
    await user.keyboard('j');
    await waitFor(() => expect(screen.getByTestId('finding-pane').dataset.finding).toBe(screen.getAllByTestId('finding-row')[2]?.dataset.key));
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByTestId('finding-pane')).toBeNull());
    expect(screen.getByTestId('findings-table')).toHaveFocus();
  });

  it('take filters out of what is typed, ask the backend for them, and put them into the address', async () => {
    const asked: FindingQuery[] = [];
    const { user } = await open({}, (mock) => ({
      findings: (query) => {
        asked.push(query);
        return mock.findings(query);
      },
    }));
    const field = screen.getByTestId('filter-text');
    await user.type(field, 'severity:critical admin{Enter}');
    await waitFor(() => expect(router.query.get('severity')).toBe('critical'));
    expect(router.query.get('text')).toBe('admin');
    expect(field).toHaveValue('admin');
    await waitFor(() => expect(asked.at(-1)?.filter).toMatchObject({ severities: ['critical'], text: 'admin', states: ['open'] }));
    await waitFor(() => {
      const rows = screen.getAllByTestId('finding-row');
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(within(row).getByRole('img', { name: 'Critical' })).toBeInTheDocument();
    });
    await user.click(screen.getByTestId('filter-severity-remove'));
    await waitFor(() => expect(router.query.get('severity')).toBeNull());
  });

  it('say when nothing matches, and how to see all again', async () => {
    const { user } = await open();
    await user.type(screen.getByTestId('filter-text'), 'nothing has this name{Enter}');
    expect(await screen.findByTestId('findings-nothing-matches')).toBeInTheDocument();
    await user.click(screen.getByTestId('clear-filters'));
    expect((await screen.findAllByTestId('finding-row')).length).toBeGreaterThan(0);
  });

  it('never call passed what is only dismissed, and lead to it', async () => {
    const mock = mockBackend();
    const findings: Backend['findings'] = async (query) => {
      const list = await mock.findings({ ...query, filter: { ...query.filter, states: ['open'] } });
      return query.filter.states.includes('dismissed') ? list : { ...list, open: 0, dismissed: 2, total: 0, rows: [] };
    };
    router.go(['findings'], {});
    render(App, { backend: { ...mock, findings } });
    const empty = await screen.findByTestId('findings-nothing-left');
    expect(empty).toHaveTextContent('2 findings are dismissed or not monitored and still fail.');
    expect(empty).not.toHaveTextContent(/passed/);
    await userEvent.setup().click(within(empty).getByTestId('findings-held'));
    await waitFor(() => expect(router.query.get('state')).toBe('dismissed'));
    expect((await screen.findAllByTestId('finding-row')).length).toBeGreaterThan(0);
  });

  it('tell a failure where it happened, with its code, and ask again', async () => {
    let broken = false;
    const { user } = await open({}, (mock) => ({
      finding: (id) =>
        broken ? Promise.reject({ code: 'E-STORE-BUSY', sentence: 'Another console is writing.', remedy: 'Try again.', field: null }) : mock.finding(id),
    }));
    broken = true;
    await user.click((await screen.findAllByTestId('finding-row'))[0] as HTMLElement);
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-STORE-BUSY');
    broken = false;
    await user.click(screen.getByTestId('failure-retry'));
    expect(await screen.findByTestId('finding-current')).toBeInTheDocument();
  });

  it('show what a vendor wrote as text, never as markup', async () => {
    const hostile = '<img src=x onerror="window.hurt = true"><b>bold</b>';
    await open({}, (mock) => ({
      findings: async (query) => {
        const list = await mock.findings(query);
        return { ...list, rows: list.rows.map((row) => ({ ...row, title: hostile, resource: hostile })) };
      },
    }));
    const [row] = await screen.findAllByTestId('finding-row');
    expect(row).toHaveTextContent(hostile);
    expect(row?.querySelector('b, [onerror]')).toBeNull();
    expect('hurt' in window).toBe(false);
  });

  it('copy what is selected, also what was never in sight', async () => {
    const { table, user } = await open();
    const written = vi.spyOn(navigator.clipboard, 'writeText');
    table.focus();
    await user.keyboard('{Control>}a{/Control}{Control>}c{/Control}');
    await waitFor(() => expect(written).toHaveBeenCalledOnce());
    const lines = written.mock.calls[0]?.[0].split('\n') ?? [];
    expect(lines.length - 1).toBe(Number(screen.getByTestId('findings-selected').textContent?.match(/\d+/)?.[0]));
    expect(lines.length).toBeGreaterThan(100);
  });
});

describe('a copied finding', () => {
  it('is no formula in a spreadsheet and stays on its line', () => {
    const row = {
      id: 'f',
      instance: 'i',
      instance_name: '=HYPERLINK("https://x.example")',
      app: 'kustomer',
      app_name: 'Kustomer',
      sandbox: true,
      check: 'k.c',
      title: '@SUM(A1)',
      resource: 'two\nlines\tand tabs',
      severity: 'high' as const,
      feature: 'config',
      state: 'open' as const,
      first_seen: '2026-11-01T00:00:00Z',
      last_seen: '2026-11-21T00:00:00Z',
      ended_at: null,
      not_rechecked_since: null,
      new: false,
      attested: false,
      held_by: null,
    };
    const [head, line, more] = copyText([row]).split('\n');
    expect(more).toBeUndefined();
    expect(line?.split('\t')).toHaveLength(head?.split('\t').length ?? 0);
    expect(line?.split('\t').slice(1, 5)).toEqual(["'@SUM(A1)", 'two lines and tabs', 'Kustomer', '\'=HYPERLINK("https://x.example")']);
  });
});
