import type { Attestation, AttestationAnswer, AttestationCounts, AttestationStanding, AttestationState, ManualCheck, Severity } from '$lib/backend/backend';
import { severityName } from '$lib/components/names';
import type { Column, SortValue } from '$lib/table';

/** Where a manual check can stand, what needs looking at first. */
export const states: AttestationState[] = ['expired', 'withdrawn', 'due', 'due_soon', 'attested'];

/** "Due soon". */
export function stateName(state: AttestationState): string {
  return { due: 'Due', attested: 'Attested', due_soon: 'Due soon', expired: 'Expired', withdrawn: 'Withdrawn' }[state];
}

/** The answers, in the order in which they are offered. */
export const answers: { id: AttestationAnswer; name: string; text: string }[] = [
  { id: 'met', name: 'Met', text: 'It is as recommended.' },
  { id: 'not_met', name: 'Not met', text: 'It is not: a finding is opened.' },
  { id: 'not_applicable', name: 'Does not apply', text: 'The question has no meaning here.' },
];

/** "Does not apply". */
export function answerName(answer: AttestationAnswer): string {
  return answers.find(({ id }) => id === answer)?.name ?? answer;
}

/** How an attestation stands beside the others of its check. */
export function standingName(standing: AttestationStanding): string {
  return { in_force: 'In force', expired: 'Expired', asked_otherwise: 'Asked otherwise', superseded: 'Replaced by a later one', withdrawn: 'Withdrawn' }[standing];
}

/** Checks that somebody has to look at now. */
export function dueNow(counts: AttestationCounts): number {
  return counts.due + counts.expired + counts.withdrawn;
}

/** All manual checks. */
export function total(counts: AttestationCounts): number {
  return dueNow(counts) + counts.due_soon + counts.attested;
}

/** Columns of manual checks; `instance` is there where the list is of several instances. */
export function columns(withInstance: boolean): Column[] {
  // The instance takes the room of what the row leads to anyway.
  const from = withInstance ? { severity: 640, answer: 860, who: 1000, valid_until: 700 } : { severity: 560, answer: 520, who: 760, valid_until: 640 };
  return [
    { id: 'state', title: 'State', width: 128, fixed: true, sort: 'ascending' },
    { id: 'severity', title: 'Severity', width: 96, sort: 'descending', from: from.severity },
    { id: 'title', title: 'Practice', width: 300, min: 180, grow: 2, fixed: true, sort: 'ascending' },
    ...(withInstance ? [{ id: 'instance', title: 'Instance', width: 200, min: 140, grow: 1, sort: 'ascending' } satisfies Column] : []),
    { id: 'answer', title: 'Answer', width: 128, sort: 'ascending', from: from.answer },
    { id: 'who', title: 'Attested by', width: 152, min: 112, grow: 1, sort: 'ascending', from: from.who },
    { id: 'valid_until', title: 'Valid until', width: 120, sort: 'ascending', from: from.valid_until },
    { id: 'id', title: 'Check', width: 240, extra: true },
  ];
}

const severities: Severity[] = ['info', 'low', 'medium', 'high', 'critical'];

/** What a column is sorted by. */
export function valueOf(check: ManualCheck, column: string): SortValue {
  switch (column) {
    case 'state':
      return states.indexOf(check.state);
    case 'severity':
      return severities.indexOf(check.severity);
    case 'title':
      return check.title;
    case 'instance':
      return `${check.app_name} ${check.instance_name}`;
    case 'answer':
      return check.current === null ? null : answerName(check.current.answer);
    case 'who':
      return check.current?.who ?? null;
    case 'valid_until':
      return check.current?.valid_until ?? null;
    case 'id':
      return check.check;
    default:
      return null;
  }
}

/** What the list is narrowed down to. */
export interface ManualCheckFilter {
  text: string;
  state: readonly string[];
  severity: readonly string[];
}

/** Whether a check fulfils a filter. */
export function fits(check: ManualCheck, filter: ManualCheckFilter): boolean {
  const hay = [check.title, check.check, check.app_name, check.instance_name, severityName(check.severity), stateName(check.state), check.current?.who ?? '', check.current?.note ?? '']
    .join('\n')
    .toLowerCase();
  return (
    filter.text.toLowerCase().split(/\s+/).every((word) => hay.includes(word)) &&
    (filter.state.length === 0 || filter.state.includes(check.state)) &&
    (filter.severity.length === 0 || filter.severity.includes(check.severity))
  );
}

/** "Attested, not scanned: A. Brandt, met, until 14 Jan 2027": the one sentence that stands wherever an attestation is shown. */
export function attestedSentence(attestation: Attestation, day: (iso: string) => string): string {
  const until = attestation.withdrawal ? 'withdrawn' : attestation.standing === 'asked_otherwise' ? 'asked otherwise since' : `${attestation.standing === 'expired' ? 'ended' : 'until'} ${day(attestation.valid_until)}`;
  return `Attested, not scanned: ${attestation.who}, ${answerName(attestation.answer).toLowerCase()}, ${until}`;
}

/** Largest file that can be attached, in bytes. */
export const LARGEST_FILE = 10 * 1024 * 1024;

/** Longest note, in characters. */
export const LONGEST_NOTE = 4000;
