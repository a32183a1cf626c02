import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../../App.svelte';
import type { Backend, CheckParam, NewDismissal, NewLock } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import { emptyGrounds, faults, heldWords, later, latest, today, valueFault } from './decide';

async function open(change: (backend: Backend) => Partial<Backend> = () => ({}), query: Record<string, string> = {}) {
  const mock = mockBackend();
  const backend: Backend = { ...mock, ...change(mock) };
  router.go(['findings'], { state: 'open', ...query });
  render(App, { backend });
  const table = await screen.findByTestId('findings-table');
  const rows = await screen.findAllByTestId('finding-row');
  return { backend, table, rows, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  for (const { id } of toasts.shown) toasts.close(id);
  router.go(['overview']);
});

async function fill(user: ReturnType<typeof userEvent.setup>, reason = 'The vendor mends it in June.') {
  await user.type(await screen.findByTestId('dismiss-reason'), reason);
}

describe('dismissing', () => {
  it('asks for a reason, is done at once and can be undone from its toast', async () => {
    const { backend, rows, user } = await open();
    const [first] = rows;
    const id = first?.dataset.key ?? '';
    await user.click(first as HTMLElement);
    const pane = await screen.findByTestId('finding-pane');
    await user.click(await within(pane).findByTestId('dismiss'));
    await user.click(await screen.findByTestId('dismiss-done'));
    expect(await screen.findByText(/Write why the risk is accepted/)).toBeInTheDocument();
    expect(screen.getByTestId('dismiss-reason')).toHaveFocus();
    expect((await backend.finding(id)).finding.state).toBe('open');

    await fill(user);
    await user.click(screen.getByTestId('dismiss-done'));
    const note = await within(pane).findByTestId('decision-dismiss');
    expect(note).toHaveTextContent(/Dismissed until .+ It returns then, or earlier if the value changes\./);
    expect(note).toHaveTextContent('The vendor mends it in June.');
    expect(within(pane).queryByTestId('dismiss')).toBeNull();
    await user.click(await screen.findByRole('button', { name: 'Undo', hidden: false }));
    await waitFor(async () => expect((await backend.finding(id)).finding.state).toBe('open'));
    expect(await within(pane).findByTestId('dismiss')).toBeInTheDocument();
  });

  it('takes all that are selected, by the keyboard alone, and tells what could not be', async () => {
    const sent: NewDismissal[] = [];
    const { table, user } = await open((mock) => ({
      dismiss: async (dismissal) => {
        sent.push(dismissal);
        const answer = await mock.dismiss(dismissal);
        const [left] = answer.decisions.splice(0, 1);
        return { ...answer, refused: [{ finding: left ?? '', code: 'E-FINDING-ENDED', sentence: 'It is fixed or gone already.' }] };
      },
    }));
    table.focus();
    await user.keyboard('{ArrowDown} {ArrowDown} d');
    await fill(user);
    await user.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(sent).toHaveLength(1));
    expect(new Set(sent[0]?.findings).size).toBe(2);
    await waitFor(() => expect(toasts.shown.map(({ text }) => text).join()).toMatch(/1\sfinding\sdismissed until .+; 1\sis\snot: It is fixed or gone already\./));
    expect(screen.queryByTestId('findings-selected')).toBeNull();
  });

  it('gives the focus back to the table when the button of the selection is gone', async () => {
    const { table, user } = await open();
    table.focus();
    await user.keyboard('{ArrowDown} {ArrowDown} ');
    await user.click(screen.getByTestId('dismiss-selected'));
    await fill(user);
    await user.click(screen.getByTestId('dismiss-done'));
    await waitFor(() => expect(screen.queryByTestId('dismiss-reason')).toBeNull());
    await waitFor(() => expect(screen.getByTestId('findings-table')).toHaveFocus());
    expect(screen.queryByTestId('dismiss-selected')).toBeNull();
  });

  it('has a state of its own in the list', async () => {
    const { backend, rows } = await open();
    const id = rows[0]?.dataset.key ?? '';
    await backend.dismiss({ findings: [id], reason: 'Accepted.', approver: '', until: later(today(new Date()), 30) });
    cleanup();
    router.go(['findings'], { state: 'dismissed' });
    render(App, { backend });
    const [row, more] = await screen.findAllByTestId('finding-row');
    expect([row?.dataset.key, more]).toEqual([id, undefined]);
    expect(within(row as HTMLElement).getByRole('img', { name: /^Dismissed until/ })).toBeInTheDocument();
  });

  it('shows why the console refuses, where it belongs, and keeps what was typed', async () => {
    const { rows, user } = await open(() => ({
      dismiss: () => Promise.reject({ code: 'E-UNTIL', sentence: 'It holds for 365 days at most.', remedy: 'Choose another day.', field: 'until' }),
    }));
    await user.click(rows[0] as HTMLElement);
    await user.click(await screen.findByTestId('dismiss'));
    await fill(user, 'Accepted.');
    await user.click(screen.getByTestId('dismiss-done'));
    expect(await screen.findByText(/It holds for 365 days at most\./)).toBeInTheDocument();
    expect(screen.getByTestId('dismiss-reason')).toHaveValue('Accepted.');
  });
});

describe('the other decisions', () => {
  it('lock by a letter on the row, and unlock in the pane', async () => {
    const sent: NewLock[] = [];
    const { table, user } = await open((mock) => ({
      lockCheck: (wanted) => {
        sent.push(wanted);
        return mock.lockCheck(wanted);
      },
    }));
    table.focus();
    await user.keyboard('{ArrowDown}{Enter}');
    const pane = await screen.findByTestId('finding-pane');
    await within(pane).findByTestId('lock-value');
    table.focus();
    await user.keyboard('l');
    const note = await within(pane).findByTestId('decision-lock');
    expect(sent).toMatchObject([{ row: '', reason: '' }]);
    await user.click(within(note).getByTestId('undo-lock'));
    await waitFor(() => expect(within(pane).queryByTestId('decision-lock')).toBeNull());
    expect(pane).toHaveFocus();
  });

  it('override within the bounds only, with the recommended value beside it', async () => {
    const { rows, user } = await open();
    await user.click(rows[0] as HTMLElement);
    await user.click(await screen.findByTestId('override'));
    const field = await screen.findByTestId('override-value');
    expect(screen.getByText('From 1 to 168 hours. Recommended: 12.')).toBeInTheDocument();
    await user.clear(field);
    await user.type(field, '500');
    await user.type(screen.getByTestId('override-reason'), 'Our policy.');
    await user.click(screen.getByTestId('override-done'));
    expect(await screen.findByText('Type a whole number from 1 to 168.')).toBeInTheDocument();
    await user.clear(field);
    await user.type(field, '24');
    await user.click(screen.getByTestId('override-done'));
    expect(await screen.findByTestId('decision-override')).toHaveTextContent('max_hours 24');
    expect(screen.getByTestId('finding-recommended')).toHaveTextContent('overridden');
  });

  it('stop monitoring with an attestation that says something', async () => {
    const { rows, user } = await open();
    await user.click(rows[0] as HTMLElement);
    await user.click(await screen.findByTestId('more-decisions'));
    await user.click(await screen.findByTestId('menu-unmonitor'));
    const reason = await screen.findByTestId('unmonitor-reason');
    await user.type(reason, 'no');
    await user.click(screen.getByTestId('unmonitor-done'));
    expect(await screen.findByText(/at least 10 characters/)).toBeInTheDocument();
    await user.type(reason, 't needed: it is watched at the identity provider.');
    await user.click(screen.getByTestId('unmonitor-done'));
    expect(await screen.findByTestId('decision-unmonitor')).toHaveTextContent('Not monitored until');
  });

  it('stand in a list on their instance, with Undo', async () => {
    const { backend, rows, user } = await open();
    const { finding } = await backend.finding(rows[0]?.dataset.key ?? '');
    await backend.dismiss({ findings: [finding.id], reason: '<b>Accepted</b>', approver: 'Mei', until: later(today(new Date()), 30) });
    router.go(['applications', finding.instance], { tab: 'decisions' });
    const row = await screen.findByTestId('decision-row');
    expect(row).toHaveTextContent('<b>Accepted</b>');
    expect(row.querySelector('b')).toBeNull();
    await user.click(within(row).getByTestId('decision-undo'));
    expect(await screen.findByTestId('decisions-empty')).toBeInTheDocument();
    expect(screen.getByRole('group', { name: 'Decisions shown' })).toHaveFocus();
    await user.click(screen.getByRole('radio', { name: 'Ended' }));
    expect(await screen.findByTestId('decision-row')).toHaveTextContent('undone');
    router.go(['activity'], { tab: 'decisions' });
    await screen.findByTestId('decisions-empty');
    await user.click(screen.getByRole('radio', { name: 'Ended' }));
    expect(await screen.findByTestId('decision-row')).toHaveTextContent(finding.instance_name);
  });
});

describe('the words and bounds', () => {
  const now = new Date(2026, 10, 22, 23, 30);
  it('count days where the console stands', () => {
    expect(today(now)).toBe('2026-11-22');
    expect([later('2026-12-31', 1), latest(now)]).toEqual(['2027-01-01', '2027-11-22']);
    expect(heldWords({ kind: 'dismiss', until: '2027-02-21' }, now)).toMatch(/^Dismissed until 21\sFeb\s2027\. It returns then, or earlier if the value changes\.$/);
  });

  it('find what is wrong before it is sent', () => {
    const form = { ...emptyGrounds(now), reason: 'Accepted.' };
    expect(faults(form, 'dismiss', now)).toEqual({});
    expect(Object.keys(faults(form, 'unmonitor', now))).toEqual(['reason']);
    expect(Object.keys(faults({ ...form, until: '2026-11-21' }, 'dismiss', now))).toEqual(['until']);
    expect(Object.keys(faults({ ...form, until: '2027-11-23' }, 'dismiss', now))).toEqual(['until']);
    expect(Object.keys(faults({ reason: 'x'.repeat(1001), approver: 'y'.repeat(81), until: '' }, 'dismiss', now))).toEqual(['reason', 'approver', 'until']);
    const param: CheckParam = { param: 'days', label: 'Days', type: 'int', unit: 'days', min: 1, max: 90, recommended: '30', value: '30' };
    expect(['', '30', '0', '91', '1.5', '1e1', ' 60 '].map((value) => valueFault(param, value) === undefined)).toEqual([false, false, false, false, false, false, true]);
  });
});
