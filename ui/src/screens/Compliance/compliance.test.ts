import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend, Failure } from '$lib/backend/backend';
import { mockBackend, type Invented } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import App from '../../App.svelte';
import { chosen, outcomes, statuses, toggledIn } from './outcomes';

async function open(path: string[], change: (backend: Backend) => Partial<Backend> = () => ({}), query: Record<string, string> = {}, options: Invented = {}) {
  const mock = mockBackend(options);
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(path, query);
  render(App, { backend });
  await screen.findByTestId('page-title');
  return { backend, user: userEvent.setup() };
}
const refused: Failure = { code: 'E-DB', sentence: 'The database could not be read.', remedy: 'Try again.', field: null };
// The window of the tests has no width of its own; this one has room for every column.
beforeEach(() => void vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(1200));
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  toasts.shown = [];
  router.go(['overview']);
});

describe('the rules', () => {
  it('say of each control what its checks came to, and each number leads to them', async () => {
    const { user } = await open(['security-configurations']);
    const rows = await screen.findAllByTestId('control-row');
    const enforced = rows.find((row) => row.textContent.includes('IAM-SaaS-05')) as HTMLElement;
    expect(enforced).toHaveTextContent('Failed');
    expect(rows.find((row) => row.textContent.includes('CCC-SaaS-01'))).toHaveTextContent('Not covered');
    await user.click(within(enforced).getByTestId('number-failed'));
    await waitFor(() => expect(router.path).toEqual(['security-configurations', 'IAM-SaaS-05']));
    expect(router.query.get('outcome')).toBe('failed');
    expect(await screen.findByTestId('rule-status')).toHaveAttribute('data-status', 'failed');
    const shown = screen.getAllByTestId(/^outcome-.*-i-/);
    expect(shown.every((one) => one.dataset.outcome === 'failed')).toBe(true);
    await user.click(screen.getByTestId('outcome-failed'));
    await waitFor(() => expect(screen.getAllByTestId(/^outcome-.*-i-/).length).toBeGreaterThan(shown.length));
  });

  it('lead from what failed to its open findings', async () => {
    const { user } = await open(['security-configurations', 'IAM-SaaS-05']);
    const [first] = await screen.findAllByTestId(/^open-/);
    await user.click(first as HTMLElement);
    await waitFor(() => expect(router.path).toEqual(['findings']));
    // The number counts what is dismissed too, so the list has to.
    expect(router.query.get('state')).toBe('open,dismissed');
    expect(router.query.get('check')).toMatch(/\.auth\.passwords_off$/);
    expect(router.query.get('instance')).toMatch(/^i-/);
  });

  it('are moved in and opened by the keyboard, and filtered by status in the address', async () => {
    const { user } = await open(['security-configurations']);
    await screen.findAllByTestId('control-row');
    await user.click(screen.getByTestId('status-not_covered'));
    await waitFor(() => expect(router.query.get('status')).toBe('not_covered'));
    expect(screen.getAllByTestId('control-row')).toHaveLength(1);
    screen.getByTestId('rules-table').focus();
    await user.keyboard('{Enter}');
    await waitFor(() => expect(router.path).toEqual(['security-configurations', 'CCC-SaaS-01']));
    expect(await screen.findByTestId('rule-status')).toHaveTextContent('Not covered');
  });

  it('never call passed what was not read', async () => {
    await open(['security-configurations', 'IAM-SaaS-20'], (mock) => ({
      rule: async (scope, id) => {
        const page = await mock.rule(scope, id);
        return { ...page, rule: { ...page.rule, status: 'something new' as 'passed' } };
      },
    }));
    expect(await screen.findByTestId('rule-status')).toHaveTextContent('Not evaluated');
  });

  it('say what to do where there is nothing, and where they cannot be read', async () => {
    const { user } = await open(['security-configurations'], undefined, {}, { empty: true });
    await user.click(await screen.findByTestId('rules-add'));
    await waitFor(() => expect(router.path).toEqual(['add-application']));
    cleanup();
    const rules = vi.fn(() => Promise.reject(refused as unknown as Error));
    const again = await open(['security-configurations'], () => ({ rules }));
    expect(await screen.findByTestId('failure-sentence')).toHaveTextContent('The database could not be read.');
    const before = rules.mock.calls.length;
    await again.user.click(screen.getByTestId('failure-retry'));
    await waitFor(() => expect(rules.mock.calls.length).toBe(before + 1));
  });

  it('name the instances of which nothing can be said', async () => {
    await open(['security-configurations'], (mock) => ({
      rules: async (scope) => ({
        ...(await mock.rules(scope)),
        unreadable: [{ instance: 'i-x', instance_name: 'Old', cause: { kind: 'x', sentence: 'Its manifest is not right.', remedy: 'Mend it.' } }],
      }),
    }));
    expect(await screen.findByTestId('unreadable')).toHaveTextContent('Old: Its manifest is not right. Mend it.');
  });
});

describe('compliance', () => {
  it('says how much of a framework is not checked, and nothing is called compliant', async () => {
    const { user } = await open(['compliance']);
    expect(await screen.findByTestId('framework-sentence-soc2')).toHaveTextContent('3 of 5 criteria are touched by checks; the other 2 are not checked by this console.');
    expect(document.body.textContent).not.toMatch(/\bis compliant\b/i);
    await user.click(screen.getByTestId('framework-soc2-not_covered'));
    await waitFor(() => expect(router.path).toEqual(['compliance', 'soc2']));
    const rows = await screen.findAllByTestId('control-row');
    expect(rows.map((row) => row.dataset.key)).toEqual(['CC6.2', 'PI1.1']);
  });

  it('leads from a control to its checks, and back by the crumbs', async () => {
    const { user } = await open(['compliance', 'soc2']);
    const rows = await screen.findAllByTestId('control-row');
    const access = rows.find((row) => row.dataset.key === 'CC6.1') as HTMLElement;
    await user.click(within(access).getByTestId('number-failed'));
    await waitFor(() => expect(router.path).toEqual(['compliance', 'soc2', 'CC6.1']));
    expect(await screen.findByTestId('control-status')).toHaveAttribute('data-status', 'failed');
    await user.click(screen.getByRole('link', { name: 'SOC 2' }));
    await waitFor(() => expect(router.path).toEqual(['compliance', 'soc2']));
  });

  it('is written to a file, and says so or why not', async () => {
    const answers: (() => Promise<never> | Promise<{ path: string; controls: number } | null>)[] = [
      () => Promise.resolve(null),
      () => Promise.resolve({ path: '~/soc2.html', controls: 5 }),
      () => Promise.reject(refused as unknown as Error),
    ];
    const exportFramework = vi.fn(() => (answers.shift() ?? (() => Promise.resolve(null)))());
    const { user } = await open(['compliance', 'soc2'], () => ({ exportFramework }));
    await screen.findAllByTestId('control-row');
    const write = async () => {
      // A menu that closes lets go of the page a moment later.
      await waitFor(() => expect(document.body.style.pointerEvents).not.toBe('none'));
      await user.click(screen.getByTestId('export'));
      await user.click(await screen.findByTestId('menu-export-html'));
    };
    await write();
    await waitFor(() => expect(exportFramework).toHaveBeenCalledExactlyOnceWith('without', 'soc2', 'html'));
    expect(screen.queryByTestId('toast')).toBeNull();
    await write();
    expect(await screen.findByTestId('toast')).toHaveTextContent('5 controls written to ~/soc2.html');
    await write();
    expect(await screen.findByTestId('failure-sentence')).toHaveTextContent('The database could not be read.');
  });
});

describe('addresses of controls', () => {
  it('hold known words only, in the order of the scale', () => {
    const query = new URLSearchParams({ status: 'passed,failed,nothing' });
    expect(chosen(query, 'status', statuses)).toEqual(['failed', 'passed']);
    expect(chosen(new URLSearchParams(), 'outcome', outcomes)).toEqual([]);
    expect(toggledIn(query, 'status', 'failed').get('status')).toBe('passed,nothing');
    expect(toggledIn(new URLSearchParams({ status: 'failed' }), 'status', 'failed').has('status')).toBe(false);
  });
});
