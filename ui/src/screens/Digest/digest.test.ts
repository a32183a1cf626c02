import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend, Failure, MailSettings } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import App from '../../App.svelte';

const settings: MailSettings = {
  host: 'mail.haldenmoor.example',
  port: 465,
  tls: 'implicit',
  user: 'posture',
  from: 'posture@haldenmoor.example',
  recipients: ['ada@haldenmoor.example'],
  authorities_pem: '',
};
const refusal: Failure = { code: 'E-MAIL-LOGIN', sentence: 'The mail server refused user and password (535).', remedy: 'Type them again.', field: null };

async function open(path: string[], change: (backend: Backend) => Partial<Backend> = () => ({}), mock = mockBackend()) {
  const backend: Backend = { ...mock, jobs: () => Promise.resolve([]), ...change(mock) };
  router.go(path);
  render(App, { backend });
  await screen.findByTestId('page-title');
  return { backend, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  toasts.shown = [];
  router.go(['overview']);
});

describe('the daily digest', () => {
  it('is told on the overview in its sentences and leads to all of it', async () => {
    const { user } = await open(['overview']);
    const card = await screen.findByRole('region', { name: 'Daily digest' });
    await waitFor(() => expect(card).toHaveTextContent('5 findings are new (1 critical, 4 high)'));
    await user.click(within(card).getByRole('link', { name: 'All of it' }));
    expect(await screen.findByRole('heading', { level: 1, name: 'Daily digest of 2026-11-21' })).toBeInTheDocument();
    const health = await screen.findByRole('region', { name: 'Health of instances' });
    expect(health).toHaveTextContent('Reauthenticate with a new one.');
    expect(within(health).getByRole('link')).toHaveAttribute('href', '#/applications/i-zoom');
    const found = screen.getByRole('region', { name: 'New findings' });
    expect(within(found).getAllByRole('listitem').map((line) => line.textContent)).toEqual([
      expect.stringMatching(/Critical.*Single sign-on is not enforced/s),
      expect.stringMatching(/High.*4 findings/s),
    ]);
  });

  it('is not shown beside simulated tenants, which are never in it', async () => {
    const mock = mockBackend();
    await open(['overview'], () => ({ overview: async (scope) => ({ ...(await mock.overview(scope)), sandbox: true }) }), mock);
    await screen.findByTestId('trend-toggle');
    expect(screen.queryByTestId('digest-card')).toBeNull();
  });

  it('keeps the days before, each at its own address, and only that of today is mailed', async () => {
    const mock = mockBackend();
    await mock.setMail(settings, 'secret');
    const { user } = await open(['digest'], () => ({}), mock);
    expect(await screen.findByTestId('digest-send')).toBeInTheDocument();
    const days = within(screen.getByRole('navigation', { name: 'Digests that are kept' }));
    expect(days.getByRole('link', { name: '2026-11-21' })).toHaveAttribute('aria-current', 'page');
    await user.click(days.getByRole('link', { name: '2026-11-20' }));
    await waitFor(() => expect(screen.getByTestId('digest-summary')).toHaveTextContent('Nothing else to tell'));
    expect(router.path).toEqual(['digest', '2026-11-20']);
    expect(screen.queryByTestId('digest-send')).toBeNull();
    expect(screen.getByTestId('digest-save')).toBeInTheDocument();
  });

  it('is saved as a page, and says why it could not be', async () => {
    const saveDigest = vi.fn<Backend['saveDigest']>().mockResolvedValueOnce('~/digest.html').mockResolvedValueOnce(null);
    const { user } = await open(['digest'], () => ({ saveDigest }));
    await user.click(await screen.findByTestId('digest-save'));
    expect(await screen.findByTestId('toast')).toHaveTextContent('~/digest.html');
    await user.click(screen.getByTestId('digest-save'));
    await waitFor(() => expect(saveDigest).toHaveBeenCalledTimes(2));
    expect(screen.getAllByTestId('toast')).toHaveLength(1);
    saveDigest.mockRejectedValueOnce({ code: 'E-EXPORT', sentence: 'The disk is full.', remedy: 'Make room.', field: null });
    await user.click(screen.getByTestId('digest-save'));
    expect(await screen.findByRole('alert')).toHaveTextContent('The disk is full.');
  });

  it('is sent where mail is set, and a refusal is told and kept', async () => {
    const mock = mockBackend();
    const { user } = await open(['digest'], () => ({}), mock);
    await user.click(await screen.findByTestId('digest-set-mail'));
    await waitFor(() => expect(router.path).toEqual(['settings']));
    cleanup();
    await mock.setMail(settings, 'secret');
    await open(['digest'], () => ({ sendDigest: () => Promise.reject(refusal) }), mock);
    await user.click(await screen.findByTestId('digest-send'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-MAIL-LOGIN');
    expect(screen.getByTestId('failure-kept')).toHaveTextContent('kept here');
    cleanup();
    await open(['digest'], () => ({ digest: async (day) => ({ ...(await mock.digest(day)), mail_failure: refusal }) }), mock);
    expect(await screen.findByTestId('digest-mail-failure')).toHaveTextContent('Not mailed');
    await user.click(screen.getByTestId('digest-send'));
    expect(await screen.findByTestId('toast')).toHaveTextContent('took the digest');
  });

  it('says what stands in the way of reading it, and where there is none yet', async () => {
    const gone: Failure = { code: 'E-NOT-FOUND', sentence: 'There is no digest of 2020-01-01.', remedy: 'Choose one of the list.', field: null };
    await open(['digest', '2020-01-01'], () => ({ digest: () => Promise.reject(gone) }));
    expect(await screen.findByRole('alert')).toHaveTextContent('There is no digest of 2020-01-01.');
    cleanup();
    await open(['digest'], () => ({}), mockBackend({ empty: true }));
    expect(await screen.findByTestId('digest-none')).toBeInTheDocument();
    expect(screen.getByTestId('digest-summary')).toHaveTextContent('Not made yet');
  });
});
