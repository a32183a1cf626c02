/**
 * Moments and durations as the screens show them. Moments arrive as RFC 3339 in UTC and are shown in the zone of this
 * computer; every function takes the present moment, so that a list drawn at once speaks of one "now".
 */

const NBSP = '\u00a0';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How a moment is shown. */
export interface Zone {
  /** IANA name; the system's when absent. */
  timeZone?: string;
}

// The words of the window are English, so the names of months are too, whatever the system's locale is.
function parts(date: Date, zone: Zone): { day: number; month: string; year: number; time: string } {
  const read = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: zone.timeZone,
  }).formatToParts(date);
  const part = (type: Intl.DateTimeFormatPartTypes): string => read.find((p) => p.type === type)?.value ?? '';
  return {
    day: Number(part('day')),
    // en-GB writes "Sept"; the other months have three letters.
    month: part('month').slice(0, 3),
    year: Number(part('year')),
    time: `${part('hour')}:${part('minute')}`,
  };
}

function parse(iso: string | null | undefined): Date | null {
  if (!iso) return null;
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Whole calendar days in the zone between two moments; 0 is the same day. */
function calendarDays(earlier: Date, later: Date, zone: Zone): number {
  const number = (date: Date): number => {
    const p = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: zone.timeZone }).format(date);
    return Math.round(Date.parse(`${p}T00:00:00Z`) / DAY);
  };
  return number(later) - number(earlier);
}

/** `17 Nov`, with the year when it is not this one. Nothing known is an en dash. */
export function day(iso: string | null | undefined, now: Date, zone: Zone = {}): string {
  const date = parse(iso);
  if (!date) return '–';
  const then = parts(date, zone);
  const year = then.year === parts(now, zone).year ? '' : `${NBSP}${then.year}`;
  return `${then.day}${NBSP}${then.month}${year}`;
}

/** A day of the calendar (`2027-11-21`), which is the same in every zone: `21 Nov 2027`. */
export function calendarDay(iso: string | null | undefined, now: Date): string {
  return day(iso, now, { timeZone: 'UTC' });
}

/** For lists: `just now`, `12 min ago`, `5 h ago` under one day, then `Yesterday`, then the {@link day}. */
export function ago(iso: string | null | undefined, now: Date, zone: Zone = {}): string {
  const date = parse(iso);
  if (!date) return '–';
  const past = now.getTime() - date.getTime();
  // A clock that was set back must not make "in 3 min" out of a scan that happened.
  if (past < MINUTE) return past < -MINUTE ? moment(iso, now, zone) : 'just now';
  if (past < HOUR) return `${Math.floor(past / MINUTE)}${NBSP}min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)}${NBSP}h ago`;
  return calendarDays(date, now, zone) === 1 ? 'Yesterday' : day(iso, now, zone);
}

/** For what is to come: `due now`, `in 12 min`, `in 5 h` under one day, then `Tomorrow`, then the {@link day}. */
export function until(iso: string | null | undefined, now: Date, zone: Zone = {}): string {
  const date = parse(iso);
  if (!date) return '–';
  const ahead = date.getTime() - now.getTime();
  if (ahead < MINUTE) return 'due now';
  if (ahead < HOUR) return `in ${Math.floor(ahead / MINUTE)}${NBSP}min`;
  if (ahead < DAY) return `in ${Math.floor(ahead / HOUR)}${NBSP}h`;
  return calendarDays(now, date, zone) === 1 ? 'Tomorrow' : day(iso, now, zone);
}

/** For plans: `Mon 23 Nov, 06:00`. */
export function planned(iso: string | null | undefined, now: Date, zone: Zone = {}): string {
  const date = parse(iso);
  if (!date) return '–';
  const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', timeZone: zone.timeZone }).format(date);
  return `${weekday}${NBSP}${day(iso, now, zone)}, ${parts(date, zone).time}`;
}

/** For histories: `Today, 09:14`, `Yesterday, 17:02`, `30 Oct, 11:20`. */
export function moment(iso: string | null | undefined, now: Date, zone: Zone = {}): string {
  const date = parse(iso);
  if (!date) return '–';
  const days = calendarDays(date, now, zone);
  const name = days === 0 ? 'Today' : days === 1 ? 'Yesterday' : day(iso, now, zone);
  return `${name}, ${parts(date, zone).time}`;
}

/** For tooltips: `17 Nov 2026, 09:14:03 GMT+1`, the exact local time with its zone. */
export function exact(iso: string | null | undefined, zone: Zone = {}): string {
  const date = parse(iso);
  if (!date) return '';
  return new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    timeZone: zone.timeZone,
  }).format(date);
}

/** Age in days: `23 d`, `0 d` on the first day. */
export function age(iso: string | null | undefined, now: Date): string {
  const date = parse(iso);
  if (!date) return '–';
  return `${daysSince(date, now)}${NBSP}d`;
}

/** Age in a sentence: `open for 23 days`, `open since today`. */
export function openFor(iso: string | null | undefined, now: Date): string {
  const date = parse(iso);
  if (!date) return '';
  const days = daysSince(date, now);
  if (days === 0) return 'open since today';
  return `open for ${days}${NBSP}${days === 1 ? 'day' : 'days'}`;
}

function daysSince(date: Date, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - date.getTime()) / DAY));
}

/** A duration that ended: `84 ms`, `1.2 s`, `34 s`, `2 min 5 s`, `1 h 20 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)}${NBSP}ms`;
  if (milliseconds < 9_950) return `${(milliseconds / 1000).toFixed(1).replace(/\.0$/, '')}${NBSP}s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds}${NBSP}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes}${NBSP}min` : `${minutes}${NBSP}min ${seconds % 60}${NBSP}s`;
  return `${Math.floor(minutes / 60)}${NBSP}h ${minutes % 60}${NBSP}min`;
}

/** A duration that still runs: `0:14`, `12:05`, `1:02:05`. */
export function running(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** How long something took, when it began and ended; what runs or is unknown is an en dash. */
export function took(startedAt: string, finishedAt: string | null): string {
  const from = parse(startedAt);
  const to = parse(finishedAt);
  return from && to ? duration(to.getTime() - from.getTime()) : '–';
}

/** A day of the trend, `2026-11-21`, as an axis label: `21 Nov`. Days have no zone. */
export function axisDay(isoDay: string): string {
  return day(`${isoDay}T12:00:00Z`, new Date(`${isoDay}T12:00:00Z`), { timeZone: 'UTC' });
}
