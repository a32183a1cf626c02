import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend, Failure, InstanceChange } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import App from '../../App.svelte';
import { changeOf, fieldOf, startOf, undoing, undoOf } from './change';

async function open(id = 'i-kustomer', change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['applications', id]);
  render(App, { backend });
  await screen.findByTestId('panel-health');
  return { backend, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  toasts.shown = [];
  router.go(['overview']);
});

/** A backend that tells of every change it is asked for. */
function watched(sent: InstanceChange[]) {
  return (mock: Backend): Partial<Backend> => ({
    changeInstance: (id, change) => {
      sent.push(change);
      return mock.changeInstance(id, change);
    },
  });
}

describe('Edit', () => {
  it('changes an instance by the keyboard alone, asks for no secret, and can be undone', async () => {
    const sent: InstanceChange[] = [];
    const { user } = await open('i-kustomer', watched(sent));
    await user.keyboard('{F2}');
    const dialog = await screen.findByTestId('edit-dialog');
    await waitFor(() => expect(screen.getByTestId('change-name')).toHaveFocus());
    expect(dialog.querySelector('input[type=password]')).toBeNull();
    expect(within(dialog).queryByText(/key|token|secret/i, { selector: 'label' })).toBeNull();

    await user.keyboard('{Control>}a{/Control}Halden Moor UK');
    const owner = screen.getByTestId('change-owner');
    await user.clear(owner);
    await user.type(owner, 'P. Raman');
    await user.click(screen.getByTestId('schedule-off'));
    await waitFor(() => expect(screen.getByTestId('schedule-words')).toHaveTextContent('Only when somebody asks'));
    await user.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(sent).toHaveLength(1));
    expect(sent[0]).toMatchObject({ name: 'Halden Moor UK', owner: 'P. Raman', label: 'Production', schedule: { kind: 'off' }, route: { proxy: 'system' } });
    expect(sent[0]?.answers).toContainEqual({ check: 'kustomer.webhooks.known_host', param: 'hosts', value: 'hooks.haldenmoor.example' });
    await waitFor(() => expect(screen.queryByTestId('edit-dialog')).toBeNull());
    expect(screen.getByTestId('page-title')).toHaveTextContent('Halden Moor UK');

    await user.click(within(await screen.findByTestId('toast')).getByText('Undo'));
    await waitFor(() => expect(sent).toHaveLength(2));
    expect(sent[1]).toMatchObject({ name: 'Halden Moor EU', owner: 'J. Weil', schedule: { kind: 'cron', pattern: '30 7 * * 1-5' } });
    expect(sent[1]?.answers).toEqual(sent[0]?.answers);
    await waitFor(() => expect(screen.getByTestId('page-title')).toHaveTextContent('Halden Moor EU'));
  });

  it('shows the schedule that stands, and sends nothing while nothing differs', async () => {
    const { user } = await open();
    await user.click(screen.getByTestId('edit'));
    await waitFor(() => expect(screen.getByTestId('schedule-weekdays')).toHaveAttribute('aria-checked', 'true'));
    expect(screen.getByTestId('schedule-time')).toHaveValue('07:30');
    await waitFor(() => expect(screen.getByTestId('schedule-next')).toBeInTheDocument());
    expect(screen.getByTestId('change-save')).toHaveAttribute('aria-disabled', 'true');
    expect(screen.getByTestId('change-save')).toHaveAccessibleDescription('Nothing was changed.');
  });

  it('cannot be saved with a pattern that is none', async () => {
    const sent: InstanceChange[] = [];
    const { user } = await open('i-kustomer', watched(sent));
    await user.click(screen.getByTestId('edit'));
    await user.click(await screen.findByTestId('schedule-own'));
    const pattern = screen.getByTestId('schedule-pattern');
    await user.clear(pattern);
    await user.type(pattern, 'every day');
    await waitFor(() => expect(pattern).toHaveAttribute('aria-invalid', 'true'));
    expect(screen.getByTestId('change-save')).toHaveAccessibleDescription('The schedule is not one yet.');
    await user.keyboard('{Control>}{Enter}{/Control}');
    expect(sent).toEqual([]);
  });

  it.each<[string, string, () => Promise<HTMLElement>]>([
    ['name', 'Another instance is called so.', () => screen.findByTestId('change-name')],
    ['owner', 'An owner has at most 100 characters.', () => screen.findByTestId('change-owner')],
    ['proxy_url', 'A proxy’s address has no user name.', () => screen.findByTestId('route-proxy-url')],
    ['extra_roots_pem', 'This is no certificate.', () => screen.findByTestId('route-ca')],
    ['kustomer.webhooks.known_host.hosts', 'A host has no spaces.', () => screen.findByTestId('question-kustomer.webhooks.known_host-hosts')],
  ])('ties a failure of %s to its field, with the focus on it', async (field, sentence, find) => {
    const failure: Failure = { code: 'E-X', sentence, remedy: 'Correct it.', field };
    let broken = true;
    const { user } = await open('i-kustomer', (mock) => ({ changeInstance: (id, change) => (broken ? Promise.reject(failure) : mock.changeInstance(id, change)) }));
    await user.click(screen.getByTestId('edit'));
    if (field === 'proxy_url') {
      await user.click(screen.getByTestId('network-summary'));
      await user.selectOptions(screen.getByTestId('route-proxy'), 'manual');
      await user.type(screen.getByTestId('route-proxy-url'), 'http://me@proxy.example');
    } else await user.type(await screen.findByTestId('change-owner'), '!');
    await user.click(screen.getByTestId('change-save'));
    const wrong = await find();
    await waitFor(() => expect(wrong).toHaveFocus());
    expect(wrong).toHaveAccessibleDescription(`${sentence} Correct it.`);
    expect(screen.queryByTestId('failure')).toBeNull();
    // Whatever is typed there takes the sentence away.
    await user.type(wrong, 'x');
    await waitFor(() => expect(wrong).not.toHaveAccessibleDescription(`${sentence} Correct it.`));
    broken = false;
    await user.click(screen.getByTestId('dialog-close'));
    await user.click(await screen.findByTestId('dialog-discard'));
    await waitFor(() => expect(screen.queryByTestId('edit-dialog')).toBeNull());
  });

  it('says in the dialog what is the fault of no field, and that nothing was changed', async () => {
    const { user } = await open('i-kustomer', () => ({
      changeInstance: () => Promise.reject({ code: 'E-STORE-BUSY', sentence: 'Another console is writing.', remedy: 'Try again.', field: null }),
    }));
    await user.click(screen.getByTestId('edit'));
    await user.type(await screen.findByTestId('change-owner'), '!');
    await user.click(screen.getByTestId('change-save'));
    expect(await screen.findByTestId('failure-code')).toHaveTextContent('E-STORE-BUSY');
    expect(screen.getByTestId('failure-kept')).toHaveTextContent('Nothing was changed.');
    expect(screen.getByTestId('change-owner')).toHaveValue('J. Weil!');
  });

  it('says when what was changed could not be undone', async () => {
    let asked = 0;
    const { user } = await open('i-kustomer', (mock) => ({
      changeInstance: (id, change) => ((asked += 1) === 1 ? mock.changeInstance(id, change) : Promise.reject({ code: 'E-X', sentence: 'The disk is full.', remedy: 'Make room.', field: null })),
    }));
    await user.click(screen.getByTestId('edit'));
    await user.type(await screen.findByTestId('change-owner'), '!');
    await user.click(screen.getByTestId('change-save'));
    await user.click(within(await screen.findByTestId('toast')).getByText('Undo'));
    await waitFor(() => expect(screen.getByTestId('toast')).toHaveTextContent('It could not be undone. The disk is full.'));
  });

  it('asks nothing of a simulated tenant that it cannot have: no network, and no default schedule', async () => {
    const sandbox = (await mockBackend().instances('only'))[0];
    const { user } = await open(sandbox?.id ?? '');
    await user.click(screen.getByTestId('edit'));
    expect(await screen.findByTestId('change-name')).toBeInTheDocument();
    await waitFor(() => expect(screen.getByTestId('schedule-words')).toHaveTextContent('Only when somebody asks'));
    expect(screen.getByTestId('schedule-default')).toHaveAccessibleDescription(/follow no default/);
    expect(screen.queryByTestId('network')).toBeNull();
  });
});

describe('the page of an instance', () => {
  it('says its health, why, since when, and what to do', async () => {
    const { user } = await open('i-box');
    const card = within(screen.getByTestId('health-card'));
    expect(card.getByText('Down')).toBeInTheDocument();
    expect(card.getByTestId('health-cause')).toHaveTextContent('Box refused the token (401). It expired on 17 Nov.');
    expect(card.getByTestId('health-remedy')).toHaveTextContent('Create a new token in Box');
    expect(card.getByTestId('health-cause-kind')).toHaveTextContent('credential_refused');
    expect(card.getByTestId('health-last-success').querySelector('time')).not.toBeNull();
    await user.click(card.getByTestId('health-reauthenticate'));
    expect(await screen.findByTestId('replace-secret-dialog')).toBeInTheDocument();
  });

  it.each([
    ['i-okta', 'Up', 'read everything'],
    ['i-workday', 'Unknown', 'never scanned'],
  ])('says of %s that it is %s', async (id, word, why) => {
    await open(id);
    expect(screen.getByTestId('health-card')).toHaveTextContent(word);
    expect(screen.getByTestId('health-cause')).toHaveTextContent(why);
    expect(screen.queryByTestId('health-reauthenticate')).toBeNull();
  });

  it('tells scans of the schedule from those of a person', async () => {
    await open();
    const scans = screen.getByRole('region', { name: 'Scans' });
    expect(within(scans).getAllByText(/by schedule/)).toHaveLength(2);
    await waitFor(() => expect(within(scans).getByTestId('schedule-text')).toHaveTextContent('Monday through Friday'));
  });

  it('of which another process is at work says who, and offers neither Cancel nor Scan', async () => {
    const scan = vi.fn(() => Promise.resolve());
    const { user } = await open('i-zoom', () => ({ scan }));
    await waitFor(() => expect(screen.getByTestId('scan-now')).toHaveAccessibleDescription('ada, process 4242, is scanning it.'));
    expect(screen.queryByTestId('scan-cancel')).toBeNull();
    expect(screen.getByTestId('scan-progress')).toHaveTextContent('by ada, process 4242');
    expect(screen.getByTestId('health-cause')).toHaveTextContent('ada, process 4242, is scanning it. Only that process can cancel it.');
    await user.click(screen.getByTestId('scan-now'));
    await user.keyboard('{F5}');
    expect(scan).not.toHaveBeenCalled();
  });

  it('tells when the health of an instance turns, and leads there', async () => {
    let turned: ((turn: Parameters<Parameters<Backend['onTurned']>[0]>[0]) => void) | undefined;
    const { user } = await open('i-okta', () => ({ onTurned: (heard) => ((turned = heard), () => {}) }));
    const turn = { instance: 'i-kustomer', app_name: 'Kustomer', name: 'Halden Moor EU', at: '2026-11-22T06:00:00Z' };
    turned?.({ ...turn, before: null, after: 'up', cause: null });
    expect(screen.queryByTestId('toast')).toBeNull();
    turned?.({ ...turn, before: 'up', after: 'down', cause: { kind: 'credential_refused', sentence: 'Kustomer refused the key (401).', remedy: '' } });
    expect(await screen.findByTestId('toast')).toHaveTextContent('Halden Moor EU is Down: Kustomer refused the key (401).');
    await user.click(screen.getByText('Open'));
    await waitFor(() => expect(router.path).toEqual(['applications', 'i-kustomer']));
    turned?.({ ...turn, before: 'down', after: 'up', cause: null });
    expect(await screen.findByText('Halden Moor EU is Up.')).toBeInTheDocument();
  });
});

describe('a credential that nears its end', () => {
  it('is told, and leads to its instance', async () => {
    let ending: ((ending: Parameters<Parameters<Backend['onCredentialEnding']>[0]>[0]) => void) | undefined;
    const { user } = await open('i-okta', () => ({ onCredentialEnding: (heard) => ((ending = heard), () => {}) }));
    const end = { at: '2026-11-29T00:00:00Z', by: 'vendor', days_left: 7, soon: true } as const;
    ending?.({ instance: 'i-kustomer', app_name: 'Kustomer', name: 'Halden Moor EU', at: '2026-11-22T06:00:00Z', end });
    expect(await screen.findByTestId('toast')).toHaveTextContent('Halden Moor EU: the credential ends in 7 days.');
    await user.click(screen.getByText('Open'));
    await waitFor(() => expect(router.path).toEqual(['applications', 'i-kustomer']));
  });
});

describe('what a toast takes back', () => {
  it('is name, label, owner and schedule alone', async () => {
    const before = await mockBackend().instance('i-kustomer');
    const draft = startOf(before);
    draft.route = { proxy: 'none', proxy_url: '', extra_roots_pem: '' };
    expect(undoOf(before, changeOf(before, draft))).toBeNull();
    draft.label = 'Dev';
    const back = undoOf(before, changeOf(before, draft));
    expect(back).toEqual({ name: 'Halden Moor EU', label: 'Production', owner: 'J. Weil', schedule: before.instance.schedule });
    const now = { ...before, route: draft.route, instance: { ...before.instance, label: 'Dev' } };
    expect(back && undoing(now, back)).toMatchObject({ label: 'Production', route: { proxy: 'none' } });
  });

  it('knows the fields that the console may speak of', async () => {
    const page = await mockBackend().instance('i-kustomer');
    expect(fieldOf(page, 'pattern')).toBe('schedule');
    expect(fieldOf(page, 'kustomer.webhooks.known_host.hosts')).toBe('answer:kustomer.webhooks.known_host/hosts');
    expect(fieldOf(page, 'passphrase')).toBeNull();
    expect(fieldOf(page, null)).toBeNull();
  });
});
