import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend, Erased, Settings, Start } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import App from '../../App.svelte';

async function open(change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const sent: Settings[] = [];
  const own = change(mock);
  const backend: Backend = {
    ...mock,
    jobs: () => Promise.resolve([]),
    ...own,
    changeSettings: (settings) => {
      sent.push(settings);
      return (own.changeSettings ?? mock.changeSettings)(settings);
    },
  };
  router.go(['settings']);
  render(App, { backend });
  await screen.findByTestId('about');
  return { backend, sent, user: userEvent.setup() };
}
const toast = async () => within((await screen.findAllByTestId('toast')).at(-1) as HTMLElement);
afterEach(() => {
  cleanup();
  toasts.shown = [];
  router.go(['overview']);
});

describe('the settings', () => {
  it('are saved one by one as they are chosen, and each is undone by its toast', async () => {
    const { sent, user } = await open();
    const spread = await screen.findByTestId('settings-spread');
    await user.clear(spread);
    await user.type(spread, '45{Enter}');
    await waitFor(() => expect(sent).toHaveLength(1));
    expect(sent[0]).toMatchObject({ spread_minutes: 45, scans_at_once: 2, keep_scans: 30, lock_after_minutes: 15, notify: true });
    await user.click((await toast()).getByText('Undo'));
    await waitFor(() => expect(sent).toHaveLength(2));
    expect(sent[1]).toMatchObject({ spread_minutes: 30 });
    await waitFor(() => expect(spread).toHaveValue('30'));

    await user.selectOptions(screen.getByTestId('settings-at-once'), '4');
    await waitFor(() => expect(sent.at(-1)).toMatchObject({ scans_at_once: 4 }));
    await user.selectOptions(screen.getByTestId('settings-lock-after'), 'never');
    await waitFor(() => expect(sent.at(-1)).toMatchObject({ lock_after_minutes: null, scans_at_once: 4 }));
    await user.click(screen.getByTestId('settings-notify'));
    await waitFor(() => expect(sent.at(-1)).toMatchObject({ notify: false, lock_after_minutes: null }));
    const keep = screen.getByTestId('settings-keep');
    await user.clear(keep);
    await user.type(keep, '12');
    await user.tab();
    await waitFor(() => expect(sent.at(-1)).toMatchObject({ keep_scans: 12, notify: false }));
  });

  it('take a schedule once it is one, and follow Undo', async () => {
    const { sent, user } = await open();
    await waitFor(() => expect(screen.getByTestId('schedule-daily')).toHaveAttribute('aria-checked', 'true'));
    // Default is what this is about.
    expect(screen.queryByTestId('schedule-default')).toBeNull();
    await user.click(screen.getByTestId('schedule-six_hours'));
    await waitFor(() => expect(sent.at(-1)?.schedule).toEqual({ kind: 'cron', pattern: '0 */6 * * *' }));
    await user.click((await toast()).getByText('Undo'));
    await waitFor(() => expect(sent.at(-1)?.schedule).toEqual({ kind: 'cron', pattern: '0 6 * * *' }));
    await waitFor(() => expect(screen.getByTestId('schedule-daily')).toHaveAttribute('aria-checked', 'true'));
    expect(sent).toHaveLength(2);
  });

  it('refuse what is out of bounds beside the field, without asking the console', async () => {
    const { sent, user } = await open();
    for (const [field, typed] of [['settings-spread', '121'], ['settings-keep', '1'], ['settings-spread', 'soon']] as const) {
      const input = await screen.findByTestId(field);
      await user.clear(input);
      await user.type(input, `${typed}{Enter}`);
      await waitFor(() => expect(input).toHaveAttribute('aria-invalid', 'true'));
      expect(input).toHaveAccessibleDescription(/A whole number from/);
    }
    expect(sent).toEqual([]);
  });

  it('say beside the field why the console refused', async () => {
    const refused = { code: 'E-SETTINGS', sentence: 'The disk is full.', remedy: 'Make room.', field: 'spread_minutes' };
    const { user } = await open(() => ({ changeSettings: () => Promise.reject(refused) }));
    const spread = await screen.findByTestId('settings-spread');
    await user.clear(spread);
    await user.type(spread, '45{Enter}');
    await waitFor(() => expect(spread).toHaveAccessibleDescription('The disk is full. Make room.'));
    expect(screen.queryByTestId('toast')).toBeNull();
    await user.selectOptions(screen.getByTestId('settings-lock-after'), '5');
    await waitFor(() => expect(screen.getByTestId('settings-lock-after')).toHaveAttribute('aria-invalid', 'true'));
    expect(spread).not.toHaveAttribute('aria-invalid');
    await user.click(screen.getByTestId('settings-notify'));
    expect(await screen.findByTestId('settings-notify-state')).toHaveTextContent('The disk is full.');
  });

  it('keep what another process changed in the meantime', async () => {
    const mock = mockBackend();
    let stored = await mock.settings();
    const { sent, user } = await open(() => ({
      settings: () => Promise.resolve(stored),
      changeSettings: (next) => Promise.resolve((stored = next)),
    }));
    await screen.findByTestId('settings-spread');
    stored = { ...stored, keep_scans: 77 };
    await user.selectOptions(screen.getByTestId('settings-at-once'), '3');
    await waitFor(() => expect(sent.at(-1)).toMatchObject({ scans_at_once: 3, keep_scans: 77 }));
  });

  it('that cannot be read say why, and are asked for again', async () => {
    const mock = mockBackend();
    let broken = true;
    const { user } = await open(() => ({
      settings: () => (broken ? Promise.reject({ code: 'E-STORE', sentence: 'The database does not answer.', remedy: 'Try again.', field: null }) : mock.settings()),
    }));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-STORE');
    expect(screen.queryByTestId('settings-scans')).toBeNull();
    // What does not rest on them is there.
    expect(screen.getByTestId('lock-now')).toBeInTheDocument();
    broken = false;
    await user.click(screen.getByTestId('failure-retry'));
    expect(await screen.findByTestId('settings-scans')).toBeInTheDocument();
    expect(screen.queryByTestId('failure')).toBeNull();
  });

  it('say that scans run only while the window is open, and what runs them otherwise; which version this is', async () => {
    await open();
    expect(await screen.findByTestId('scans-while-open')).toHaveTextContent('posture scan --due');
    expect(screen.getByTestId('about-version')).toHaveTextContent('0.1.0');
    expect(screen.getByTestId('about-licence')).toHaveTextContent('Apache License 2.0');
  });
});

describe('a backup', () => {
  it('says where it was written and how long it is; cancelled, it says nothing', async () => {
    const answers = [null, { path: '/backups/hm.tar', bytes: 48_300_000, opens: 'Its keys are not in it.' }];
    const { user } = await open(() => ({ backUp: () => Promise.resolve(answers.shift() ?? null) }));
    await user.click(screen.getByTestId('back-up'));
    await waitFor(() => expect(answers).toHaveLength(1));
    expect(screen.queryByTestId('backup-written')).toBeNull();
    await user.click(screen.getByTestId('back-up'));
    expect(await screen.findByTestId('backup-written')).toHaveTextContent('/backups/hm.tar');
    expect(screen.getByTestId('backup-written')).toHaveTextContent('48 MB');
    expect(screen.getByTestId('backup-opens')).toHaveTextContent('Its keys are not in it.');
  });

  it('that failed says why, and that nothing was written', async () => {
    const { user } = await open(() => ({ backUp: () => Promise.reject({ code: 'E-BACKUP-DISK', sentence: 'The disk is full.', remedy: 'Choose another.', field: null }) }));
    await user.click(screen.getByTestId('back-up'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-BACKUP-DISK');
    expect(screen.getByTestId('failure-kept')).toHaveTextContent('No backup was written');
  });

  it('is restored only when it was confirmed: Cancel has the focus, and Enter does not destroy', async () => {
    const restore = vi.fn<() => Promise<Start | null>>(() => Promise.resolve(null));
    const { user } = await open(() => ({ restore }));
    await user.click(screen.getByTestId('restore'));
    await waitFor(() => expect(screen.getByTestId('restore-cancel')).toHaveFocus());
    await user.keyboard('{Enter}');
    await waitFor(() => expect(screen.queryByTestId('restore-dialog')).toBeNull());
    expect(restore).not.toHaveBeenCalled();
    await user.click(screen.getByTestId('restore'));
    await user.click(await screen.findByTestId('restore-confirm'));
    // No file was chosen: the dialog goes, and nothing else.
    await waitFor(() => expect(screen.queryByTestId('restore-dialog')).toBeNull());
    expect(restore).toHaveBeenCalledOnce();
    expect(screen.queryByTestId('toast')).toBeNull();
  });

  it('is erased with everything only when the words are typed', async () => {
    const mock = mockBackend();
    const erase = vi.fn<(words: string) => Promise<Erased>>(async () => ({ folder: '/data', left: ['letter.txt'], start: { ...(await mock.start()), state: { kind: 'first_start' } } }));
    const { user } = await open(() => ({ erase }));
    await user.click(screen.getByTestId('erase'));
    await waitFor(() => expect(screen.getByTestId('erase-cancel')).toHaveFocus());
    await user.type(screen.getByTestId('erase-words'), 'erase');
    expect(screen.getByTestId('erase-confirm')).toHaveAttribute('aria-disabled', 'true');
    await user.click(screen.getByTestId('erase-confirm'));
    expect(erase).not.toHaveBeenCalled();
    await user.type(screen.getByTestId('erase-words'), ' everything');
    await user.click(screen.getByTestId('erase-confirm'));
    expect(erase).toHaveBeenCalledExactlyOnceWith('erase everything');
    expect((await toast()).getByText(/stays what is not the console's: letter\.txt/)).toBeInTheDocument();
  });

  it('takes the place of everything the window shows', async () => {
    const mock = mockBackend();
    const other = mockBackend({ empty: true });
    let restored = false;
    const { user } = await open(() => ({
      instances: (scope) => (restored ? other : mock).instances(scope),
      restore: async () => ((restored = true), { ...(await mock.start()), preferences: [{ key: 'theme', value: '"dark"' }] }),
    }));
    await waitFor(() => expect(screen.getByTestId('nav-applications')).toHaveAccessibleName(/\d/));
    await user.click(screen.getByTestId('restore'));
    await user.click(await screen.findByTestId('restore-confirm'));
    expect((await toast()).getByText('The backup is in place.')).toBeInTheDocument();
    await waitFor(() => expect(screen.getByTestId('nav-applications')).toHaveAccessibleName('Applications'));
    expect(document.documentElement.dataset.theme).toBe('dark');
  });

  it('of another user leads to the recovery key', async () => {
    const mock = mockBackend();
    const failure = { code: 'E-KEYCHAIN-LOST', sentence: 'The keychain does not hold its key.', remedy: 'Give the recovery key.', field: null };
    const { user } = await open(() => ({ restore: async () => ({ ...(await mock.start()), state: { kind: 'blocked', failure, recovery: true } }) }));
    await user.click(screen.getByTestId('restore'));
    await user.click(await screen.findByTestId('restore-confirm'));
    expect(await screen.findByTestId('recovery-key')).toBeInTheDocument();
  });

  it('that is none is refused in the dialog, and everything is as it was', async () => {
    const { user } = await open(() => ({ restore: () => Promise.reject({ code: 'E-BACKUP-NEWER', sentence: 'A newer version wrote it.', remedy: 'Update first.', field: null }) }));
    await user.click(screen.getByTestId('restore'));
    await user.click(await screen.findByTestId('restore-confirm'));
    const dialog = within(await screen.findByTestId('restore-dialog'));
    expect(await dialog.findByTestId('failure-code')).toHaveTextContent('E-BACKUP-NEWER');
    expect(dialog.getByTestId('failure-kept')).toHaveTextContent('as they were');
  });

  it('is not restored while a scan runs', async () => {
    const job = { id: 'j', instance: 'i-okta', title: 'Okta', done: 0.1, host: '', elsewhere: null };
    const { user } = await open(() => ({ jobs: () => Promise.resolve([job]) }));
    await waitFor(() => expect(screen.getByTestId('restore')).toHaveAccessibleDescription(/scan is under way/));
    await user.click(screen.getByTestId('restore'));
    expect(screen.queryByTestId('restore-dialog')).toBeNull();
  });
});
