import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import { mockBackend, type Invented } from '$lib/backend/mock';
import App from '../../App.svelte';

function open(options: Invented) {
  location.hash = '#/';
  window.dispatchEvent(new HashChangeEvent('hashchange'));
  render(App, { backend: mockBackend({ pace: 0, empty: true, offered: false, ...options }) });
  return userEvent.setup();
}

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
});

describe('first start', () => {
  it('goes from keychain over the recovery key to the sandbox, and shows the key once', async () => {
    const user = open({ start: { kind: 'first_start' } });
    expect(await screen.findByTestId('first-start-keychain')).toHaveAttribute('data-state', 'checked');
    await user.click(screen.getByTestId('first-start-continue'));
    expect(await screen.findByTestId('recovery-key-groups')).toHaveTextContent('K7QM 2XTD');
    await user.click(screen.getByTestId('recovery-kept'));
    const begin = await screen.findByTestId('sandbox-add');
    expect(document.body.innerHTML).not.toContain('K7QM');
    await waitFor(() => expect(screen.getByText('3 tenants')).toBeInTheDocument());
    await user.click(begin);
    expect(await screen.findByTestId('nav-overview', {}, { timeout: 3000 })).toHaveAttribute('aria-current', 'page');
  });

  it('offers the passphrase alone where there is no keychain, and checks both times', async () => {
    const user = open({ start: { kind: 'first_start' }, keychain: 'absent' });
    expect(await screen.findByTestId('first-start-keychain')).toBeDisabled();
    await user.type(screen.getByTestId('passphrase'), 'too short');
    await user.click(screen.getByTestId('first-start-continue'));
    await waitFor(() => expect(screen.getByTestId('passphrase-state')).toHaveTextContent('at least 12 characters'));
    await user.clear(screen.getByTestId('passphrase'));
    await user.type(screen.getByTestId('passphrase'), 'correct horse battery');
    await user.type(screen.getByTestId('passphrase-repeated'), 'correct horse batterie');
    await user.click(screen.getByTestId('first-start-continue'));
    await waitFor(() => expect(screen.getByTestId('passphrase-repeated-state')).toHaveTextContent('The two passphrases differ.'));
    await user.type(screen.getByTestId('passphrase-repeated'), '{Backspace}{Backspace}y');
    await user.click(screen.getByTestId('first-start-continue'));
    expect(await screen.findByTestId('recovery-key-groups')).toBeInTheDocument();
  });

  it('remembers "not now" and goes on', async () => {
    const user = open({});
    await user.click(await screen.findByTestId('sandbox-skip'));
    expect(await screen.findByTestId('nav-overview')).toBeInTheDocument();
  });
});

describe('a backup instead', () => {
  const notOne = { code: 'E-BACKUP-FORMAT', sentence: 'This file is no backup of Posture Console; nothing was changed.', remedy: 'Choose another.', field: null };

  it('is restored at first start without asking, since nothing is stored', async () => {
    const mock = mockBackend({ pace: 0, start: { kind: 'first_start' } });
    const answers = [() => Promise.resolve(null), () => Promise.reject(notOne), async () => ({ ...(await mock.start()), state: { kind: 'ready', protection: 'keychain' } as const })];
    location.hash = '#/';
    window.dispatchEvent(new HashChangeEvent('hashchange'));
    render(App, { backend: { ...mock, restore: () => (answers.shift() ?? (() => Promise.resolve(null)))() } });
    const user = userEvent.setup();
    await user.click(await screen.findByTestId('restore'));
    expect(await screen.findByTestId('first-start-continue')).toBeInTheDocument();
    await user.click(screen.getByTestId('restore'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-BACKUP-FORMAT');
    await user.click(screen.getByTestId('restore'));
    expect(await screen.findByTestId('nav-overview')).toBeInTheDocument();
  });

  it('is restored over data that cannot be opened only when that was confirmed', async () => {
    const failure = { code: 'E-STORE-DAMAGED', sentence: 'The database is damaged.', remedy: 'Restore a backup.', field: null };
    const mock = mockBackend({ pace: 0, start: { kind: 'blocked', failure, recovery: false } });
    const restored = async () => ({ ...(await mock.start()), state: { kind: 'locked', protection: 'passphrase' } as const });
    render(App, { backend: { ...mock, restore: restored } });
    const user = userEvent.setup();
    await user.click(await screen.findByTestId('restore'));
    const dialog = await screen.findByTestId('restore-dialog');
    expect(dialog).toHaveTextContent('every instance with its credentials');
    await waitFor(() => expect(screen.getByTestId('restore-cancel')).toHaveFocus());
    await user.click(screen.getByTestId('restore-confirm'));
    expect(await screen.findByTestId('unlock-passphrase')).toBeInTheDocument();
  });
});

describe('a locked console', () => {
  it('says what is wrong, then opens, and does not keep the passphrase on the page', async () => {
    const user = open({ start: { kind: 'locked', protection: 'passphrase' }, offered: true });
    await user.type(await screen.findByTestId('unlock-passphrase'), 'the wrong one');
    await user.click(screen.getByTestId('unlock'));
    await waitFor(() => expect(screen.getByTestId('unlock-passphrase-state')).toHaveTextContent('The passphrase is not the one that was set.'));
    await user.clear(screen.getByTestId('unlock-passphrase'));
    await user.type(screen.getByTestId('unlock-passphrase'), 'the right one{Enter}');
    expect(await screen.findByTestId('nav-overview')).toBeInTheDocument();
    expect(document.body.innerHTML).not.toContain('the right one');
  });

  it('can be opened with the recovery key', async () => {
    const user = open({ start: { kind: 'blocked', failure: { code: 'E-KEYCHAIN-LOST', sentence: 'Lost.', remedy: 'Give it.', field: null }, recovery: true } });
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-KEYCHAIN-LOST');
    await user.type(screen.getByTestId('recovery-key'), 'K7QM 2XTD');
    await user.click(screen.getByTestId('recover'));
    await waitFor(() => expect(screen.getByTestId('recovery-key-state')).toHaveTextContent('eight groups'));
    await user.clear(screen.getByTestId('recovery-key'));
    await user.type(screen.getByTestId('recovery-key'), 'K7QM 2XTD H9PA WB4R N6YE C3VF J8LS Z5GU');
    await user.click(screen.getByTestId('recover'));
    expect(await screen.findByTestId('nav-overview')).toBeInTheDocument();
  });
});
