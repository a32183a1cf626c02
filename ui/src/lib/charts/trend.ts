/** The shape of a trend: where its lines run, where nothing is known, and what stands on its axes. Pure. */

/** A day of one or two lines; `null` is a day without a scan. */
export interface TrendPoint {
  day: string;
  open: number | null;
  critical_high: number | null;
}

/** Days in a row, by their index, both ends included. */
export interface Stretch {
  from: number;
  to: number;
}

/** Days with a value, as unbroken stretches: one line each. A line is never drawn across a day without a scan. */
export function stretches(values: readonly (number | null)[]): Stretch[] {
  const found: Stretch[] = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const last = found.at(-1);
    if (last && last.to === index - 1) last.to = index;
    else found.push({ from: index, to: index });
  });
  return found;
}

/** Days without a value between days that have one, and after the last; before the first scan there is no gap. */
export function gaps(values: readonly (number | null)[]): Stretch[] {
  const first = values.findIndex((value) => value !== null);
  if (first < 0) return [];
  const found: Stretch[] = [];
  values.forEach((value, index) => {
    if (value !== null || index < first) return;
    const last = found.at(-1);
    if (last && last.to === index - 1) last.to = index;
    else found.push({ from: index, to: index });
  });
  return found;
}

/** The top of a scale from 0 and the step of its three lines: 137 gives 180 and 60. */
export function scaleOf(highest: number): { top: number; step: number } {
  const lines = 3;
  const wanted = Math.max(1, highest * 1.05) / lines;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= wanted) ?? 10 * power;
  const whole = Math.max(1, Math.round(step));
  return { top: whole * lines, step: whole };
}

/** Indices of the days that are named under the axis: the ends, and up to two between. */
export function namedDays(days: number): number[] {
  if (days <= 0) return [];
  const between = days >= 16 ? [1 / 3, 2 / 3] : days >= 7 ? [1 / 2] : [];
  return [...new Set([0, ...between.map((share) => Math.round(share * (days - 1))), days - 1])];
}

/** Keeps two labels at least `room` apart, moving each by half of what is missing. Smaller is higher up. */
export function apart(first: number, second: number, room: number): [number, number] {
  const missing = room - Math.abs(first - second);
  if (missing <= 0) return [first, second];
  return first <= second
    ? [first - missing / 2, second + missing / 2]
    : [first + missing / 2, second - missing / 2];
}
