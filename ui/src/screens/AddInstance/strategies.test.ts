import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';
import { asksInBrowser } from './field-text';

const pem = ['-----BEGIN PRIVATE KEY-----', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', '-----END PRIVATE KEY-----', ''].join('\n');

/** The dialog of an application with six login options; `checked` is every value that was handed on. */
async function openDialog(change: Partial<Backend> = {}) {
  router.go(['add-application', 'salesforce']);
  const mock = mockBackend({ pace: 0 });
  const checked: [string, string][] = [];
  const checkField: Backend['checkField'] = (draft, field, value) => {
    checked.push([field, value]);
    return mock.checkField(draft, field, value);
  };
  render(App, { backend: { ...mock, checkField, ...change } });
  const user = userEvent.setup();
  await user.click(await screen.findByTestId('add-instance'));
  await screen.findByTestId('add-instance-dialog');
  return { user, checked };
}

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
});

describe('six login options', () => {
  it('stand close together, each with its sentence read out and only the chosen one’s to be seen', async () => {
    const { user } = await openDialog();
    const cards = screen.getAllByRole('radio').filter((card) => card.dataset.testid?.startsWith('login-'));
    expect(cards).toHaveLength(6);
    expect(cards[0]).toHaveTextContent('Recommended');
    for (const card of cards) expect(card).toHaveAccessibleDescription(/of 62\schecks/);
    const seen = () => [...document.querySelectorAll('.choice > p.text')].map((text) => text.textContent.replaceAll(/\s/g, ' '));
    expect(seen()).toEqual(['An app that signs in as one user with its private key. 62 of 62 checks.']);
    await user.click(screen.getByTestId('login-device'));
    expect(seen()).toEqual(['You type a short code at the vendor’s page, on any device. 62 of 62 checks.']);
  });

  it('say at the button when signing in goes on in the browser', async () => {
    const { user } = await openDialog();
    expect(screen.getByTestId('connect')).toHaveTextContent('Connect');
    for (const option of ['browser', 'browser-sandbox', 'device']) {
      await user.click(screen.getByTestId(`login-${option}`));
      expect(screen.getByTestId('connect')).toHaveTextContent('Sign in in the browser');
    }
    await user.click(screen.getByTestId('login-client'));
    expect(screen.getByTestId('connect')).toHaveTextContent('Connect');
    expect(['authorization_code', 'device_code', 'entra_browser', 'entra_device_code'].every((strategy) => asksInBrowser({ strategy }))).toBe(true);
    expect(['bearer', 'client_credentials', 'assertion', 'github_app', 'entra_certificate', 'okta'].some((strategy) => asksInBrowser({ strategy }))).toBe(false);
  });

  it('name what is not offered, and every host, also those that only the vendor’s answer names', async () => {
    await openDialog();
    expect(screen.getByTestId('not-offered')).toHaveTextContent('User name with password and security token is not offered.');
    expect(screen.getByTestId('guide-hosts')).toHaveTextContent('*.my.salesforce.com');
  });

  it('wait in the browser with a code, which can be typed by hand', async () => {
    const { user } = await openDialog();
    await user.click(screen.getByTestId('login-device'));
    await user.type(screen.getByTestId('instance-name'), 'Halden Moor 2');
    await user.type(screen.getByTestId('field-client_id'), '3MVG9HaldenMoor');
    await user.click(screen.getByTestId('connect'));
    expect(await screen.findByTestId('visit-code')).toHaveTextContent('WDJB');
    expect(screen.getByTestId('visit-address')).toHaveTextContent('login.salesforce.com/setup/connect');
    expect(await screen.findByTestId('connect-done', {}, { timeout: 15_000 })).toBeInTheDocument();
  });
});

describe('a private key', () => {
  it('takes several lines as they are, and says while typing what is wrong with them', async () => {
    const { user, checked } = await openDialog();
    const field = screen.getByTestId('field-private_key');
    expect(field.tagName).toBe('TEXTAREA');
    await user.click(field);
    await user.paste('-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n');
    await waitFor(() => expect(screen.getByTestId('field-private_key-state')).toHaveTextContent('This is a certificate.'), { timeout: 2000 });
    expect(field).toHaveAttribute('aria-invalid', 'true');
    await user.clear(field);
    await user.paste(pem);
    await waitFor(() => expect(screen.getByTestId('field-private_key-state')).toHaveAttribute('data-state', 'right'), { timeout: 2000 });
    expect(checked.findLast(([id]) => id === 'private_key')).toEqual(['private_key', pem]);
  });

  it('is read from a file, and forgotten with the login option', async () => {
    const { user, checked } = await openDialog();
    expect(screen.getByTestId('field-private_key-file')).toHaveAttribute('accept', expect.stringContaining('.pem'));
    await user.upload(screen.getByTestId('field-private_key-file'), new File([pem], 'desk.pem'));
    await waitFor(() => expect(screen.getByTestId('field-private_key-state')).toHaveAttribute('data-state', 'right'), { timeout: 2000 });
    expect(checked.findLast(([id]) => id === 'private_key')).toEqual(['private_key', pem]);
    await user.upload(screen.getByTestId('field-private_key-file'), new File(['x'.repeat(65 * 1024)], 'backup.pem'));
    expect(await screen.findByRole('alert')).toHaveTextContent('larger than 64 kB');
    expect(screen.getByTestId('field-private_key')).toHaveValue(pem);
    await user.click(screen.getByTestId('login-client'));
    await waitFor(() => expect(screen.queryByTestId('field-private_key')).toBeNull());
    expect(document.body.innerHTML).not.toContain('MIIEvQ');
  });

  it('of a key file comes with the file', async () => {
    const { user } = await openDialog();
    await user.click(screen.getByTestId('login-key-file'));
    expect(screen.getByTestId('field-file').tagName).toBe('TEXTAREA');
    await user.upload(screen.getByTestId('field-file-file'), new File(['{ "type": "authorized_user" }'], 'adc.json'));
    await waitFor(() => expect(screen.getByTestId('field-file-state')).toHaveTextContent('it has no private_key'), { timeout: 2000 });
    await user.upload(screen.getByTestId('field-file-file'), new File(['{ "private_key": "…" }'], 'desk.json'));
    await waitFor(() => expect(screen.getByTestId('field-file-state')).toHaveAttribute('data-state', 'right'), { timeout: 2000 });
  });
});
