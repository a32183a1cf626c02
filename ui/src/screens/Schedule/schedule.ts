import type { ScheduleChoice } from '$lib/backend/backend';

/** How a schedule is chosen: as the settings say, never, one of the usual patterns, or a pattern of one's own. */
export type Preset = 'default' | 'off' | 'hourly' | 'six_hours' | 'daily' | 'weekdays' | 'weekly' | 'own';

/** What the form holds: the preset, and what each preset wants to know, kept while another one is looked at. */
export interface ScheduleDraft {
  preset: Preset;
  /** `06:00`. */
  time: string;
  /** 0 for Sunday. */
  weekday: number;
  /** Of one's own. */
  pattern: string;
}

/** Days of the week, by crontab's number. */
export const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const short = weekdays.map((day) => day.slice(0, 3).toUpperCase());

const two = (number: number): string => String(number).padStart(2, '0');

/** Hour and minute of `6:00` or `06:00`; `null` for anything else. */
export function readTime(text: string): { hour: number; minute: number } | null {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? [];
  if (hour === undefined || minute === undefined || Number(hour) > 23 || Number(minute) > 59) return null;
  return { hour: Number(hour), minute: Number(minute) };
}

/** Crontab's number of a day: `1`, `MON`, and 7 for Sunday. */
function readWeekday(text: string): number | null {
  if (/^[0-7]$/.test(text)) return Number(text) % 7;
  const named = short.indexOf(text.toUpperCase());
  return named < 0 ? null : named;
}

/** The form before anything is changed: a pattern that is a preset's shows as that preset. */
export function draftOf(choice: ScheduleChoice): ScheduleDraft {
  const draft: ScheduleDraft = { preset: 'own', time: '06:00', weekday: 1, pattern: '0 6 * * *' };
  if (choice.kind !== 'cron') return { ...draft, preset: choice.kind };
  const pattern = choice.pattern.trim().split(/\s+/).join(' ');
  const [minute = '', hour = '', date, month, weekday = ''] = pattern.split(' ');
  const own = { ...draft, pattern };
  if (pattern === '0 * * * *') return { ...own, preset: 'hourly' };
  if (pattern === '0 */6 * * *') return { ...own, preset: 'six_hours' };
  const at = date === '*' && month === '*' && pattern.split(' ').length === 5 ? readTime(`${hour}:${minute.padStart(2, '0')}`) : null;
  if (!at || !/^\d{1,2}$/.test(minute)) return own;
  const timed = { ...own, time: `${two(at.hour)}:${two(at.minute)}` };
  if (weekday === '*') return { ...timed, preset: 'daily' };
  if (/^(1-5|mon-fri)$/i.test(weekday)) return { ...timed, preset: 'weekdays' };
  const day = readWeekday(weekday);
  return day === null ? own : { ...timed, preset: 'weekly', weekday: day };
}

/** What the form stands for; `null` while the time in it is none. */
export function choiceOf(draft: ScheduleDraft): ScheduleChoice | null {
  if (draft.preset === 'default' || draft.preset === 'off') return { kind: draft.preset };
  if (draft.preset === 'hourly') return { kind: 'cron', pattern: '0 * * * *' };
  if (draft.preset === 'six_hours') return { kind: 'cron', pattern: '0 */6 * * *' };
  if (draft.preset === 'own') return { kind: 'cron', pattern: draft.pattern.trim().split(/\s+/).join(' ') };
  const at = readTime(draft.time);
  if (!at) return null;
  const days = { daily: '*', weekdays: '1-5', weekly: String(draft.weekday) }[draft.preset];
  return { kind: 'cron', pattern: `${at.minute} ${at.hour} * * ${days}` };
}

/** Whether two choices mean the same; another way to write the same pattern is no change. */
export function sameChoice(one: ScheduleChoice, other: ScheduleChoice): boolean {
  const written = (choice: ScheduleChoice) => JSON.stringify(choiceOf(draftOf(choice)));
  return written(one) === written(other);
}
