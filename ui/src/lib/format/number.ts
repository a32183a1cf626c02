/** Numbers as the screens show them: by the system's locale, with a no-break space before a unit. */

const NBSP = '\u00a0';

/** What stands in a cell that has nothing to say. Never an empty cell, which could be read as fine. */
export const NONE = '–';

/** `1,004`. The locale is the system's unless one is given. */
export function count(value: number, locale?: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(value);
}

/** `1 finding`, `1,004 findings`. `plural` is needed where an "s" is not enough. */
export function counted(value: number, one: string, plural = `${one}s`, locale?: string): string {
  return `${count(value, locale)}${NBSP}${value === 1 ? one : plural}`;
}

/** A share of 1 in whole percents: `71 %`. Something that rounds to nothing is `< 1 %`, and `> 99 %` is not all. */
export function percent(share: number): string {
  if (!Number.isFinite(share) || share <= 0) return `0${NBSP}%`;
  if (share < 0.005) return `<${NBSP}1${NBSP}%`;
  if (share >= 1) return `100${NBSP}%`;
  if (share >= 0.995) return `>${NBSP}99${NBSP}%`;
  return `${Math.round(share * 100)}${NBSP}%`;
}

/** The shares of a score. One that the backend could not express as a number counts as nothing. */
export interface Shares {
  passed: number | null;
  failed: number | null;
  not_evaluated: number | null;
}

/** The same in whole percents. */
export interface WholeShares {
  passed: number;
  failed: number;
  not_evaluated: number;
}

/**
 * Three whole percents that add up to 100. Passed is rounded down, so that a number never promises more than was read;
 * what that leaves goes to the two others by their larger remainder. A part that holds something and would come to 0 is
 * `< 1 %`.
 */
export function shareTexts(shares: Shares): { passed: string; failed: string; not_evaluated: string } {
  const whole = wholeShares(shares);
  const text = (share: number | null, value: number): string =>
    (share ?? 0) > 0 && value === 0 ? `<${NBSP}1${NBSP}%` : `${value}${NBSP}%`;
  return {
    passed: text(shares.passed, whole.passed),
    failed: text(shares.failed, whole.failed),
    not_evaluated: text(shares.not_evaluated, whole.not_evaluated),
  };
}

/** The numbers behind {@link shareTexts}: they add up to 100 unless nothing was judged at all. */
export function wholeShares(given: Shares): WholeShares {
  const shares = { passed: given.passed ?? 0, failed: given.failed ?? 0, not_evaluated: given.not_evaluated ?? 0 };
  const total = shares.passed + shares.failed + shares.not_evaluated;
  if (total <= 0) return { passed: 0, failed: 0, not_evaluated: 0 };
  // 0.29 * 100 is 28.999…: a share is a quotient of small integers, so a billionth more cannot lift it over a percent.
  const floor = (share: number): number => Math.floor((share / total) * 100 + 1e-9);
  const passed = floor(shares.passed);
  const failed = floor(shares.failed);
  const missing = floor(shares.not_evaluated);
  let rest = 100 - passed - failed - missing;
  const result = { passed, failed, not_evaluated: missing };
  const failedRest = (shares.failed / total) * 100 - failed;
  const missingRest = (shares.not_evaluated / total) * 100 - missing;
  const first = failedRest > missingRest ? 'failed' : 'not_evaluated';
  const second = first === 'failed' ? 'not_evaluated' : 'failed';
  const takes = (part: 'failed' | 'not_evaluated'): boolean => shares[part] > 0;
  if (rest > 0 && takes(first)) {
    result[first] += 1;
    rest -= 1;
  }
  if (rest > 0 && takes(second)) {
    result[second] += 1;
    rest -= 1;
  }
  // Only one part besides passed holds anything, or passed alone does: it takes what is left.
  if (rest > 0) result[takes(first) ? first : takes(second) ? second : 'passed'] += rest;
  return result;
}

/** `912 B`, `48 kB`, `2.1 MB`: powers of 1,000. */
export function bytes(value: number | null, locale?: string): string {
  if (value === null) return NONE;
  const units = ['B', 'kB', 'MB', 'GB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && scaled < 9.95 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(scaled)}${NBSP}${units[unit] ?? ''}`;
}
