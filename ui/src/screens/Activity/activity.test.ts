import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ActivityProof, Backend } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import App from '../../App.svelte';

async function open(change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['activity']);
  render(App, { backend });
  const table = await screen.findByTestId('acts-table');
  return { backend, table, user: userEvent.setup() };
}
const now = { acts: 128, head: '4f2a91c0d7be3358a6c1f09e2b7d44815ce0937fa1d26b8e7c05f3419ab2d6e8', at: '2026-11-22T06:00:00Z' };
// The window of the tests has no width of its own; this one has room for every column.
beforeEach(() => void vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(1200));
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  toasts.shown = [];
  router.go(['overview']);
});

describe('the activity', () => {
  it('says who did what, and what it was before and is after', async () => {
    await open();
    const changed = (await screen.findAllByTestId('act-row')).find((row) => row.textContent.includes('Instance changed')) as HTMLElement;
    expect(changed).toHaveTextContent('a.brandt');
    expect(within(changed).getByTestId('act-change')).toHaveTextContent('owner: A. Brandt; schedule: off → owner: J. Weil; schedule: 0 6 * * 1-5');
    const scanned = screen.getAllByTestId('act-row').find((row) => row.textContent.includes('Scan completed')) as HTMLElement;
    expect(scanned).toHaveTextContent('schedule');
    expect(within(scanned).queryByTestId('act-change')).toBeNull();
    expect(await screen.findByTestId('acts-head')).toHaveTextContent('4f2a91c0d7be…');
  });

  it('leads by Enter to the instance an act speaks of, if it is still there', async () => {
    const { table, user } = await open((mock) => ({
      activity: async (slice) => {
        const list = await mock.activity(slice);
        return { ...list, rows: list.rows.map((row, index) => (slice.offset + index === 0 ? { ...row, instance: 'i-gone' } : row)) };
      },
    }));
    await screen.findAllByTestId('act-row');
    table.focus();
    await user.keyboard('{Enter}');
    expect(router.path).toEqual(['activity']);
    await user.keyboard('{ArrowDown}{Enter}');
    await waitFor(() => expect(router.path).toEqual(['applications', 'i-kustomer']));
  });

  it('is saved by its head, and says where that is to be kept', async () => {
    const answers = [null, '/media/stick/head.json'];
    const saveActivityHead = vi.fn(() => Promise.resolve(answers.shift() ?? null));
    const { user } = await open(() => ({ saveActivityHead }));
    await user.click(screen.getByTestId('save-head'));
    await waitFor(() => expect(saveActivityHead).toHaveBeenCalledOnce());
    expect(screen.queryByTestId('toast')).toBeNull();
    await user.click(screen.getByTestId('save-head'));
    expect(await screen.findByTestId('toast')).toHaveTextContent('/media/stick/head.json. Keep it where this computer cannot change it.');
  });

  it.each<[string, boolean, ActivityProof, RegExp]>([
    ['menu-verify-file', true, { now, holds: true, sentence: 'The head of 21 Nov is among the 128 acts.' }, /The activity log holds.*The head of 21 Nov/],
    ['menu-verify-alone', false, { now, holds: false, sentence: 'Act 57 of 3 Nov was changed.' }, /does not hold.*Act 57 of 3 Nov was changed/],
  ])('is verified by %s, by the keyboard, and the answer stands in the page', async (item, against, proof, words) => {
    const verifyActivity = vi.fn(() => Promise.resolve<ActivityProof | null>(proof));
    const { user } = await open(() => ({ verifyActivity }));
    screen.getByTestId('verify').focus();
    await user.keyboard('{Enter}');
    // The menu opens on its first item.
    await waitFor(() => expect(screen.getByTestId('menu-verify-file')).toHaveFocus());
    if (item !== 'menu-verify-file') await user.keyboard('{ArrowDown}');
    expect(screen.getByTestId(item)).toHaveFocus();
    await user.keyboard('{Enter}');
    expect(await screen.findByTestId('activity-proof')).toHaveTextContent(words);
    expect(verifyActivity).toHaveBeenCalledExactlyOnceWith(against);
    expect(screen.getByTestId('activity-proof')).toHaveTextContent('128 acts');
    await user.click(screen.getByTestId('activity-proof-close'));
    expect(screen.queryByTestId('activity-proof')).toBeNull();
    expect(screen.getByTestId('verify')).toHaveFocus();
  });

  it('says nothing when no file was chosen, and why a file is no head', async () => {
    const failure = { code: 'E-ACTIVITY-HEAD', sentence: 'This file is no head of an activity log.', remedy: 'Choose one that was saved here.', field: null };
    const answers: (() => Promise<null>)[] = [() => Promise.resolve(null), () => Promise.reject(failure)];
    const { user } = await open(() => ({ verifyActivity: () => (answers.shift() ?? (() => Promise.resolve(null)))() }));
    for (const left of [1, 0]) {
      await user.click(screen.getByTestId('verify'));
      await user.click(await screen.findByTestId('menu-verify-file'));
      await waitFor(() => expect(answers).toHaveLength(left));
      // The menu lets go of the page a moment after it has closed.
      await waitFor(() => expect(document.body.style.pointerEvents).not.toBe('none'));
    }
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-ACTIVITY-HEAD');
    expect(screen.queryByTestId('activity-proof')).toBeNull();
  });
});
