import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend, Failure, MailSettings } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import App from '../../App.svelte';

const SECRET = 'correct horse 4711';

async function open(change: (backend: Backend) => Partial<Backend> = () => ({}), mock = mockBackend()) {
  const sent: [MailSettings, string | null][] = [];
  const own = change(mock);
  const backend: Backend = {
    ...mock,
    jobs: () => Promise.resolve([]),
    ...own,
    setMail: (settings, password) => {
      sent.push([settings, password]);
      return (own.setMail ?? mock.setMail)(settings, password);
    },
  };
  router.go(['settings']);
  render(App, { backend });
  await screen.findByTestId('settings-digest');
  return { sent, backend, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  toasts.shown = [];
  router.go(['overview']);
});

describe('the digest in the settings', () => {
  it('is switched off and on, and its time is saved once it is one', async () => {
    const changeSettings = vi.fn<Backend['changeSettings']>((settings) => Promise.resolve(settings));
    const { user } = await open(() => ({ changeSettings }));
    const at = await screen.findByLabelText('Made at');
    expect(at).toHaveValue('07:00');
    await user.clear(at);
    await user.type(at, '18:30');
    await waitFor(() => expect(changeSettings).toHaveBeenLastCalledWith(expect.objectContaining({ digest_at: '18:30' })));
    await user.click(screen.getByRole('checkbox', { name: /Make a digest every day/ }));
    await waitFor(() => expect(changeSettings).toHaveBeenLastCalledWith(expect.objectContaining({ digest_at: null })));
    expect(screen.queryByLabelText('Made at')).toBeNull();
  });

  it('is mailed by what is typed; the password goes one way', async () => {
    const { sent, user } = await open();
    await user.click(await screen.findByTestId('mail-add'));
    const form = within(screen.getByRole('group', { name: 'Mail' }));
    await user.click(screen.getByTestId('mail-tls-starttls'));
    expect(form.getByLabelText('Port')).toHaveValue('587');
    await user.type(form.getByLabelText('Mail server'), 'mail.haldenmoor.example');
    expect(screen.queryByTestId('mail-password')).toBeNull();
    await user.type(screen.getByTestId('mail-user'), 'posture');
    await user.type(screen.getByTestId('mail-password'), SECRET);
    expect(screen.getByTestId('mail-password')).toHaveAttribute('type', 'password');
    await user.type(form.getByLabelText('From'), 'posture@haldenmoor.example');
    await user.type(form.getByLabelText('Recipients'), 'ada@haldenmoor.example\nbrian@haldenmoor.example');
    await user.click(screen.getByTestId('mail-save'));
    await waitFor(() => expect(sent).toHaveLength(1));
    const [settings, password] = sent[0] ?? [];
    expect(settings).toEqual({
      host: 'mail.haldenmoor.example',
      port: 587,
      tls: 'starttls',
      user: 'posture',
      from: 'posture@haldenmoor.example',
      recipients: ['ada@haldenmoor.example', 'brian@haldenmoor.example'],
      authorities_pem: '',
    });
    expect(password).toBe(SECRET);
    expect(await screen.findByTestId('mail-set')).toHaveTextContent('By mail.haldenmoor.example, port 587');
    expect(document.body.innerHTML).not.toContain(SECRET);

    // Changed without typing it again: the sealed one stays.
    await user.click(screen.getByTestId('mail-edit'));
    expect(screen.getByTestId('mail-password')).toHaveValue('');
    await user.clear(screen.getByTestId('mail-recipients'));
    await user.type(screen.getByTestId('mail-recipients'), 'ada@haldenmoor.example');
    await user.click(screen.getByTestId('mail-save'));
    await waitFor(() => expect(sent).toHaveLength(2));
    expect(sent[1]?.[1]).toBeNull();
    expect(await screen.findByTestId('mail-set')).not.toHaveTextContent('brian');

    await user.click(screen.getByTestId('mail-test'));
    expect(await screen.findByTestId('mail-tested')).toHaveTextContent('took the test mail for 1 recipient');
    await user.click(screen.getByTestId('mail-remove'));
    await waitFor(() => expect(screen.getByTestId('mail-remove-cancel')).toHaveFocus());
    await user.keyboard('{Enter}');
    await waitFor(() => expect(screen.getByTestId('mail-remove')).toHaveFocus());
    await user.keyboard('{Enter}');
    await user.click(await screen.findByTestId('mail-remove-confirm'));
    await waitFor(() => expect(screen.getByTestId('mail-add')).toHaveFocus());
  });

  it('says beside the field what is wrong, and nothing is lost', async () => {
    const { sent, user } = await open();
    await user.click(await screen.findByTestId('mail-add'));
    await user.type(screen.getByTestId('mail-host'), 'not a host');
    await user.clear(screen.getByTestId('mail-port'));
    await user.type(screen.getByTestId('mail-port'), '70000');
    await user.click(screen.getByTestId('mail-save'));
    await waitFor(() => expect(screen.getByTestId('mail-port')).toHaveAccessibleDescription(/70000 is no port/));
    expect(sent).toEqual([]);
    await user.clear(screen.getByTestId('mail-port'));
    await user.type(screen.getByTestId('mail-port'), '465');
    await user.click(screen.getByTestId('mail-save'));
    await waitFor(() => expect(screen.getByTestId('mail-host')).toHaveAccessibleDescription(/no name of a computer/));
    expect(screen.getByTestId('mail-host')).toHaveValue('not a host');
    await user.click(screen.getByTestId('mail-cancel'));
    expect(await screen.findByTestId('mail-add')).toBeInTheDocument();
  });

  it('tells why a test was not sent, and whom the server refused', async () => {
    const mock = mockBackend();
    const settings: MailSettings = { host: 'mail.example', port: 465, tls: 'implicit', user: '', from: 'p@haldenmoor.example', recipients: ['a@haldenmoor.example'], authorities_pem: '' };
    await mock.setMail(settings, null);
    const refused: Failure = { code: 'E-MAIL-NO-TLS', sentence: 'The mail server offers no TLS.', remedy: 'Use another port.', field: null };
    const testMail = vi.fn<Backend['testMail']>().mockRejectedValueOnce(refused).mockResolvedValueOnce({ recipients: 1, refused: ['b@haldenmoor.example (refused, 550)'] });
    const { user } = await open(() => ({ testMail }), mock);
    await user.click(await screen.findByTestId('mail-test'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-MAIL-NO-TLS');
    await user.click(screen.getByTestId('mail-test'));
    expect(await screen.findByTestId('mail-tested')).toHaveTextContent('It did not take it for b@haldenmoor.example (refused, 550).');
    expect(screen.queryByTestId('failure-code')).toBeNull();
  });
});
