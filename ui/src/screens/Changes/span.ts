/**
 * What the Changes screen shows, as its address says it: `?from=7d&kind=fixed&instance=…`, or `?day=2026-11-01` for how things
 * stood on a past day. Moments are spelled as the terminal spells them.
 */
import type { ChangeCounts, ChangeKind, ChangeQuery, Moment, SandboxScope, Severity, SeverityCounts } from '$lib/backend/backend';
import { severities } from '$lib/components/names';

/** Span and filters. */
export interface View {
  /** How things stood at the end of this day, instead of what changed. */
  day: string | null;
  from: Moment;
  to: Moment;
  /** Id of the one instance that is looked at; empty for all. */
  instance: string;
  kinds: ChangeKind[];
  severities: Severity[];
  sandbox: SandboxScope;
}

/** What became of a finding, in the order in which it is counted. */
export const kinds: { id: ChangeKind; words: string; verdict: string }[] = [
  { id: 'newly_failing', words: 'Newly failing', verdict: 'fail' },
  { id: 'fixed', words: 'Fixed', verdict: 'pass' },
  { id: 'gone', words: 'Gone', verdict: 'not_applicable' },
  { id: 'not_rechecked', words: 'Not re-checked', verdict: 'not_evaluated' },
  { id: 'still_failing', words: 'Still failing', verdict: 'fail' },
  { id: 'dismissed', words: 'Dismissed', verdict: 'not_applicable' },
];

/** Spans that have a name. */
export const presets = [
  { id: 'last-visit', label: 'Since the last visit' },
  { id: 'last-scan', label: 'By the last scan of each instance' },
  { id: '7d', label: 'Last 7 days' },
  { id: '30d', label: 'Last 30 days' },
  { id: 'dates', label: 'Between two dates' },
  { id: 'scans', label: 'Between two scans' },
  { id: 'day', label: 'As it was on a past day' },
] as const;
export type Preset = (typeof presets)[number]['id'];

/** A day such as `2026-11-01` that is on the calendar. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Reads a moment; `null` when it is none. */
export function readMoment(text: string | null): Moment | null {
  if (text === null) return null;
  if (text === 'now') return { kind: 'now' };
  if (text === 'last-visit') return { kind: 'last_visit' };
  if (text === 'last-scan') return { kind: 'last_scan' };
  const days = /^(\d{1,5})d$/.exec(text);
  if (days) return { kind: 'days_ago', days: Number(days[1]) };
  if (/^\d{1,15}$/.test(text)) return { kind: 'scan', scan: text };
  return isDay(text) ? { kind: 'day', day: text } : null;
}

/** Writes a moment that {@link readMoment} reads back. */
export function writeMoment(moment: Moment): string {
  switch (moment.kind) {
    case 'now':
      return 'now';
    case 'last_visit':
      return 'last-visit';
    case 'last_scan':
      return 'last-scan';
    case 'days_ago':
      return `${moment.days}d`;
    case 'day':
      return moment.day;
    case 'scan':
      return moment.scan;
  }
}

/** Reads a view from an address; what it does not understand is as if it were not there. */
export function readView(query: URLSearchParams, sandboxAlone: boolean): View {
  const listed = (name: string) => (query.get(name) ?? '').split(',');
  const day = query.get('day');
  const scope = query.get('sandbox');
  const to = readMoment(query.get('to')) ?? { kind: 'now' };
  return {
    day: day !== null && isDay(day) ? day : null,
    from: readMoment(query.get('from')) ?? { kind: 'last_visit' },
    to: to.kind === 'last_scan' ? { kind: 'now' } : to,
    instance: query.get('instance') ?? '',
    kinds: kinds.map(({ id }) => id).filter((id) => listed('kind').includes(id)),
    severities: severities.filter((severity) => listed('severity').includes(severity)),
    sandbox: scope === 'with' || scope === 'only' || scope === 'without' ? scope : sandboxAlone ? 'only' : 'without',
  };
}

/** Writes the address of a view; what is as at first is left out. {@link readView} reads it back. */
export function writeView(view: View, sandboxAlone: boolean): Record<string, string> {
  const query: Record<string, string> = {};
  if (view.day !== null) query.day = view.day;
  const [from, to] = [writeMoment(view.from), writeMoment(view.to)];
  if (from !== 'last-visit') query.from = from;
  if (to !== 'now') query.to = to;
  if (view.instance !== '') query.instance = view.instance;
  if (view.kinds.length > 0) query.kind = view.kinds.join(',');
  if (view.severities.length > 0) query.severity = view.severities.join(',');
  if (view.sandbox !== (sandboxAlone ? 'only' : 'without')) query.sandbox = view.sandbox;
  return query;
}

/** The named span of a view. */
export function presetOf(view: View): Preset {
  if (view.day !== null) return 'day';
  if (view.from.kind === 'scan' || view.to.kind === 'scan') return 'scans';
  const from = writeMoment(view.from);
  const named = presets.find(({ id }) => id === from)?.id;
  return named !== undefined && view.to.kind === 'now' ? named : 'dates';
}

/** What the backend is asked. A named instance is meant, simulated or not. */
export function queryOf(view: View, offset: number, limit: number): ChangeQuery {
  return {
    from: view.from,
    to: view.to,
    instances: view.instance === '' ? [] : [view.instance],
    kinds: view.kinds,
    severities: view.severities,
    sandbox: view.sandbox,
    slice: { offset, limit },
  };
}

/** All severities together. */
export function all(counts: SeverityCounts): number {
  return counts.critical + counts.high + counts.medium + counts.low + counts.info;
}

/** What is news: what still fails, or nobody could look at, was known before. */
export function news(counts: ChangeCounts): number {
  return all(counts.newly_failing) + all(counts.fixed) + all(counts.gone);
}

/** A day by this computer's calendar. */
export function localDay(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
