import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../../App.svelte';
import type { Preference } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import { freeName, isSame, readSaved, SAVED, withView, wrongName } from './saved-views';

describe('saved views', () => {
  it('that are damaged are as if they had not been saved', () => {
    const whole = { name: 'Mine', query: { severity: 'high' } };
    expect(readSaved([whole, { name: '', query: {} }, { name: 'x' }, { name: 'y', query: { a: 1 } }, null, 'z'])).toEqual([whole]);
    expect(readSaved({ name: 'Mine' })).toEqual([]);
  });

  it('that are brought back take a free name', () => {
    const views = [{ name: 'worst', query: {} }, { name: 'Worst (2)', query: {} }];
    expect([freeName([], 'Worst'), freeName(views, 'Worst'), freeName([{ name: 'x'.repeat(60), query: {} }], 'x'.repeat(60))]).toEqual(['Worst', 'Worst (3)', `${'x'.repeat(56)} (2)`]);
  });

  it('have names of their own, and room', () => {
    const views = [{ name: 'Mine', query: {} }];
    expect(wrongName(views, '  ')).not.toBe('');
    expect(wrongName(views, 'mine ')).toContain('Another view');
    expect(wrongName(views, 'mine', 'Mine')).toBe('');
    expect(wrongName(views, 'x'.repeat(61))).toContain('60');
    expect(withView(views, { name: ' Alpha ', query: {} })?.map(({ name }) => name)).toEqual(['Alpha', 'Mine']);
    expect(withView(views, { name: 'Long', query: { text: 'x'.repeat(17_000) } })).toBeNull();
    expect(isSame({ a: '1', b: '2' }, { b: '2', a: '1' })).toBe(true);
    expect(isSame({ a: '1' }, { a: '1', b: '2' })).toBe(false);
  });
});

afterEach(() => {
  cleanup();
  for (const toast of toasts.shown) toasts.close(toast.id);
  router.go(['overview']);
});

async function open(preferences: Preference[] = [], query: Record<string, string> = { severity: 'critical' }) {
  const kept = new Map(preferences.map(({ key, value }) => [key, value]));
  const mock = mockBackend({ preferences });
  const backend = {
    ...mock,
    setPreference: async (key: string, value: string) => {
      kept.set(key, value);
      await mock.setPreference(key, value);
    },
  };
  router.go(['findings'], query);
  render(App, { backend });
  await screen.findAllByTestId('finding-row');
  return { kept, user: userEvent.setup({ pointerEventsCheck: 0 }) };
}

describe('in the filter bar', () => {
  it('a view is saved, found after a restart, shown by its address, renamed, deleted and brought back', async () => {
    const first = await open();
    await first.user.click(screen.getByTestId('views'));
    await first.user.click(await screen.findByTestId('menu-view-save'));
    const dialog = await screen.findByTestId('save-view');
    await first.user.click(within(dialog).getByTestId('view-save-now'));
    expect(await within(dialog).findByText(/Give it a name/)).toBeInTheDocument();
    await first.user.type(within(dialog).getByTestId('view-name'), 'Worst of all');
    await first.user.click(within(dialog).getByTestId('view-save-now'));
    await waitFor(() => expect(screen.getByTestId('views')).toHaveTextContent('Worst of all'));
    expect(readSaved(JSON.parse(first.kept.get(SAVED) ?? ''))).toEqual([{ name: 'Worst of all', query: { severity: 'critical', sandbox: 'without' } }]);

    // Another start, with nothing but what was kept.
    cleanup();
    const again = await open(
      [...first.kept].map(([key, value]) => ({ key, value })),
      { state: 'open', severity: 'low' },
    );
    await again.user.click(screen.getByTestId('views'));
    await again.user.click(await screen.findByTestId('menu-view-0'));
    await waitFor(() => expect(router.query.get('severity')).toBe('critical'));
    expect(screen.getByTestId('views')).toHaveTextContent('Worst of all');

    await again.user.click(screen.getByTestId('views'));
    await again.user.click(await screen.findByTestId('menu-view-edit'));
    const field = within(await screen.findByTestId('edit-views')).getByTestId('view-name-0');
    await again.user.clear(field);
    await again.user.type(field, 'Critical');
    await again.user.click(screen.getByTestId('views-rename'));
    await waitFor(() => expect(screen.getByTestId('views')).toHaveTextContent('Critical'));

    await again.user.click(screen.getByTestId('views'));
    await again.user.click(await screen.findByTestId('menu-view-edit'));
    await again.user.click(await screen.findByTestId('view-delete-0'));
    await waitFor(() => expect(JSON.parse(again.kept.get(SAVED) ?? '')).toEqual([]));
    await again.user.click(await screen.findByRole('button', { name: 'Undo' }));
    await waitFor(() => expect(readSaved(JSON.parse(again.kept.get(SAVED) ?? '')).map(({ name }) => name)).toEqual(['Critical']));
  });

  it('a control of a finding leads to all findings that name it', async () => {
    const { user } = await open([], { severity: 'high' });
    screen.getByTestId('findings-table').focus();
    await user.keyboard('{ArrowDown}{Enter}');
    const pane = within(await screen.findByTestId('finding-pane'));
    await user.click(await pane.findByText('IA-2'));
    await waitFor(() => expect(router.query.get('framework')).toMatch(/^nist_800_53\/IA-2$/));
    expect(await screen.findByText('NIST 800-53 IA-2')).toBeInTheDocument();
    await user.click(screen.getByTestId('filter-framework-remove'));
    await waitFor(() => expect(router.query.get('framework')).toBeNull());
  });
});
