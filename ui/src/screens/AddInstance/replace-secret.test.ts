import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';

/** *Reauthenticate* of an instance that signs in with this option. */
async function openDialog(login: string, change: (backend: Backend) => Partial<Backend> = () => ({}), app = 'customer-io', id = 'i-customer-io') {
  const mock = mockBackend({ pace: 0 });
  const backend: Backend = {
    ...mock,
    // The invented instances sign in with the first option of their application.
    instance: async (asked) => {
      const [page, application] = await Promise.all([mock.instance(asked), mock.application(app)]);
      const fields = application.logins.find((one) => one.id === login)?.fields ?? [];
      return {
        ...page,
        application,
        login,
        inputs: fields.filter((field) => !field.secret && field.id !== 'okta_custom_domain').map((field) => ({ field: field.id, value: field.default ?? (field.format === 'okta_domain' ? 'haldenmoor.okta.com' : 'reader@haldenmoor.example') })),
        secrets: fields.filter(({ secret }) => secret).map((field) => ({ field: field.id, set_at: '2026-11-12T09:00:00Z' })),
      };
    },
    ...change(mock),
  };
  router.go(['applications', id], { tab: 'settings' });
  render(App, { backend });
  const user = userEvent.setup();
  await user.click(await screen.findByTestId('reauthenticate'));
  await screen.findByTestId('replace-secret-dialog');
  return { user };
}

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
  router.go(['overview']);
});

describe('replacing what an instance signs in with', () => {
  it('asks for every secret of the option and for nothing else', async () => {
    const sent: string[] = [];
    const { user } = await openDialog('okta', (mock) => ({
      replaceSecret: (draft, instance, progress) => {
        sent.push(instance);
        return mock.replaceSecret(draft, instance, progress);
      },
    }));
    expect(screen.getByTestId('field-password')).toBeInTheDocument();
    expect(screen.getByTestId('field-mfa_key')).toBeInTheDocument();
    expect(screen.queryByTestId('field-user')).toBeNull();
    expect(screen.queryByTestId('field-okta_custom_domain-reveal')).toBeNull();
    await user.type(screen.getByTestId('field-password'), 'correct horse');
    await user.click(screen.getByTestId('replace'));
    await waitFor(() => expect(screen.getByTestId('field-mfa_key-state')).toHaveTextContent('MFA Secret Key is missing.'));
    expect(sent).toEqual([]);
    await user.type(screen.getByTestId('field-mfa_key'), 'JBSWY3DPEHPK3PXP');
    await user.click(screen.getByTestId('replace'));
    await waitFor(() => expect(screen.queryByTestId('replace-secret-dialog')).toBeNull());
    expect(sent).toEqual(['i-customer-io']);
  });

  it('says at which stage it failed, and that the earlier values still hold', async () => {
    const { user } = await openDialog('okta');
    await user.type(screen.getByTestId('field-password'), 'refused');
    await user.type(screen.getByTestId('field-mfa_key'), 'JBSWY3DPEHPK3PXP');
    await user.click(screen.getByTestId('replace'));
    expect(await screen.findByTestId('failure-sentence')).toHaveTextContent('E0000004');
    expect(screen.getByTestId('sign-in-stage-password')).toHaveAttribute('data-state', 'failed');
    expect(screen.getByTestId('failure-kept')).toHaveTextContent('What was stored before is still in force.');
    expect(screen.getByTestId('field-mfa_key')).toHaveValue('JBSWY3DPEHPK3PXP');
  });

  it('does not say that the earlier values hold once the new ones signed in', async () => {
    const failure = { code: 'E-SCAN', sentence: 'The scan stopped.', remedy: '', field: null };
    const { user } = await openDialog('okta', () => ({
      replaceSecret: (_draft, _instance, progress) => {
        progress({ kind: 'step', step: 'sign_in', state: 'done', detail: '', milliseconds: 1 });
        progress({ kind: 'failed', failure, kept: 'The last complete scan still counts.' });
        return Promise.reject(failure);
      },
    }));
    await user.type(screen.getByTestId('field-password'), 'correct horse');
    await user.type(screen.getByTestId('field-mfa_key'), 'JBSWY3DPEHPK3PXP');
    await user.click(screen.getByTestId('replace'));
    expect(await screen.findByTestId('failure-kept')).toHaveTextContent('The last complete scan still counts.');
  });

  it('signs in anew where nothing is secret, and shows what to do in the browser', async () => {
    const { user } = await openDialog(
      'device-code',
      () => ({
        replaceSecret: (_draft, _instance, progress) => {
          progress({ kind: 'sign_in', stage: 'browser', title: 'signing in in the browser', host: '', until: null });
          progress({ kind: 'visit', address: 'https://microsoft.com/devicelogin', code: 'H7KM2QXTD', until: new Date(Date.now() + 60_000).toISOString() });
          return new Promise(() => {});
        },
      }),
      'office-365',
    );
    expect(screen.getByTestId('replace')).toHaveTextContent('Sign in again');
    await user.click(screen.getByTestId('replace'));
    expect(await screen.findByTestId('visit-code')).toHaveTextContent('H7KM2 QXTD');
  });
});
