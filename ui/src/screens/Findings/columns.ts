import type { FindingSort } from '$lib/backend/backend';
import type { Column } from '$lib/table';

/** Columns of the findings, the first two always there. */
export const columns: Column[] = [
  { id: 'severity', title: 'Severity', width: 40, fixed: true, sort: 'descending' },
  { id: 'title', title: 'Finding and resource', width: 320, min: 208, grow: 1, fixed: true, sort: 'ascending' },
  { id: 'instance', title: 'Instance', width: 160, sort: 'ascending', from: 500 },
  { id: 'app', title: 'Application', width: 44 },
  { id: 'resource', title: 'Resource', width: 160, sort: 'ascending', extra: true },
  { id: 'check', title: 'Check', width: 220, extra: true },
  { id: 'state', title: 'State', width: 104, extra: true },
  { id: 'last_seen', title: 'Last found', width: 104, sort: 'descending', extra: true },
  { id: 'age', title: 'Age', width: 64, align: 'end', sort: 'descending' },
];

/**
 * What a column asks the backend for. An age is counted from the first time, so the oldest first is the earliest first:
 * the direction turns round.
 */
export const sortOf: Readonly<Record<string, { sort: FindingSort; turned?: boolean }>> = {
  severity: { sort: 'severity' },
  title: { sort: 'title' },
  instance: { sort: 'instance' },
  resource: { sort: 'resource' },
  last_seen: { sort: 'last_seen' },
  age: { sort: 'first_seen', turned: true },
};

/** The column that shows an order of the backend. */
export function columnOf(sort: FindingSort): string {
  return Object.entries(sortOf).find(([, asked]) => asked.sort === sort)?.[0] ?? 'severity';
}
