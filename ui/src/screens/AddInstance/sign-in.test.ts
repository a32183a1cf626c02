import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';

const mfaKey = 'jbsw y3dp ehpk 3pxp';

/** The dialog of an application on a mock whose answers can be changed; `asked` is what it was asked. */
async function openDialog(slug: string, change: (backend: Backend) => Partial<Backend> = () => ({})) {
  router.go(['add-application', slug]);
  const mock = mockBackend({ pace: 0 });
  const asked: [string, unknown[]][] = [];
  const backend = new Proxy({ ...mock, ...change(mock) }, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...given: unknown[]) => unknown;
      return (...given: unknown[]) => {
        asked.push([String(name), given]);
        return method.apply(target, given);
      };
    },
  });
  const user = userEvent.setup();
  render(App, { backend });
  await user.click(await screen.findByTestId('add-instance'));
  await screen.findByTestId('add-instance-dialog');
  return { user, asked: (name: string) => asked.filter(([method]) => method === name).map(([, given]) => given) };
}

async function fillOkta(user: ReturnType<typeof userEvent.setup>, password = 'correct horse') {
  await user.click(screen.getByTestId('login-okta'));
  await user.type(screen.getByTestId('instance-name'), 'Halden Moor 2');
  await user.type(await screen.findByTestId('field-user'), 'reader@haldenmoor.example');
  await user.type(screen.getByTestId('field-password'), password);
  await user.type(screen.getByTestId('field-okta_domain'), 'haldenmoor');
  await user.type(screen.getByTestId('field-mfa_key'), mfaKey);
}

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
});

describe('signing in with Okta', () => {
  it('offers the recommended option first and forgets the secret of another one', async () => {
    const { user, asked } = await openDialog('customer-io');
    const cards = screen.getAllByRole('radio').filter((card) => card.dataset.testid?.startsWith('login-'));
    expect(cards.map((card) => card.dataset.testid)).toEqual(['login-service-account', 'login-okta', 'login-app-api-key']);
    expect(cards[0]).toHaveTextContent('Recommended');
    const token = screen.getByTestId<HTMLInputElement>('field-token');
    await user.type(token, 'sa_live_secret');
    await user.type(screen.getByTestId('instance-name'), 'Halden Moor 2');
    // Both options call their field `token`; they mean different things by it.
    await user.click(screen.getByTestId('login-app-api-key'));
    await waitFor(() => expect(screen.getByTestId('field-token')).toHaveValue(''));
    expect(token.value).toBe('');
    expect(screen.getByTestId('instance-name')).toHaveValue('Halden Moor 2');
    await waitFor(() => expect(asked('closeDraft')).toHaveLength(1));
  });

  it('reduces a pasted Okta address to its name and says where it signs in', async () => {
    const { user } = await openDialog('convo');
    await user.click(screen.getByTestId('field-okta_domain'));
    await user.paste('https://HaldenMoor.okta.com/app/UserHome');
    await user.tab();
    await waitFor(() => expect(screen.getByTestId('field-okta_domain')).toHaveValue('haldenmoor'));
    expect(screen.getByTestId('field-okta_domain-state')).toHaveTextContent('Signs in at haldenmoor.okta.com');
    expect(screen.getByTestId('guide-hosts')).toHaveTextContent('haldenmoor.okta.com');
    expect(screen.getByTestId('guide-hosts')).not.toHaveTextContent('Custom');
  });

  it('shows an address of another Okta family whole, without the suffix that would be wrong', async () => {
    const { user } = await openDialog('convo');
    const field = screen.getByTestId('field-okta_domain');
    await user.type(field, 'haldenmoor.oktapreview.com');
    await waitFor(() => expect(screen.getByTestId('field-okta_domain-state')).toHaveAttribute('data-state', 'right'), { timeout: 2000 });
    expect(field).toHaveValue('haldenmoor.oktapreview.com');
    expect(within(field.closest('.field-box') as HTMLElement).queryByText('.okta.com')).toBeNull();
  });

  it('asks for a domain of our own only behind its box, and forgets it when the box is unticked', async () => {
    const { user, asked } = await openDialog('convo');
    expect(screen.queryByTestId('field-okta_custom_domain')).toBeNull();
    const box = screen.getByTestId('field-okta_custom_domain-reveal');
    await user.click(box);
    await user.type(screen.getByTestId('field-okta_custom_domain'), 'login.haldenmoor.example');
    await waitFor(() => expect(screen.getByTestId('guide-hosts')).toHaveTextContent('login.haldenmoor.example'));
    await user.click(box);
    expect(screen.queryByTestId('field-okta_custom_domain')).toBeNull();
    expect(screen.getByTestId('guide-hosts')).not.toHaveTextContent('login.haldenmoor.example');
    await waitFor(() => expect(asked('checkField').at(-1)?.slice(1)).toEqual(['okta_custom_domain', '']));
  });

  it('shows the code of a right MFA key, and takes it away when the key is no longer right', async () => {
    const { user, asked } = await openDialog('convo', () => ({
      oneTimeCode: () => Promise.resolve({ code: '048213', seconds_left: 18, period: 30 }),
    }));
    const field = screen.getByTestId('field-mfa_key');
    await user.type(field, '123456');
    await waitFor(() => expect(screen.getByTestId('field-mfa_key-state')).toHaveTextContent('This is a code of six digits'), { timeout: 2000 });
    expect(screen.queryByTestId('field-mfa_key-code')).toBeNull();
    expect(asked('oneTimeCode')).toHaveLength(0);
    await user.clear(field);
    await user.type(field, mfaKey);
    expect(await screen.findByTestId('field-mfa_key-code-digits')).toHaveTextContent('048 213');
    expect(screen.getByTestId('field-mfa_key-code')).toHaveAttribute('data-left', '18');
    await user.type(field, '1');
    await waitFor(() => expect(screen.queryByTestId('field-mfa_key-code')).toBeNull(), { timeout: 2000 });
  });

  it('asks for the next code when the period ends', async () => {
    let codes = 0;
    const { user } = await openDialog('convo', () => ({
      oneTimeCode: () => Promise.resolve({ code: codes++ === 0 ? '111111' : '222222', seconds_left: 1, period: 30 }),
    }));
    await user.type(screen.getByTestId('field-mfa_key'), mfaKey);
    await waitFor(() => expect(screen.getByTestId('field-mfa_key-code-digits')).toHaveTextContent('222 222'), { timeout: 4000 });
  });

  it('lists the stages as they come, and counts down to the next code', async () => {
    const { user } = await openDialog('customer-io', () => ({
      connect: (_draft, _request, progress) => {
        const stage = (name: string, title: string, until: string | null = null): void =>
          progress({ kind: 'sign_in', stage: name, title, host: until ? '' : 'haldenmoor.okta.com', until });
        stage('organization', 'finding the organization');
        stage('password', 'user and password');
        stage('one_time_code', 'the one-time code');
        stage('one_time_code', 'waiting for the next one-time code', new Date(Date.now() + 12_000).toISOString());
        return new Promise(() => {});
      },
    }));
    await fillOkta(user);
    await user.click(screen.getByTestId('connect'));
    const stages = await screen.findByTestId('sign-in-stages');
    expect(within(stages).getAllByRole('listitem').map((line) => [line.dataset.testid, line.dataset.state])).toEqual([
      ['sign-in-stage-organization', 'done'],
      ['sign-in-stage-password', 'done'],
      ['sign-in-stage-one_time_code', 'running'],
    ]);
    expect(screen.getByTestId('sign-in-waiting')).toHaveTextContent(/waiting 1[012] s for the next code/);
    await waitFor(() => expect(screen.getByTestId('sign-in-waiting')).toHaveTextContent(/waiting (9|10) s/), { timeout: 4000 });
    expect(screen.getByTestId('connect-step-sign_in')).toHaveAttribute('data-state', 'running');
  });

  it('marks the stage that failed, and keeps what was typed', async () => {
    const { user, asked } = await openDialog('customer-io');
    await fillOkta(user, 'refused');
    await user.click(screen.getByTestId('connect'));
    expect(await screen.findByTestId('failure-sentence')).toHaveTextContent('E0000004, oaeX8Dbi1TT3S');
    expect(screen.getByTestId('sign-in-stage-password')).toHaveAttribute('data-state', 'failed');
    expect(screen.getByTestId('failure-kept')).toHaveTextContent('Nothing was stored.');
    expect(asked('closeDraft')).toHaveLength(1); // of the option that was there first
    await user.click(screen.getByTestId('connect-back'));
    expect(screen.getByTestId('field-password')).toHaveFocus();
    expect(screen.getByTestId('field-user')).toHaveValue('reader@haldenmoor.example');
    expect(screen.getByTestId('field-mfa_key')).toHaveValue(mfaKey);
  });
});

describe('what a login option reaches', () => {
  it('is what is asked for, once for all checks that want to know it', async () => {
    const { user, asked } = await openDialog('customer-io');
    await user.type(screen.getByTestId('question-customer-io.webhooks.https_known_host-hosts'), 'hooks.haldenmoor.example');
    expect(screen.queryByTestId('question-customer-io.exports.https_known_host-hosts')).toBeNull();
    expect(screen.queryByTestId('question-customer-io.app_webhooks.https_known_host-hosts')).toBeNull();
    await user.type(screen.getByTestId('field-token'), `sa_live_${'a1'.repeat(12)}`);
    await user.type(screen.getByTestId('instance-name'), 'Halden Moor 2');
    await user.click(screen.getByTestId('connect'));
    await screen.findByTestId('connect-done');
    const [request] = asked('connect').map(([, given]) => given as { answers: { check: string; value: string }[] });
    expect(request?.answers.map(({ check, value }) => [check, value])).toEqual([
      ['customer-io.webhooks.https_known_host', 'hooks.haldenmoor.example'],
      ['customer-io.exports.https_known_host', 'hooks.haldenmoor.example'],
    ]);
  });

  it('keeps an answer when another option is chosen', async () => {
    const { user } = await openDialog('customer-io');
    await user.type(screen.getByTestId('question-customer-io.webhooks.https_known_host-hosts'), 'hooks.haldenmoor.example');
    await user.click(screen.getByTestId('login-app-api-key'));
    expect(await screen.findByTestId('question-customer-io.app_webhooks.https_known_host-hosts')).toHaveValue('hooks.haldenmoor.example');
    expect(screen.queryByTestId('question-customer-io.users.external_domain-domains')).toBeNull();
  });

  it('alone is said to be missing when it was not read', async () => {
    const { user } = await openDialog('customer-io');
    await fillOkta(user);
    await user.click(screen.getByTestId('connect'));
    await screen.findByTestId('connect-done');
    expect(screen.getByTestId('permissions-elsewhere')).toHaveTextContent('2 datasets are read with another login option, App API key: Permission sets, Outbound webhooks.');
    expect(screen.queryByTestId('permission-role-groups')).toBeNull();
    expect(screen.getAllByTestId('permission-cause')).toHaveLength(1);
    await user.click(screen.getByTestId('open-instance'));
    expect(await screen.findByTestId('dataset-role-groups')).toHaveTextContent('Not reached');
    expect(screen.getByTestId('missing-audit-logs')).toBeInTheDocument();
    expect(screen.queryByTestId('missing-role-groups')).toBeNull();
  });
});

describe('signing in with Microsoft', () => {
  /** A console that waits in the browser until it is cancelled. */
  const waiting = (code: string | null) => (): Partial<Backend> => {
    let give: (reason: unknown) => void = () => {};
    let going = false;
    const job = { id: 'job-9', instance: '', title: 'Office 365, Halden Moor', done: 0, host: 'login.microsoftonline.com', elsewhere: null };
    return {
      connect: (_draft, _request, progress) => {
        going = true;
        progress({ kind: 'step', step: 'format', state: 'done', detail: '', milliseconds: 0 });
        progress({ kind: 'sign_in', stage: 'browser', title: 'signing in in the browser', host: 'login.microsoftonline.com', until: null });
        progress({ kind: 'visit', address: 'https://login.microsoftonline.com/common', code, until: new Date(Date.now() + 600_000).toISOString() });
        return new Promise((_done, reject) => (give = reject));
      },
      jobs: () => Promise.resolve(going ? [job] : []),
      cancel: () => {
        give({ code: 'E-CANCELLED', sentence: 'Stopped at your request.', remedy: '', field: null });
        return Promise.resolve();
      },
    };
  };

  it('shows the code to be typed elsewhere, opens the page, and can be cancelled', async () => {
    const { user, asked } = await openDialog('office-365', waiting('H7KM2QXTD'));
    await user.click(screen.getByTestId('login-device-code'));
    await user.type(screen.getByTestId('instance-name'), 'Halden Moor');
    await user.type(screen.getByTestId('field-tenant'), 'haldenmoor.example');
    await user.type(screen.getByTestId('field-client_id'), '11111111-2222-4333-8444-555555555555');
    await user.click(screen.getByTestId('connect'));
    expect(await screen.findByTestId('visit-code')).toHaveTextContent('H7KM2 QXTD');
    expect(screen.getByTestId('visit-left')).toHaveTextContent(/9:\d\d left|10:00 left/);
    expect(screen.getByTestId('connect-step-sign_in')).toHaveAttribute('data-state', 'running');
    await user.click(screen.getByTestId('visit-open'));
    expect(asked('openLink')).toEqual([['https://login.microsoftonline.com/common']]);
    await user.click(screen.getByTestId('visit-cancel'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-CANCELLED');
    expect(screen.queryByTestId('visit')).toBeNull();
    expect(asked('cancel')).toEqual([['job-9']]);
  });

  it('says what is not offered and why, and shows the guide with what was typed kept', async () => {
    const { user } = await openDialog('office-365');
    expect(screen.getByTestId('not-offered')).toHaveTextContent('Azure AD user with MFA secret key is not offered.');
    await user.type(screen.getByTestId('instance-name'), 'Halden Moor');
    await user.click(screen.getByTestId('guide-registration'));
    expect(screen.getByTestId('guide-part-certificate')).toBeInTheDocument();
    await user.click(screen.getByTestId('guide-way-entra_browser'));
    expect(screen.getByTestId('guide-part-public-client')).toHaveTextContent('http://localhost');
    expect(screen.queryByTestId('guide-part-certificate')).toBeNull();
    await user.click(screen.getByTestId('guide-back'));
    expect(screen.getByTestId('instance-name')).toHaveValue('Halden Moor');
    expect(screen.getByTestId('guide-registration')).toHaveFocus();
  });

  it('takes a certificate from a file, hidden until it is asked for', async () => {
    const { user, asked } = await openDialog('office-365');
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n';
    const field = screen.getByTestId<HTMLTextAreaElement>('field-pem');
    expect(field.tagName).toBe('TEXTAREA');
    expect(field.className).toContain('masked');
    await user.upload(screen.getByTestId('field-pem-file'), new File([pem], 'posture.pem'));
    await waitFor(() => expect(screen.getByTestId('field-pem-state')).toHaveAttribute('data-state', 'right'));
    expect(asked('checkField').some(([, name, value]) => name === 'pem' && value === pem)).toBe(true);
    await user.upload(screen.getByTestId('field-pem-file'), new File(['x'.repeat(70_000)], 'movie.pem'));
    expect(await screen.findByText(/larger than 64 kB/)).toBeInTheDocument();
    expect(field.value).toBe(pem);
  });
});

describe('the guide', () => {
  it('is a page of its own whose address says which way is read', async () => {
    router.go(['guides', 'azure-ad-client'], { way: 'entra_secret' });
    const user = userEvent.setup();
    render(App, { backend: mockBackend() });
    expect(await screen.findByTestId('page-title')).toHaveTextContent('Register an Azure AD client application');
    expect(screen.getByTestId('guide-part-secret')).toHaveTextContent('Copy the Value at once');
    expect(screen.getByTestId('guide-not-offered')).toBeInTheDocument();
    await user.click(screen.getByTestId('guide-way-entra_device_code'));
    await waitFor(() => expect(router.query.get('way')).toBe('entra_device_code'));
    expect(screen.getByTestId('guide-part-public-client')).toHaveTextContent('Allow public client flows');
  });
});
