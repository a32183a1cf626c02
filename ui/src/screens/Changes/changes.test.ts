import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../../App.svelte';
import type { Backend, ChangeQuery, PastQuery } from '$lib/backend/backend';
import { ago } from '$lib/backend/invented/clock';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import { localDay, presetOf, readMoment, readView, writeMoment, writeView, type View } from './span';

const read = (query: string, alone = false): View => readView(new URLSearchParams(query), alone);

describe('a span and its address', () => {
  it('are the same thing, whatever is looked at', () => {
    for (const query of ['', 'from=last-scan', 'from=7d&kind=fixed', 'from=2026-11-01&to=2026-11-07', 'from=12&to=15&instance=i', 'day=2026-11-01&severity=high', 'sandbox=with']) {
      for (const alone of [false, true]) expect(read(new URLSearchParams(writeView(read(query, alone), alone)).toString(), alone)).toEqual(read(query, alone));
    }
    for (const text of ['now', 'last-visit', 'last-scan', '30d', '2026-11-01', '12']) expect(writeMoment(readMoment(text) ?? { kind: 'days_ago', days: 0 })).toBe(text);
  });

  it('leave out what does not exist', () => {
    expect(read('from=yesterday&to=last-scan&day=2026-02-30&kind=better,fixed&severity=worst')).toEqual({ ...read(''), kinds: ['fixed'] });
  });

  it('have the name that they were chosen by', () => {
    expect(['', 'from=last-scan', 'from=30d', 'from=3d', 'from=7d&to=2026-11-07', 'from=3&to=4', 'day=2026-11-01'].map((query) => presetOf(read(query)))).toEqual([
      'last-visit',
      'last-scan',
      '30d',
      'dates',
      'dates',
      'scans',
      'day',
    ]);
  });
});

async function open(query: Record<string, string> = {}, change: (backend: Backend) => Partial<Backend> = () => ({}), invented = {}) {
  const mock = mockBackend(invented);
  const asked: ChangeQuery[] = [];
  const backend: Backend = {
    ...mock,
    changes: (query) => {
      asked.push(query);
      return mock.changes(query);
    },
    ...change(mock),
  };
  router.go(['changes'], query);
  render(App, { backend });
  await screen.findByRole('heading', { name: 'Changes' });
  return { backend, asked, user: userEvent.setup() };
}
afterEach(() => {
  cleanup();
  router.go(['overview']);
});

describe('the changes', () => {
  it('are counted, and each count is a filter that stands in the address', async () => {
    const { asked, user } = await open();
    const counter = await screen.findByTestId('changes-fixed');
    const number = Number(/\d+/.exec(counter.textContent)?.[0]);
    expect(number).toBeGreaterThan(0);
    await user.click(counter);
    await waitFor(() => expect(screen.getByTestId('changes-count')).toHaveTextContent(`${number} finding`));
    expect(router.query.get('kind')).toBe('fixed');
    expect(screen.getByTestId('changes-fixed')).toHaveAttribute('aria-pressed', 'true');
    expect(asked.at(-1)).toMatchObject({ from: { kind: 'last_visit' }, to: { kind: 'now' }, kinds: ['fixed'], sandbox: 'without' });
    for (const row of screen.getAllByTestId('change-row')) expect(row).toHaveTextContent('Fixed');
    await user.click(screen.getByTestId('changes-fixed'));
    await waitFor(() => expect(router.query.get('kind')).toBeNull());
  });

  it('say which instances nobody looked at in this time', async () => {
    await open();
    expect(await screen.findByTestId('changes-unscanned')).toHaveTextContent('not known');
  });

  it('lead from a row to the finding', async () => {
    const { user } = await open();
    (await screen.findByTestId('changes-table')).focus();
    await screen.findAllByTestId('change-row');
    await user.keyboard('{Enter}');
    await waitFor(() => expect(router.path).toEqual(['findings']));
    expect(await screen.findByTestId('finding-pane')).toBeInTheDocument();
  });

  it('are told of another span, of two scans of one instance too', async () => {
    const { asked, user } = await open();
    await user.selectOptions(await screen.findByTestId('changes-span'), '7d');
    await waitFor(() => expect(asked.at(-1)?.from).toEqual({ kind: 'days_ago', days: 7 }));
    await user.selectOptions(screen.getByTestId('changes-span'), 'scans');
    await waitFor(() => expect(asked.at(-1)?.from.kind).toBe('scan'));
    const last = asked.at(-1);
    expect(last?.instances).toHaveLength(1);
    expect(last?.from).not.toEqual(last?.to);
    expect(asked.some((query) => query.from.kind === 'scan' && query.from.scan === '0')).toBe(false);
    expect(router.query.get('instance')).toBe(last?.instances[0]);
  });

  it('between two scans are not known of an instance that has none', async () => {
    const { asked } = await open({ instance: 'i-kustomer', from: '0' }, () => ({ completeScans: () => Promise.resolve([]) }));
    expect(await screen.findByTestId('changes-no-scan')).toHaveTextContent(/is not known.*has not been scanned whole yet/);
    // The sidebar counts what changed since the last visit; of no scans nothing is asked.
    expect(asked.filter(({ from }) => from.kind === 'scan')).toEqual([]);
  });

  it('of settings are told by dataset, row and field, and what was not compared with its cause', async () => {
    const { user } = await open({ tab: 'settings', instance: 'i-kustomer' });
    const card = await screen.findByTestId('setting-changes');
    const dataset = await within(card).findByTestId('dataset-auth-settings');
    expect(dataset).toHaveAttribute('aria-expanded', 'false');
    await user.click(dataset);
    const [first, second] = await within(card).findAllByTestId('field-change');
    expect(first).toHaveTextContent('kustomer.enabledtruefalse');
    expect(second).toHaveTextContent('nothing');
    expect(second?.querySelector('details')).not.toHaveAttribute('open');
    expect(within(card).getAllByTestId('settings-partly').map((note) => note.textContent)).toEqual([expect.stringContaining('Page 3 was not answered.'), expect.stringContaining('only the later scan has it')]);
    await user.click(within(card).getByTestId('dataset-users'));
    expect((await within(card).findAllByTestId('row-change')).length).toBe(51);
    await user.click(within(card).getByTestId('rows-more'));
    await waitFor(() => expect(within(card).getAllByTestId('row-change')).toHaveLength(58));
    expect(within(card).queryByTestId('rows-more')).toBeNull();
  });

  it('of rows that retention removed are said not to be known', async () => {
    await open({ tab: 'settings', instance: 'i-kustomer' }, () => ({
      settingChanges: async (before, after) => ({
        before: { scan: before, at: ago({ days: 40 }), dropped: true },
        after: { scan: after, at: ago({}), dropped: false },
        cause: { kind: 'retention', sentence: 'The rows of scan 7 were removed by retention.', remedy: 'Compare later scans.' },
        datasets: [],
      }),
    }));
    expect(await screen.findByTestId('settings-dropped')).toHaveTextContent('removed by retention');
    expect(screen.queryByTestId('settings-same')).toBeNull();
  });

  it('tell a failure where it happened, and ask again', async () => {
    let broken = true;
    const { user } = await open({}, (mock) => ({
      changes: (query) => (broken && query.slice.limit > 0 ? Promise.reject({ code: 'E-SPAN', sentence: 'Nothing lies between.', remedy: 'Exchange the two.', field: null }) : mock.changes(query)),
    }));
    expect(await screen.findByText('Nothing lies between.')).toBeInTheDocument();
    broken = false;
    await user.click(screen.getByRole('button', { name: /again/i }));
    expect(await screen.findByTestId('changes-table')).toBeInTheDocument();
  });

  it('begin with the first application', async () => {
    await open({}, () => ({}), { empty: true });
    expect(await screen.findByTestId('changes-nothing-yet')).toBeInTheDocument();
  });
});

describe('a past day', () => {
  it('is shown as it was, by severity, with its score', async () => {
    const asked: PastQuery[] = [];
    const day = localDay(new Date(Date.now() - 5 * 86_400_000));
    const { user } = await open({ day }, (mock) => ({
      postureAt: (query) => {
        asked.push(query);
        return mock.postureAt(query);
      },
    }));
    expect(await screen.findByTestId('past-score')).toHaveTextContent(/Score \d+/);
    expect(asked.at(-1)).toMatchObject({ day, filter: { states: ['open'], sandbox: 'without' } });
    await user.click(screen.getByTestId('past-critical'));
    await waitFor(() => expect(asked.at(-1)?.filter.severities).toEqual(['critical']));
    expect(router.query.get('severity')).toBe('critical');
  });

  it('of which nothing is known is not shown as calm', async () => {
    await open({ day: '2020-01-01' });
    expect(await screen.findByTestId('past-unknown')).toHaveTextContent('Nothing is known of that day');
    expect(screen.queryByTestId('past-table')).toBeNull();
  });

  it('whose verdicts were removed has findings, and no score', async () => {
    await open({ day: localDay(new Date(Date.now() - 60 * 86_400_000)) });
    expect(await screen.findByTestId('past-score')).toHaveTextContent('Score not known');
  });
});

describe('the dashboard', () => {
  it('leads from each number of what changed to the changes, and from a day to how it was', async () => {
    const mock = mockBackend();
    router.go(['overview']);
    render(App, { backend: mock });
    const user = userEvent.setup();
    await user.click(await screen.findByTestId('since-pass'));
    await waitFor(() => expect(router.path).toEqual(['changes']));
    expect(router.query.get('kind')).toBe('fixed');
    router.go(['overview']);
    await user.click(await screen.findByTestId('trend-toggle'));
    const days = within(await screen.findByTestId('trend-table')).getAllByRole('link');
    await user.click(days[0] as HTMLElement);
    await waitFor(() => expect(router.query.get('day')).not.toBeNull());
    expect(router.path).toEqual(['changes']);
  });
});
