import type { CheckState, Severity } from '$lib/backend/backend';
import { severityName, verdictName } from '$lib/components/names';
import type { Column, SortValue } from '$lib/table';

/** Columns of an instance's checks. */
export const columns: Column[] = [
  { id: 'verdict', title: 'Verdict', width: 136, fixed: true, sort: 'ascending' },
  { id: 'severity', title: 'Severity', width: 96, sort: 'descending', from: 520 },
  { id: 'title', title: 'Practice', width: 280, min: 200, grow: 1, fixed: true, sort: 'ascending' },
  { id: 'cause', title: 'Rows or cause', width: 280, min: 160, grow: 1, from: 640 },
  { id: 'feature', title: 'Kind of scan', width: 168, sort: 'ascending', from: 960 },
  { id: 'id', title: 'Check', width: 240, extra: true },
];

// What needs looking at comes first.
const verdicts = ['fail', 'not_evaluated', 'manual', 'observed', 'pass', 'not_applicable'];
const severities: Severity[] = ['info', 'low', 'medium', 'high', 'critical'];

/** What a column is sorted by. */
export function valueOf(check: CheckState, column: string): SortValue {
  switch (column) {
    case 'verdict':
      return verdicts.indexOf(check.verdict);
    case 'severity':
      return severities.indexOf(check.severity);
    case 'title':
      return check.title;
    case 'feature':
      return check.feature;
    default:
      return null;
  }
}

/** What the checks are narrowed down to. */
export interface CheckFilter {
  text: string;
  verdict: readonly string[];
  severity: readonly string[];
  feature: readonly string[];
}

/** Whether a check fulfils a filter. */
export function fits(check: CheckState, filter: CheckFilter): boolean {
  const hay = [check.title, check.id, severityName(check.severity), verdictName(check.verdict), check.cause?.sentence ?? ''].join('\n').toLowerCase();
  const any = (chosen: readonly string[], value: string): boolean => chosen.length === 0 || chosen.includes(value);
  return (
    filter.text.toLowerCase().split(/\s+/).every((word) => hay.includes(word)) &&
    any(filter.verdict, check.verdict) &&
    any(filter.severity, check.severity) &&
    any(filter.feature, check.feature)
  );
}
