import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend, Downloaded, UpdateState } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import App from '../../App.svelte';

async function open(change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, jobs: () => Promise.resolve([]), ...change(mock) };
  router.go(['settings']);
  render(App, { backend });
  await screen.findByTestId('settings-keep-running');
  return { backend, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  toasts.shown = [];
  router.go(['overview']);
});

describe('staying when the window is closed', () => {
  it('is chosen, and the scans say so', async () => {
    const { user } = await open();
    expect(screen.getByTestId('scans-while-open')).toHaveTextContent('only while this window is open');
    await user.click(screen.getByTestId('settings-keep-running'));
    await waitFor(() => expect(screen.getByTestId('scans-while-open')).toHaveTextContent('or in the tray'));
    expect(screen.queryByTestId('tray-missing')).toBeNull();
    // Taken back, closing ends the console again.
    await user.click(within((await screen.findAllByTestId('toast')).at(-1) as HTMLElement).getByText('Undo'));
    await waitFor(() => expect(screen.getByTestId('scans-while-open')).toHaveTextContent('only while this window is open'));
    expect(screen.queryByTestId('tray-missing')).toBeNull();
  });

  it('says when the desktop has no tray, and the scans do not promise it', async () => {
    const { user } = await open(() => ({ desktop: () => Promise.resolve({ stays: false, starts_at_login: null }) }));
    await user.click(screen.getByTestId('settings-keep-running'));
    expect(await screen.findByTestId('tray-missing')).toHaveTextContent('Closing the window ends the console');
    expect(screen.getByTestId('scans-while-open')).toHaveTextContent('only while this window is open');
    // What the system does not say is not offered.
    expect(screen.queryByTestId('settings-start-at-login')).toBeNull();
  });

  it('starts at login, and shows what the system refuses beside the choice, which goes back', async () => {
    const failure = { code: 'E-START-AT-LOGIN', sentence: 'The system did not take it.', remedy: 'Add it by hand.', field: null };
    const answers: (() => Promise<never>)[] = [() => Promise.reject(failure)];
    const { user } = await open((mock) => ({ startAtLogin: (wanted) => (answers.shift() ?? (() => mock.startAtLogin(wanted)))() }));
    await user.click(await screen.findByTestId('settings-start-at-login'));
    expect(await screen.findByTestId('settings-stay-state')).toHaveTextContent('The system did not take it. Add it by hand.');
    await waitFor(() => expect(screen.getByTestId('settings-start-at-login')).not.toBeChecked());
    await user.click(screen.getByTestId('settings-start-at-login'));
    await waitFor(() => expect(screen.queryByTestId('settings-stay-state')).toBeNull());
    expect(screen.getByTestId('settings-start-at-login')).toBeChecked();
  });
});

describe('the network', () => {
  it('of new instances is set once, and what is wrong with it stands beside its field', async () => {
    const { user, backend } = await open((mock) => ({
      changeSettings: (settings) =>
        settings.route.proxy_url.includes('@')
          ? Promise.reject({ code: 'E-PROXY-URL', sentence: 'It holds a user name.', remedy: 'Leave it out.', field: 'proxy_url' })
          : mock.changeSettings(settings),
    }));
    await user.click(screen.getByTestId('network-summary'));
    await user.selectOptions(screen.getByTestId('route-proxy'), 'manual');
    await user.type(screen.getByTestId('route-proxy-url'), 'http://ada@proxy.example:3128');
    await user.click(screen.getByTestId('settings-network-save'));
    await waitFor(() => expect(screen.getByTestId('route-proxy-url-state')).toHaveTextContent('It holds a user name. Leave it out.'));
    await user.clear(screen.getByTestId('route-proxy-url'));
    await user.type(screen.getByTestId('route-proxy-url'), 'http://proxy.example:3128');
    await user.click(screen.getByTestId('settings-network-save'));
    await waitFor(async () => expect((await backend.settings()).route).toEqual({ proxy: 'manual', proxy_url: 'http://proxy.example:3128', extra_roots_pem: '' }));
    router.go(['add-application', 'kustomer']);
    await user.click(await screen.findByTestId('add-instance'));
    await waitFor(() => expect(screen.getByTestId('network-summary')).toHaveTextContent('A proxy of its own'));
  });
});

describe('new versions', () => {
  it('are not looked for unless somebody configured where', async () => {
    const lookForUpdate = vi.fn<Backend['lookForUpdate']>();
    await open(() => ({ lookForUpdate, updateState: () => Promise.resolve({ kind: 'off', file: '~/.config/posture-console/updates.json' }) }));
    expect(await screen.findByTestId('update-off')).toHaveTextContent('updates.json');
    expect(screen.queryByTestId('update-look')).toBeNull();
    expect(lookForUpdate).not.toHaveBeenCalled();
  });

  const newer: UpdateState = { kind: 'newer', host: 'updates.example.com', version: '0.2.0', notes: 'Saved views.' };

  it('are downloaded with progress, cancelled, and installed', async () => {
    const waiting: { listener: (downloaded: Downloaded) => void; reject: (failure: unknown) => void; resolve: () => void }[] = [];
    let state: UpdateState = newer;
    const cancelUpdate = vi.fn(() => {
      state = { kind: 'not_looked', host: 'updates.example.com' };
      waiting.at(-1)?.reject({ code: 'E-CANCELLED', sentence: 'The download was cancelled.', remedy: '', field: null });
      return Promise.resolve();
    });
    const startAgain = vi.fn(() => Promise.resolve());
    const { user } = await open(() => ({
      cancelUpdate,
      startAgain,
      updateState: () => Promise.resolve(state),
      lookForUpdate: () => Promise.resolve((state = newer)),
      installUpdate: (listener) => {
        state = { kind: 'downloading', version: '0.2.0' };
        return new Promise((resolve, reject) => waiting.push({ listener, reject, resolve }));
      },
    }));
    expect(await screen.findByTestId('update-words')).toHaveTextContent('Version 0.2.0 is there');
    await user.click(screen.getByTestId('update-install'));
    waiting[0]?.listener({ bytes: 8_000_000, of: 32_000_000 });
    await waitFor(() => expect(screen.getByRole('progressbar', { name: /0\.2\.0/ })).toHaveAttribute('aria-valuenow', '25'));
    expect(screen.getByTestId('settings-update')).toHaveTextContent('8.0 MB of 32.0 MB');
    expect(screen.getByTestId('update-cancel')).toHaveFocus();
    await user.click(screen.getByTestId('update-cancel'));
    expect(cancelUpdate).toHaveBeenCalledOnce();
    // Cancelling is no failure.
    await user.click(await screen.findByTestId('update-look'));
    expect(screen.queryByTestId('failure-code')).toBeNull();
    await user.click(await screen.findByTestId('update-install'));
    state = { kind: 'installed', version: '0.2.0' };
    waiting[1]?.resolve();
    await user.click(await screen.findByTestId('update-start-again'));
    expect(startAgain).toHaveBeenCalledOnce();
  });

  it('go on when the settings are left, and are found again', async () => {
    const { user } = await open(() => ({ updateState: () => Promise.resolve({ kind: 'downloading', version: '0.2.0' }) }));
    expect(await screen.findByTestId('update-cancel')).toBeVisible();
    await user.click(screen.getByTestId('nav-overview'));
    await waitFor(() => expect(screen.queryByTestId('update-cancel')).toBeNull());
    await user.click(screen.getByTestId('nav-settings'));
    expect(await screen.findByTestId('update-cancel')).toBeVisible();
    expect(screen.queryByTestId('update-install')).toBeNull();
  });

  it('that are not signed are refused in words', async () => {
    const failure = { code: 'E-UPDATE-SIGNATURE', sentence: 'It is not signed.', remedy: 'Ask.', field: null };
    const { user } = await open(() => ({ updateState: () => Promise.resolve(newer), installUpdate: () => Promise.reject(failure) }));
    await user.click(await screen.findByTestId('update-install'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-UPDATE-SIGNATURE');
  });
});

describe('the catalog and the licences', () => {
  it('say what a folder of one’s own adds', async () => {
    await open(() => ({
      about: () =>
        Promise.resolve({ applications: 71, schema: 5, catalog_place: '', catalog_folder: { path: '~/own', added: ['Acme Desk'], extended: ['Okta'] } }),
    }));
    expect(await screen.findByTestId('settings-catalog')).toHaveTextContent(/~\/own.*Acme Desk.*Okta/);
  });

  it('are searched by name and by licence', async () => {
    const { user } = await open();
    await user.click(screen.getByTestId('about-licences'));
    expect(await screen.findAllByTestId('licence-row')).toHaveLength(3);
    await user.type(screen.getByTestId('licences-search'), 'isc');
    await waitFor(() => expect(screen.getAllByTestId('licence-row')).toHaveLength(1));
    expect(screen.getByTestId('licence-row')).toHaveTextContent('rustls0.23.46');
  });
});
