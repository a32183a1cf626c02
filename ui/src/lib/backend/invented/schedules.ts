import type { Failure, ScheduleChoice, ScheduleWords, Settings } from '../backend';

/** The settings of a console that nobody has changed. */
export const settings = (): Settings => ({
  schedule: { kind: 'cron', pattern: '0 6 * * *' },
  spread_minutes: 30,
  scans_at_once: 2,
  keep_scans: 30,
  lock_after_minutes: 15,
  notify: true,
  route: { proxy: 'system', proxy_url: '', extra_roots_pem: '' },
  keep_running: false,
  digest_at: '07:00',
});

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const bounds = [
  ['minute', 0, 59],
  ['hour', 0, 23],
  ['day of the month', 1, 31],
  ['month', 1, 12],
  ['day of the week', 0, 6],
] as const;

function wrong(sentence: string): Failure {
  return { code: 'E-SCHEDULE', sentence, remedy: 'Write it as 0 6 * * 1-5: minute, hour, day of the month, month, day of the week.', field: 'pattern' };
}

/** The values that one part of a pattern allows. */
function valuesOf(part: string, [name, least, most]: (typeof bounds)[number]): Set<number> {
  const values = new Set<number>();
  for (const item of part.split(',')) {
    const [, from, to, step] = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(item) ?? [];
    const first = Number(from ?? least);
    const last = Number(to ?? from ?? most);
    if (!/^(\*|\d+(-\d+)?)(\/\d+)?$/.test(item) || first < least || last > most || last < first) {
      throw wrong(`“${item}” is no ${name}: it goes from ${least} to ${most}.`);
    }
    for (let value = first; value <= last; value += Number(step ?? 1) || 1) values.add(value);
  }
  return values;
}

function partsOf(pattern: string): Set<number>[] {
  const parts = pattern.trim().split(/\s+/);
  if (parts.length !== 5) throw wrong(`A schedule has five parts; this one has ${pattern.trim() === '' ? 0 : parts.length}.`);
  return bounds.map((bound, index) => valuesOf(parts[index] ?? '*', bound));
}

/** The next due times from a moment on. Days and months that are named are both asked for, which crontab does not do. */
function nextOf(pattern: string, from: Date, many: number): string[] {
  const [minutes, hours, dates, months, weekdays] = partsOf(pattern);
  const next: string[] = [];
  const at = new Date(from);
  at.setSeconds(0, 0);
  for (let tried = 0; tried < 60 * 24 * 62 && next.length < many; tried += 1) {
    at.setMinutes(at.getMinutes() + 1);
    const due =
      minutes?.has(at.getMinutes()) && hours?.has(at.getHours()) && dates?.has(at.getDate()) && months?.has(at.getMonth() + 1) && weekdays?.has(at.getDay());
    if (due) next.push(at.toISOString());
  }
  return next;
}

function wordsOf(pattern: string): string {
  const [minute = '', hour = '', date = '', month = '', weekday = ''] = pattern.trim().split(/\s+/);
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (pattern.trim() === '0 * * * *') return 'At 0 minutes past the hour';
  if (/^\d+ \*\/\d+ \* \* \*$/.test(pattern.trim())) return `At ${minute} minutes past the hour, every ${hour.slice(2)} hours`;
  if (!/^\d+$/.test(minute) || !/^\d+$/.test(hour) || date !== '*' || month !== '*') return `At ${pattern.trim()}`;
  if (weekday === '*') return `At ${time}`;
  const [first = '', last] = weekday.split('-');
  return `At ${time}, ${last === undefined ? `only on ${days[Number(first)] ?? first}` : `${days[Number(first)]} through ${days[Number(last)]}`}`;
}

/** A schedule in words; `standard` is what the settings say. */
export function scheduleWords(choice: ScheduleChoice, standard: ScheduleChoice): ScheduleWords {
  const meant = choice.kind === 'default' ? standard : choice;
  if (meant.kind !== 'cron') return { words: 'Only when somebody asks', next: [] };
  return { next: nextOf(meant.pattern, new Date(), 3), words: wordsOf(meant.pattern) };
}

/** What the console refuses of settings. */
export function settingsFault(changed: Settings): Failure | null {
  const outside = (field: keyof Settings, name: string, least: number, most: number): Failure | null => {
    const value = changed[field];
    if (value === null || (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)) return null;
    return { code: 'E-SETTINGS', sentence: `${name} goes from ${least} to ${most}.`, remedy: 'Choose a number between them.', field };
  };
  return (
    outside('spread_minutes', 'The spread', 0, 120) ??
    outside('scans_at_once', 'The number of scans at once', 1, 8) ??
    outside('keep_scans', 'The number of kept scans', 2, 1000) ??
    outside('lock_after_minutes', 'The time until the window locks', 1, 480)
  );
}
