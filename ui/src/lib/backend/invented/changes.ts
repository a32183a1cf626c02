import type {
  ChangeCounts,
  ChangedFinding,
  ChangeKind,
  ChangeQuery,
  Changes,
  Finding,
  Instance,
  PastPosture,
  PastQuery,
  RowChange,
  RowChangeList,
  ScanMark,
  SettingChanges,
  Slice,
} from '../backend';
import { ago } from './clock';
import { countBySeverity } from './findings';

const order: ChangeKind[] = ['newly_failing', 'fixed', 'gone', 'not_rechecked', 'still_failing', 'dismissed'];
const ranks: Record<Finding['severity'], number> = { critical: 4, high: 3, medium: 2, low: 1, info: 0 };

function kindOf(finding: Finding): ChangeKind {
  if (finding.state !== 'open') return finding.state;
  if (finding.new) return 'newly_failing';
  return finding.not_rechecked_since === null ? 'still_failing' : 'not_rechecked';
}

const fits = (scope: ChangeQuery['sandbox'], sandbox: boolean) => scope === 'with' || (scope === 'only') === sandbox;

function counts(rows: ChangedFinding[]): ChangeCounts {
  const of = (kind: ChangeKind) => countBySeverity(rows.filter((row) => row.kind === kind).map((row) => row.finding));
  return { newly_failing: of('newly_failing'), fixed: of('fixed'), gone: of('gone'), not_rechecked: of('not_rechecked'), still_failing: of('still_failing'), dismissed: of('dismissed') };
}

/** The scans of an instance, newest first; the last of them lost its rows. */
export function completeScans(instance: Instance): ScanMark[] {
  if (instance.last_scan === null) return [];
  const number = [...instance.id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) * 10;
  return [0, 1, 7, 40].map((days, index) => ({ scan: String(number - index), at: days === 0 ? (instance.last_scan ?? ago({})) : ago({ days }), dropped: days === 40 }));
}

/** What became of findings: those that are new opened, those that ended ended, whatever the span. */
export function changesOf(instances: Instance[], findings: Finding[], query: ChangeQuery): Changes {
  const shown = instances.filter((one) => (query.instances.length === 0 ? fits(query.sandbox, one.sandbox) : query.instances.includes(one.id)));
  const told: ChangedFinding[] = findings
    .filter((finding) => shown.some((one) => one.id === finding.instance))
    .map((finding) => ({ finding, kind: kindOf(finding), at: finding.ended_at ?? finding.last_seen }));
  const rows = told
    .filter((row) => (query.kinds.length === 0 || query.kinds.includes(row.kind)) && (query.severities.length === 0 || query.severities.includes(row.finding.severity)))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || ranks[b.finding.severity] - ranks[a.finding.severity]);
  const span = { from: ago({ days: 2, hours: 3 }), to: ago({}) };
  return {
    ...span,
    counts: counts(told),
    instances: shown.map((one) => {
      const [last = null, before = null] = completeScans(one);
      return {
        instance: one.id,
        name: one.name,
        app: one.app,
        app_name: one.app_name,
        sandbox: one.sandbox,
        ...span,
        counts: counts(told.filter((row) => row.finding.instance === one.id)),
        before: one.health === 'down' ? last : before,
        after: last,
      };
    }),
    total: rows.length,
    rows: rows.slice(query.slice.offset, query.slice.offset + query.slice.limit),
  };
}

const changedRows: Record<string, RowChange[]> = {
  'auth-settings': [
    {
      key: '',
      label: '',
      kind: 'changed',
      fields: [
        { path: 'kustomer.enabled', before: 'true', after: 'false' },
        { path: 'session.allowed_networks', before: null, after: JSON.stringify(Array.from({ length: 24 }, (_, index) => `10.20.${index}.0/24`)) },
      ],
    },
  ],
  users: Array.from({ length: 57 }, (_, index): RowChange => {
    const kind = index < 3 ? 'added' : index < 5 ? 'removed' : 'changed';
    return {
      key: `u-${index}`,
      label: `user-${index}@haldenmoor.example`,
      kind,
      fields: [{ path: 'roles', before: kind === 'added' ? null : '["agent"]', after: kind === 'removed' ? null : '["agent","admin"]' }],
    };
  }),
};

/** What differs between two scans: two datasets, one that was cut, one that is new. */
export function settingChanges(before: string, after: string): SettingChanges {
  const dropped = Number(before) % 10 === 7;
  const number = (dataset: string, kind: string) => (changedRows[dataset] ?? []).filter((row) => row.kind === kind).length;
  const of = (dataset: string, title: string) => ({
    dataset,
    title,
    compared: 'whole',
    cause: null,
    added: number(dataset, 'added'),
    removed: number(dataset, 'removed'),
    changed: number(dataset, 'changed'),
  });
  return {
    before: { scan: before, at: ago({ days: 1 }), dropped },
    after: { scan: after, at: ago({ hours: 1 }), dropped: false },
    cause: dropped
      ? { kind: 'retention', sentence: `The rows of scan ${before} were removed by retention.`, remedy: 'What became of the findings is still told. Compare later scans to see the settings.' }
      : null,
    datasets: dropped
      ? []
      : [
          of('auth-settings', 'Sign-in settings'),
          of('users', 'Users'),
          of('role-groups', 'Role groups'),
          { ...of('audit-logs', 'Audit log'), compared: 'both_sides', cause: { kind: 'rate_limit', sentence: 'Page 3 was not answered.', remedy: 'Scan again.' } },
          { ...of('webhooks', 'Outbound webhooks'), compared: 'only_after' },
        ],
  };
}

/** The rows of a dataset that differ. */
export function rowChanges(dataset: string, slice: Slice): RowChangeList {
  const rows = changedRows[dataset] ?? [];
  return { total: rows.length, rows: rows.slice(slice.offset, slice.offset + slice.limit) };
}

/** How things stood: as they stand, without what was found since; before 90 days nothing is known, before 30 no score. */
export function pastPosture(instances: Instance[], findings: Finding[], query: PastQuery): PastPosture {
  const { filter } = query;
  const at = `${query.day}T23:59:59.999Z`;
  const shown = instances.filter((one) => (filter.instances.length === 0 ? fits(filter.sandbox, one.sandbox) : filter.instances.includes(one.id)));
  const known = at >= ago({ days: 90 }) && shown.length > 0;
  const then = findings.filter((finding) => shown.some((one) => one.id === finding.instance) && finding.first_seen <= at && (finding.ended_at === null || finding.ended_at > at)).map((finding): Finding => ({ ...finding, state: 'open', ended_at: null }));
  const rows = known ? then.filter((finding) => filter.severities.length === 0 || filter.severities.includes(finding.severity)).sort((a, b) => ranks[b.severity] - ranks[a.severity]) : [];
  const kept = at >= ago({ days: 30 });
  return {
    day: query.day,
    at,
    open: known ? countBySeverity(then) : null,
    not_known: known ? [] : shown.map((one) => one.name),
    score: known && kept ? (shown.find((one) => one.score !== null)?.score ?? null) : null,
    score_cause: known && kept ? null : { kind: 'retention', sentence: 'The verdicts of that day were removed by retention, so the score is not known.', remedy: '' },
    total: rows.length,
    rows: rows.slice(query.slice.offset, query.slice.offset + query.slice.limit),
  };
}
