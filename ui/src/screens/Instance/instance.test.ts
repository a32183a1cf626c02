import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import App from '../../App.svelte';
import type { Backend, CredentialEnd, InstanceChange } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { changeOf, differs, startOf } from './change';

async function open(tab: string, change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['applications', 'i-kustomer'], tab === 'health' ? {} : { tab });
  render(App, { backend });
  await screen.findByTestId(`panel-${tab}`);
  return { backend, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  router.go(['overview']);
});

describe('the end of a credential', () => {
  const ending = (end: CredentialEnd | null) => (mock: Backend) => ({
    instance: async (id: string) => {
      const page = await mock.instance(id);
      return { ...page, instance: { ...page.instance, credential: end } };
    },
  });
  const at = '2026-12-03T00:00:00Z';

  it('is told beside the last scan while there is time', async () => {
    await open('health', ending({ at, by: 'vendor', days_left: 200, soon: false }));
    expect(await screen.findByTestId('credential-end')).toHaveTextContent(/^Credential ends on .*, as Kustomer tells$/);
    expect(screen.queryByTestId('credential-ends')).toBeNull();
  });

  it('asks for a new one when it is near, and leads there', async () => {
    const { user } = await open('health', ending({ at, by: 'vendor', days_left: 12, soon: true }));
    const notice = await screen.findByTestId('credential-ends');
    expect(notice).toHaveTextContent('Credential ends in 12 days');
    expect(notice).toHaveTextContent('as Kustomer tells. Reauthenticate with a new credential');
    // Where the instance is not up its health has the button; there is one for it.
    expect(screen.queryByTestId('credential-reauthenticate')).toBeNull();
    await user.click(screen.getByTestId('health-reauthenticate'));
    expect(await screen.findByRole('dialog')).toBeInTheDocument();
    cleanup();
    const near = ending({ at, by: 'vendor', days_left: 12, soon: true });
    await open('health', (mock) => ({
      instance: async (id) => {
        const page = await (near(mock).instance ?? mock.instance)(id);
        return { ...page, instance: { ...page.instance, health: 'up', cause: null } };
      },
    }));
    expect(await screen.findByTestId('credential-reauthenticate')).toBeVisible();
    expect(screen.queryByTestId('health-reauthenticate')).toBeNull();
  });

  it('is said in words when it has come, and of what ends unused what keeps it', async () => {
    await open('health', ending({ at, by: 'certificate', days_left: 0, soon: true }));
    expect(await screen.findByTestId('credential-ends')).toHaveTextContent('Certificate has ended');
    cleanup();
    await open('health', ending({ at, by: 'unused', days_left: 1, soon: true }));
    expect(await screen.findByTestId('credential-ends')).toHaveTextContent(/ends in 1 day.*unless it is used before\. Scan the instance, which uses it/);
    cleanup();
    await open('health', ending({ at, by: 'unused', days_left: 60, soon: false }));
    await screen.findByTestId('health-card');
    expect(screen.queryByTestId('credential-ends') ?? screen.queryByTestId('credential-end'), 'nothing to do').toBeNull();
  });
});

describe('an instance', () => {
  it('shows what was not read, what it costs and what is never called', async () => {
    await open('health');
    expect(await screen.findByTestId('dataset-audit-logs')).toHaveTextContent('Unavailable');
    expect(screen.getByTestId('missing-audit-logs')).toHaveTextContent('stays Not evaluated');
    expect(screen.getByTestId('datasets')).toHaveTextContent('/v1/auth/customer/settings');
    expect(screen.getByTestId('datasets')).toHaveTextContent('Never called');
  });

  it('says which other instance reads the same account', async () => {
    await open('health', (mock) => ({ instance: async (id) => ({ ...(await mock.instance(id)), same_tenant_as: ['Lighthouse'] }) }));
    expect(await screen.findByTestId('same-tenant')).toHaveTextContent('Lighthouse reads the Kustomer account that this one reads');
    cleanup();
    await open('health');
    expect(screen.queryByTestId('same-tenant')).toBeNull();
  });

  it('lists its checks with the failed ones first and leads from one to its findings', async () => {
    const { user } = await open('checks');
    const table = await screen.findByTestId('checks-table');
    const [first] = screen.getAllByTestId('check-row');
    expect(within(first as HTMLElement).getByText('Fail')).toBeInTheDocument();
    table.focus();
    await user.keyboard('{Enter}');
    await waitFor(() => expect(router.path).toEqual(['findings']));
    expect(router.query.get('instance')).toBe('i-kustomer');
    expect(router.query.get('check')).toBe(first?.dataset.key);
  });

  it('is changed with everything that was not touched kept', async () => {
    const sent: InstanceChange[] = [];
    const { user } = await open('settings', (mock) => ({
      changeInstance: (id, change) => {
        sent.push(change);
        return mock.changeInstance(id, change);
      },
    }));
    await user.click(await screen.findByTestId('edit-settings'));
    expect(await screen.findByTestId('change-save')).toHaveAttribute('aria-disabled', 'true');
    const owner = screen.getByTestId('change-owner');
    await user.clear(owner);
    await user.type(owner, 'P. Raman');
    expect(screen.getByTestId('change-save')).not.toHaveAttribute('aria-disabled');
    await user.click(screen.getByTestId('change-save'));
    await waitFor(() => expect(sent).toHaveLength(1));
    expect(sent[0]).toMatchObject({ name: 'Halden Moor EU', owner: 'P. Raman', route: { proxy: 'system' } });
    expect(sent[0]?.answers).toContainEqual({ check: 'kustomer.webhooks.known_host', param: 'hosts', value: 'hooks.haldenmoor.example' });
  });

  it('cannot lose its name', async () => {
    const { user } = await open('settings');
    await user.click(await screen.findByTestId('edit'));
    await user.clear(await screen.findByTestId('change-name'));
    expect(screen.getByTestId('change-name-state')).toHaveTextContent('needs a name');
    expect(screen.getByTestId('change-save')).toHaveAttribute('aria-disabled', 'true');
  });

  it('is kept as a file before it is deleted, if somebody wants that', async () => {
    const answers = [null, { path: '/home/ada/posture-archive.json', findings: 12 }];
    const { user } = await open('settings', () => ({ archiveInstance: () => Promise.resolve(answers.shift() ?? null) }));
    await user.click(await screen.findByTestId('delete'));
    await user.click(await screen.findByTestId('delete-archive'));
    await waitFor(() => expect(answers).toHaveLength(1));
    expect(screen.getByTestId('delete-archived')).toHaveTextContent('It is not encrypted');
    await user.click(screen.getByTestId('delete-archive'));
    await waitFor(() => expect(screen.getByTestId('delete-archived')).toHaveTextContent('12 findings: /home/ada/posture-archive.json'));
  });

  it('is deleted only when its name was typed, and Enter does not destroy', async () => {
    const deleted = vi.fn();
    const { user } = await open('settings', (mock) => ({
      deleteInstance: (id, typed) => {
        deleted(id, typed);
        return mock.deleteInstance(id, typed);
      },
    }));
    await user.click(await screen.findByTestId('delete'));
    expect(await screen.findByTestId('delete-cancel')).toHaveFocus();
    await user.click(screen.getByTestId('delete-confirm'));
    const field = screen.getByTestId('delete-name');
    await user.type(field, 'Halden Moor{Enter}');
    expect(deleted).not.toHaveBeenCalled();
    await user.type(field, ' EU{Enter}');
    expect(deleted).not.toHaveBeenCalled();
    await user.click(screen.getByTestId('delete-confirm'));
    await waitFor(() => expect(deleted).toHaveBeenCalledExactlyOnceWith('i-kustomer', 'Halden Moor EU'));
    await waitFor(() => expect(router.path).toEqual(['applications']));
  });

  it('says why a scan failed and what was kept', async () => {
    const failure = { code: 'E-SIGN-IN-REFUSED', sentence: 'Kustomer refused the key (401).', remedy: 'Create a new key.', field: null };
    const { user } = await open('health', () => ({
      scan: (_id, heard) => {
        heard({ kind: 'failed', failure, kept: '412 rows to resume from' });
        return Promise.reject(failure);
      },
    }));
    await user.click(await screen.findByTestId('scan-now'));
    expect(await screen.findByTestId('failure-sentence')).toHaveTextContent('refused the key');
    expect(screen.getByTestId('failure-kept')).toHaveTextContent('412 rows');
    expect(screen.getByTestId('failure-code')).toHaveTextContent('E-SIGN-IN-REFUSED');
  });
});

describe('a change', () => {
  it('is one only when something differs, and an emptied answer is left out', async () => {
    const page = await mockBackend().instance('i-kustomer');
    const draft = startOf(page);
    expect(differs(page, draft)).toBe(false);
    draft.name = '  Halden Moor EU ';
    expect(differs(page, draft)).toBe(false);
    draft.answers['kustomer.webhooks.known_host/hosts'] = ' ';
    expect(differs(page, draft)).toBe(true);
    expect(changeOf(page, draft).answers).toEqual([]);
    expect(page.answers).toHaveLength(1);
  });
});

describe('an instance of before its application could be connected', () => {
  it('says so, and leads to where one is added by signing in', async () => {
    const mock = mockBackend({ pace: 0 });
    const added = await mock.addManualInstance({ app: 'sap-ariba', name: 'Halden Moor', label: 'Production', owner: '', product: 'SAP Ariba', console_url: '' });
    const page = await mock.instance(added.id);
    const { logins } = await mock.application('kustomer');
    const connected = { ...page, application: { ...page.application, logins } };
    router.go(['applications', added.id]);
    render(App, { backend: { ...mock, instance: () => Promise.resolve(connected) } });
    const user = userEvent.setup();
    expect(await screen.findByTestId('connect-anew')).toHaveTextContent('SAP Ariba can be connected now');
    expect(screen.queryByTestId('scan-now')).toBeNull();
    expect(screen.getByTestId('tab-manual')).toBeInTheDocument();
    await user.click(screen.getByTestId('connect-anew-add'));
    expect(router.path).toEqual(['add-application', 'sap-ariba']);
  });

  it('is not said of one that nobody can connect', async () => {
    const mock = mockBackend({ pace: 0 });
    const added = await mock.addManualInstance({ app: 'sap-ariba', name: 'Halden Moor', label: 'Production', owner: '', product: 'SAP Ariba', console_url: '' });
    router.go(['applications', added.id]);
    render(App, { backend: mock });
    expect(await screen.findByTestId('tab-manual')).toBeInTheDocument();
    expect(screen.getByTestId('instance-health')).toHaveTextContent('Manual');
    expect(screen.queryByTestId('connect-anew')).toBeNull();
  });
});
