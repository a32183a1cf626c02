import type { CheckParam, Decision, DecisionEnd, DecisionKind, FieldState, HeldBy } from '$lib/backend/backend';
import { calendarDay } from '$lib/format';

/** The longest reason, and the shortest one that a check is not monitored for, in characters. */
export const LONGEST_REASON = 1000;
const SHORTEST_ATTESTED = 10;
/** The most days ahead to which a decision holds. */
const MOST_DAYS = 365;

/** Why, by whose leave and until when something is held back. */
export interface Grounds {
  reason: string;
  approver: string;
  until: string;
}

/** The day it is here, `2026-11-22`: the console counts days where it stands. */
export function today(now: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** A day so many days later. */
export function later(day: string, days: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The last day that can be chosen. */
export function latest(now: Date): string {
  return later(today(now), MOST_DAYS);
}

/** An empty form; a quarter of a year is offered, for a risk that is accepted has to be looked at again. */
export function emptyGrounds(now: Date): Grounds {
  return { reason: '', approver: '', until: later(today(now), 90) };
}

/** What is wrong with the form, by field; nothing when it can be sent. */
export function faults(form: Grounds, kind: 'dismiss' | 'unmonitor', now: Date): Partial<Record<keyof Grounds, string>> {
  const found: Partial<Record<keyof Grounds, string>> = {};
  const length = Array.from(form.reason.trim()).length;
  if (length === 0) found.reason = kind === 'dismiss' ? 'Write why the risk is accepted, such as “The vendor mends it in June”.' : 'Write why it need not be monitored here.';
  else if (kind === 'unmonitor' && length < SHORTEST_ATTESTED) found.reason = `Write it out: at least ${SHORTEST_ATTESTED} characters.`;
  else if (length > LONGEST_REASON) found.reason = `At most ${LONGEST_REASON} characters; this has ${length}.`;
  if (Array.from(form.approver.trim()).length > 80) found.approver = 'A name has at most 80 characters.';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(form.until) || Number.isNaN(Date.parse(form.until))) found.until = 'Choose a day, such as 2027-02-21.';
  else if (form.until < today(now)) found.until = 'This day is past.';
  else if (form.until > latest(now)) found.until = `At most a year: until ${latest(now)}.`;
  return found;
}

/** What is wrong with a value for a parameter, or nothing. */
export function valueFault(param: CheckParam, value: string): string | undefined {
  const typed = value.trim();
  if (typed === '') return 'Type a value, or undo the override.';
  if (typed === param.recommended) return 'This is the recommended value.';
  if (param.type === 'int') {
    const number = Number(typed);
    const bounds = param.min !== null && param.max !== null ? ` from ${param.min} to ${param.max}` : '';
    const outside = (param.min !== null && number < param.min) || (param.max !== null && number > param.max);
    if (!/^-?\d+$/.test(typed) || outside) return `Type a whole number${bounds}.`;
  }
  return undefined;
}

/** The state of a field with this fault. */
export function stateOf(fault: string | undefined): FieldState {
  return fault === undefined ? { kind: 'empty' } : { kind: 'wrong', sentence: fault };
}

/** "Dismissed until 21 Feb 2027. It returns then, or earlier if the value changes." */
export function heldWords(by: Pick<HeldBy, 'kind' | 'until'>, now: Date): string {
  const until = by.until === null ? '' : ` until ${calendarDay(by.until, now)}`;
  return by.kind === 'unmonitor'
    ? `Not monitored${until}. Its findings return then.`
    : `Dismissed${until}. It returns then, or earlier if the value changes.`;
}

/** "Dismissed". */
export function kindName(kind: DecisionKind): string {
  return { dismiss: 'Dismissed', override: 'Overridden', lock: 'Locked', unmonitor: 'Not monitored', ignore: 'Ignored' }[kind];
}

/** "undone". */
export function endName(why: DecisionEnd): string {
  return {
    undone: 'undone',
    expired: 'its time is over',
    value_changed: 'the value changed',
    replaced: 'replaced',
    fixed: 'fixed',
    gone: 'no longer there',
  }[why];
}

/** "Locked: SAML requests are signed, a@halden.example". */
export function told(decision: Pick<Decision, 'kind' | 'title' | 'resource'>): string {
  return `${kindName(decision.kind)}: ${decision.title}${decision.resource === '' ? '' : `, ${decision.resource}`}`;
}
