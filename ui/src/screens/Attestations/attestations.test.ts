import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend, FileToAttach, ManualCheck, NewAttestation } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';
import { emptyForm, faults } from './attest';
import { dueNow, fits, states, total, valueOf } from './manual-checks';

async function open(path: string[], query: Record<string, string> = {}, change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(path, query);
  render(App, { backend });
  await screen.findByTestId('page-title');
  return { backend, user: userEvent.setup() };
}
const rows = () => screen.getAllByTestId('manual-check-row').map((row) => row.dataset.key);

afterEach(() => {
  cleanup();
  document.body.innerHTML = '';
  router.go(['overview']);
});

describe('manual checks of an instance', () => {
  it('say where each stands, what is due first, and never show a verdict', async () => {
    await open(['applications', 'i-convo'], { tab: 'manual' });
    const table = await screen.findByTestId('manual-checks-table');
    expect(rows()).toEqual(['i-convo/convo.ip-ranges', 'i-convo/convo.two-factor', 'i-convo/convo.sso', 'i-convo/convo.password-expiry']);
    expect(screen.getByTestId('tab-manual')).toHaveTextContent('2 due');
    expect(screen.getByTestId('manual-checks-count')).toHaveTextContent('Attested by a person, not scanned; no part of the score.');
    expect(within(table).queryByText('Pass')).toBeNull();
    expect(within(table).queryByText('Fail')).toBeNull();
  });

  it('are narrowed down by state, and the filter is the address', async () => {
    await open(['applications', 'i-convo'], { tab: 'manual', state: 'expired,due' });
    await screen.findByTestId('manual-checks-table');
    expect(rows()).toEqual(['i-convo/convo.ip-ranges', 'i-convo/convo.two-factor']);
  });

  it('are attested by keyboard alone: answer, note, Ctrl Enter', async () => {
    const given: [NewAttestation, FileToAttach | null][] = [];
    const { user } = await open(['applications', 'i-convo'], { tab: 'manual' }, (mock) => ({
      attest: (attestation, file) => {
        given.push([attestation, file]);
        return mock.attest(attestation, file);
      },
    }));
    const table = await screen.findByTestId('manual-checks-table');
    table.focus();
    await user.keyboard('{ArrowDown}{Enter}');
    expect(await screen.findByTestId('attest-dialog')).toHaveTextContent('Two-factor authentication is required of every user');
    expect(router.query.get('check')).toBe('convo.two-factor');
    await waitFor(() => expect(screen.getByTestId('answer-met')).toHaveFocus());
    // Nothing is chosen for anyone: without an answer and a note nothing is sent.
    await user.keyboard('{Control>}{Enter}{/Control}');
    expect(screen.getByTestId('answer-state')).toHaveTextContent('Choose an answer.');
    expect(screen.getByTestId('attest-note-state')).toHaveTextContent('Write what you saw');
    expect(given).toHaveLength(0);
    await user.click(screen.getByTestId('answer-met'));
    await user.type(screen.getByTestId('attest-note'), 'Required for all users.');
    await user.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(given).toHaveLength(1));
    const [attestation, file] = given[0] ?? [];
    expect(attestation).toMatchObject({ instance: 'i-convo', check: 'convo.two-factor', answer: 'met', who: '', note: 'Required for all users.', remind_days: 30 });
    expect(file).toBeNull();
    await waitFor(() => expect(screen.queryByTestId('attest-dialog')).toBeNull());
    expect(router.query.get('check')).toBeNull();
    await waitFor(() => expect(screen.getByTestId('tab-manual')).toHaveTextContent('1 due'));
  });

  it('carry a file as it is, and refuse one that is too large', async () => {
    const given: (FileToAttach | null)[] = [];
    const { user } = await open(['applications', 'i-convo'], { tab: 'manual', check: 'convo.two-factor' }, (mock) => ({
      attest: (attestation, file) => {
        given.push(file);
        return mock.attest(attestation, file);
      },
    }));
    await screen.findByTestId('attest-dialog');
    const picker = screen.getByTestId('attest-attach-file');
    const large = new File(['x'], 'movie.mp4');
    Object.defineProperty(large, 'size', { value: 10 * 1024 * 1024 + 1 });
    await user.upload(picker, large);
    expect(await screen.findByText(/It was not taken/)).toBeInTheDocument();
    expect(screen.queryByTestId('attest-attach-name')).toBeNull();
    await user.upload(picker, new File(['%PDF-1.7 ü'], 'seen.pdf', { type: 'application/pdf' }));
    expect(await screen.findByTestId('attest-attach-name')).toHaveTextContent('seen.pdf');
    await user.click(screen.getByTestId('answer-not_met'));
    await user.type(screen.getByTestId('attest-note'), 'Optional only.');
    await user.click(screen.getByTestId('attest'));
    await waitFor(() => expect(given).toHaveLength(1));
    expect(given[0]).toMatchObject({ name: 'seen.pdf', media_type: 'application/pdf' });
    expect(new TextDecoder().decode(Uint8Array.from(atob(given[0]?.content ?? ''), (letter) => letter.charCodeAt(0)))).toBe('%PDF-1.7 ü');
  });

  it('say beside the field what the console refuses, with everything typed still there', async () => {
    const { user } = await open(['applications', 'i-convo'], { tab: 'manual', check: 'convo.two-factor' }, () => ({
      attest: () => Promise.reject({ code: 'E-ATTEST-VALID-UNTIL', sentence: 'This day is too late.', remedy: 'Choose an earlier one.', field: 'valid_until' }),
    }));
    await screen.findByTestId('attest-dialog');
    await user.click(screen.getByTestId('answer-met'));
    await user.type(screen.getByTestId('attest-note'), 'Seen.');
    await user.click(screen.getByTestId('attest'));
    await waitFor(() => expect(screen.getByTestId('attest-valid-until-state')).toHaveTextContent('This day is too late. Choose an earlier one.'));
    expect(screen.getByTestId('attest-note')).toHaveValue('Seen.');
  });

  it('are withdrawn with a reason only, and stay in the history', async () => {
    const { user } = await open(['applications', 'i-convo'], { tab: 'manual', check: 'convo.sso' });
    await user.click(await screen.findByTestId('withdraw'));
    await user.click(screen.getByTestId('withdraw-confirm'));
    expect(screen.getByTestId('withdraw-reason-state')).toHaveTextContent('Write why it no longer holds.');
    await user.type(screen.getByTestId('withdraw-reason'), 'Looked at the wrong network.');
    await user.click(screen.getByTestId('withdraw-confirm'));
    const history = await screen.findByTestId('attestation-history');
    await waitFor(() => expect(history).toHaveTextContent('Withdrawn by a.brandt'));
    expect(history).toHaveTextContent('Looked at the wrong network.');
    expect(screen.queryByTestId('withdraw')).toBeNull();
  });

  it('that are not met lead to a finding whose evidence is the attestation', async () => {
    const { user } = await open(['applications', 'i-convo'], { tab: 'manual', check: 'convo.password-expiry' });
    await user.click(await screen.findByTestId('attest-finding'));
    expect(await screen.findByTestId('finding-attestation')).toHaveTextContent('Attested, not scanned: A. Brandt, not met, until');
    expect(screen.getByTestId('finding-attestation')).toHaveTextContent('Passwords never end.');
    expect(screen.queryByText(/No row stands behind this verdict/)).toBeNull();
    expect(screen.getByTestId('finding-current')).toHaveTextContent('Not met');
    expect(within(screen.getByTestId('finding-pane')).queryByText('Fail')).toBeNull();
    expect(screen.getByTestId('finding-manual-check')).toHaveAttribute('href', '#/applications/i-convo?tab=manual&check=convo.password-expiry');
  });
});

describe('another application', () => {
  it('is added without a login, opens at its manual checks, and takes checks of its own', async () => {
    const { user } = await open(['add-application', 'other-application']);
    await user.click(await screen.findByTestId('add-instance'));
    await screen.findByTestId('add-manual-instance-dialog');
    await user.click(screen.getByTestId('manual-add'));
    expect(screen.getByTestId('manual-product-state')).toHaveTextContent('Name the product');
    await user.type(screen.getByTestId('manual-product'), 'Perplexity');
    await user.type(screen.getByTestId('manual-name'), 'Halden Moor');
    await user.type(screen.getByTestId('manual-console-url'), 'http://perplexity.example');
    await user.click(screen.getByTestId('manual-add'));
    expect(screen.getByTestId('manual-console-url-state')).toHaveTextContent('https://');
    await user.clear(screen.getByTestId('manual-console-url'));
    await user.type(screen.getByTestId('manual-console-url'), 'https://perplexity.example/settings');
    await user.click(screen.getByTestId('manual-add'));

    expect(await screen.findByTestId('manual-checks-empty')).toHaveTextContent('No check was written yet');
    expect(screen.getByTestId('instance-health')).toHaveTextContent('Manual');
    expect(screen.queryByTestId('scan-now')).toBeNull();
    expect(screen.queryByTestId('tab-health')).toBeNull();
    expect(screen.queryByTestId('tab-requests')).toBeNull();

    await user.click(screen.getByTestId('own-check-add'));
    await user.type(await screen.findByTestId('own-check-title'), 'Two-factor is required');
    await user.type(screen.getByTestId('own-check-steps'), 'Open Settings.{Enter}{Enter}Look at Security.');
    await user.click(screen.getByTestId('own-check-save'));
    expect(await screen.findByTestId('manual-check-row')).toHaveTextContent('Two-factor is required');

    const table = screen.getByTestId('manual-checks-table');
    table.focus();
    await user.keyboard('{Enter}');
    expect(within(await screen.findByTestId('attest-steps')).getAllByRole('listitem')).toHaveLength(2);
    // Worded otherwise, it is due again, and the old answer stands under the old question.
    await user.click(screen.getByTestId('answer-met'));
    await user.type(screen.getByTestId('attest-note'), 'Seen.');
    await user.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(screen.getByTestId('manual-check-row')).toHaveTextContent('Attested'));
    table.focus();
    await user.keyboard('{Enter}');
    expect(await screen.findByTestId('attestation-history')).not.toHaveTextContent('Asked then');
    await user.click(screen.getByTestId('own-check-edit'));
    await user.type(await screen.findByTestId('own-check-title'), ' of every user');
    await user.click(screen.getByTestId('own-check-save'));
    await waitFor(() => expect(screen.getByTestId('manual-check-row')).toHaveTextContent('Due'));
    screen.getByTestId('manual-checks-table').focus();
    await user.keyboard('{Enter}');
    const history = await screen.findByTestId('attestation-history');
    expect(history).toHaveTextContent('Asked otherwise');
    expect(history).toHaveTextContent('Asked then: Two-factor is required');
    await user.click(screen.getByTestId('own-check-edit'));
    await user.click(await screen.findByTestId('own-check-remove'));
    expect(screen.getByTestId('own-check-remove-cancel')).toHaveFocus();
    await user.click(screen.getByTestId('own-check-remove-confirm'));
    expect(await screen.findByTestId('manual-checks-empty')).toBeInTheDocument();

    await user.click(screen.getByTestId('tab-settings'));
    expect(await screen.findByTestId('change-product')).toHaveValue('Perplexity');
    expect(screen.queryByTestId('reauthenticate')).toBeNull();
  });

  it('is never scanned: neither by a letter nor, where there is no other, by Scan all', async () => {
    const scan = vi.fn(() => Promise.resolve());
    const other = mockBackend({ pace: 0, empty: true });
    const added = await other.addManualInstance({ app: 'other-application', name: 'Halden Moor', label: 'Default', owner: '', product: 'Perplexity', console_url: '' });
    const { user } = await open(['applications'], {}, () => ({ scan, instances: (scope) => other.instances(scope) }));
    const row = await screen.findByTestId('instance-row');
    expect(row.dataset.key).toBe(added.id);
    screen.getByTestId('instances-table').focus();
    await user.keyboard('s');
    expect(scan).not.toHaveBeenCalled();
    expect(screen.queryByTestId('scan-all')).toBeNull();
    expect(screen.getByTestId('add-application')).toBeInTheDocument();
  });
});

describe('attestations due', () => {
  it('are counted on the overview, beside the score, and listed over all instances', async () => {
    const { user } = await open(['overview']);
    const line = await screen.findByTestId('attestations-due');
    expect(line).toHaveTextContent('Attestations due: 2');
    expect(line).toHaveTextContent('no part of the score');
    await user.click(within(line).getByRole('link'));
    await waitFor(() => expect(router.path).toEqual(['attestations']));
    const table = await screen.findByTestId('manual-checks-table');
    expect(rows()).toEqual(['i-convo/convo.ip-ranges', 'i-convo/convo.two-factor']);
    table.focus();
    await user.keyboard('{Enter}');
    expect(await screen.findByTestId('attest-dialog')).toHaveTextContent('Access is limited to known networks');
    expect(router.path).toEqual(['applications', 'i-convo']);
  });

  it('say what to do where there are none', async () => {
    const none = { due: 0, attested: 0, due_soon: 0, expired: 0, withdrawn: 0 };
    await open(['attestations'], {}, () => ({ attestationsDue: () => Promise.resolve({ counts: none, rows: [] }) }));
    expect(await screen.findByTestId('attestations-other')).toBeInTheDocument();
    cleanup();
    await open(['attestations'], {}, () => ({ attestationsDue: () => Promise.resolve({ counts: { ...none, attested: 3 }, rows: [] }) }));
    expect(await screen.findByTestId('attestations-nothing-left')).toHaveTextContent('3 manual checks are attested');
  });
});

describe('a form', () => {
  const check = async (): Promise<ManualCheck> => {
    const [first] = (await mockBackend().attestations('i-convo')).rows;
    if (!first) throw new Error('there are manual checks');
    return first;
  };

  it('takes nothing over from what was attested before', async () => {
    const form = emptyForm(await check());
    expect(form).toMatchObject({ answer: '', who: '', note: '' });
  });

  it.each([
    [{ note: '' }, 'note'],
    [{ note: 'x'.repeat(4001) }, 'note'],
    [{ who: 'x'.repeat(81) }, 'who'],
    [{ validUntil: '2020-01-01' }, 'validUntil'],
    [{ validUntil: '2099-01-01' }, 'validUntil'],
    [{ validUntil: '21.11.2027' }, 'validUntil'],
    [{ answer: '' as const }, 'answer'],
  ])('with %j is not sent', async (change, field) => {
    const one = await check();
    const right = { ...emptyForm(one), answer: 'met' as const, note: 'Seen.' };
    const today = new Date().toISOString().slice(0, 10);
    expect(faults(right, one, today)).toEqual({});
    expect(Object.keys(faults({ ...right, ...change }, one, today))).toEqual([field]);
  });
});

describe('where checks stand', () => {
  it('counts an attestation in force as not due, and nothing twice', () => {
    const counts = { due: 1, attested: 4, due_soon: 2, expired: 3, withdrawn: 5 };
    expect(dueNow(counts)).toBe(9);
    expect(total(counts)).toBe(15);
  });

  it('sorts what needs looking at first and finds by every word', async () => {
    const { rows: list } = await mockBackend().attestations('i-convo');
    const order = list.map((check) => Number(valueOf(check, 'state')));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(states).toHaveLength(5);
    const filter = { text: 'single sign', state: [], severity: [] };
    expect(list.filter((check) => fits(check, filter)).map(({ check }) => check)).toEqual(['convo.sso']);
    expect(list.filter((check) => fits(check, { ...filter, severity: ['low'] }))).toEqual([]);
  });
});
