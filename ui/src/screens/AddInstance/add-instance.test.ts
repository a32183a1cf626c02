import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import App from '../../App.svelte';

const key = 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoiaG0ifQ.c2lnbmF0dXJl';

/** The mock, with a list of what it was asked, in order. */
function watched(): { backend: Backend; asked: [string, unknown[]][] } {
  const asked: [string, unknown[]][] = [];
  const backend = new Proxy(mockBackend({ pace: 0 }), {
    get(target, name) {
      const method = Reflect.get(target, name) as (...given: unknown[]) => unknown;
      return (...given: unknown[]) => {
        asked.push([String(name), given]);
        return method.apply(target, given);
      };
    },
  });
  return { backend, asked };
}

async function openDialog(slug = 'kustomer') {
  location.hash = `#/add-application/${slug}`;
  window.dispatchEvent(new HashChangeEvent('hashchange'));
  const { backend, asked } = watched();
  const user = userEvent.setup();
  const view = render(App, { backend });
  await user.click(await screen.findByTestId('add-instance'));
  await screen.findByTestId('add-instance-dialog');
  return { user, asked, view };
}

const of = (asked: [string, unknown[]][], name: string) => asked.filter(([method]) => method === name).map(([, given]) => given);

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
});

describe('Add Instance', () => {
  it('starts in the first empty field and ties every field to its label', async () => {
    await openDialog();
    await waitFor(() => expect(screen.getByTestId('instance-name')).toHaveFocus());
    expect(screen.getByLabelText(/^API Key/)).toBe(screen.getByTestId('field-api_key'));
    expect(screen.getByTestId('field-api_key')).toHaveAttribute('type', 'password');
    expect(screen.getByTestId('field-api_key')).toHaveAttribute('autocomplete', 'off');
  });

  it('says in a sentence what is wrong with a key, 400 ms after typing', async () => {
    const { user, asked } = await openDialog();
    await user.type(screen.getByTestId('field-api_key'), 'nonsense');
    expect(of(asked, 'checkField').filter(([, field]) => field === 'api_key')).toHaveLength(0);
    await waitFor(() => expect(screen.getByTestId('field-api_key-state')).toHaveTextContent(/three parts with dots/), { timeout: 2000 });
    expect(screen.getByTestId('field-api_key')).toHaveAttribute('aria-invalid', 'true');
    expect(screen.getByTestId('field-api_key').getAttribute('aria-describedby')).toBe(screen.getByTestId('field-api_key-state').id);
  });

  it('goes to the first field that is missing instead of connecting', async () => {
    const { user, asked } = await openDialog();
    await user.type(screen.getByTestId('instance-name'), 'Halden Moor');
    await user.click(screen.getByTestId('connect'));
    await waitFor(() => expect(screen.getByTestId('field-api_key')).toHaveFocus());
    expect(screen.getByTestId('field-api_key-state')).toHaveTextContent('API Key is missing.');
    expect(of(asked, 'connect')).toHaveLength(0);
  });

  it('refuses a name that another instance has', async () => {
    const { user, asked } = await openDialog();
    await user.type(screen.getByTestId('instance-name'), 'halden moor eu');
    await user.type(screen.getByTestId('field-api_key'), key);
    await user.click(screen.getByTestId('connect'));
    await waitFor(() => expect(screen.getByTestId('instance-name-state')).toHaveTextContent('There is already an instance called “halden moor eu”.'));
    expect(of(asked, 'connect')).toHaveLength(0);
  });

  it('shows a refused key with its code, and goes back to the field with everything kept', async () => {
    const { user, asked } = await openDialog();
    await user.type(screen.getByTestId('instance-name'), 'Halden Moor 2');
    await user.type(screen.getByTestId('field-api_key'), `${key}wrong`);
    await user.click(screen.getByTestId('connect'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-AUTH-REFUSED');
    expect(screen.getByTestId('failure-sentence')).toHaveTextContent('Kustomer refused the key (401).');
    expect(screen.getByTestId('failure-kept')).toHaveTextContent('Nothing was stored.');
    expect(screen.getByTestId('connect-step-sign_in')).toHaveAttribute('data-state', 'failed');
    await user.click(screen.getByTestId('connect-back'));
    expect(screen.getByTestId('field-api_key')).toHaveFocus();
    expect(screen.getByTestId('field-api_key')).toHaveValue(`${key}wrong`);
    expect(screen.getByTestId('instance-name')).toHaveValue('Halden Moor 2');
    expect(of(asked, 'closeDraft')).toHaveLength(0);
  });

  it('connects without the secret in the request, and wipes the field and the draft', async () => {
    const { user, asked } = await openDialog();
    await user.type(screen.getByTestId('instance-name'), 'Halden Moor 2');
    await user.type(screen.getByTestId('field-api_key'), key);
    await user.click(screen.getByTestId('field-region-eu'));
    await user.keyboard('{Control>}{Enter}{/Control}');
    expect(await screen.findByTestId('connect-done')).toHaveTextContent('9 findings opened');
    const [draft, request] = of(asked, 'connect')[0] ?? [];
    expect(request).toMatchObject({ app: 'kustomer', login: 'api-key', name: 'Halden Moor 2', inputs: [{ field: 'region', value: 'eu' }] });
    expect(JSON.stringify(request)).not.toContain(key);
    expect(screen.getByTestId('permission-audit-logs')).toHaveTextContent('Role missing');
    await waitFor(() => expect(of(asked, 'closeDraft')).toEqual([[draft]]));
    expect(screen.getByTestId('field-api_key')).toHaveValue('');
  });

  it('asks before it loses what was typed; then drops the value from page, address and draft', async () => {
    const { user, asked, view } = await openDialog();
    const field = screen.getByTestId<HTMLInputElement>('field-api_key');
    await user.type(field, key);
    await waitFor(() => expect(screen.getByTestId('field-api_key-state')).toHaveAttribute('data-state', 'right'), { timeout: 2000 });
    await user.keyboard('{Escape}');
    expect(screen.getByTestId('dialog-stay')).toHaveFocus();
    await user.click(screen.getByTestId('dialog-discard'));
    await waitFor(() => expect(screen.queryByTestId('add-instance-dialog')).toBeNull());
    expect(field.value).toBe('');
    expect(view.baseElement.innerHTML).not.toContain(key);
    expect(location.href).not.toContain(key);
    await waitFor(() => expect(of(asked, 'closeDraft')).toHaveLength(1));
  });

  it('keeps what two login options share and hands the secret to the new draft', async () => {
    const { user, asked } = await openDialog('github-enterprise');
    await user.type(screen.getByTestId('field-organization'), 'haldenmoor');
    await user.type(screen.getByTestId('field-token'), 'github_pat_11AAAAAAAAAAAAAAAAAAAAAA');
    await waitFor(() => expect(screen.getByTestId('field-token-state')).toHaveAttribute('data-state', 'right'), { timeout: 2000 });
    await user.click(screen.getByTestId('login-classic'));
    await waitFor(() => expect(of(asked, 'openDraft')).toEqual([['github-enterprise', 'token'], ['github-enterprise', 'classic']]));
    expect(screen.getByTestId('field-organization')).toHaveValue('haldenmoor');
    await waitFor(() => expect(screen.getByTestId('field-token-state')).toHaveAttribute('data-state', 'right'), { timeout: 2000 });
    expect(of(asked, 'closeDraft')).toHaveLength(1);
  });
});
