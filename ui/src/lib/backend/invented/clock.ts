/** Invented data is dated back from now, so that "12 min ago" is true whenever it is looked at. */
export function ago({ days = 0, hours = 0, minutes = 0 }: { days?: number; hours?: number; minutes?: number }): string {
  return new Date(Date.now() - ((days * 24 + hours) * 60 + minutes) * 60_000).toISOString();
}

/** `2026-11-21`, so many days ago. */
export function dayAgo(days: number): string {
  return ago({ days }).slice(0, 10);
}

/** A number between 0 and 1 that a seed always gives. */
export function chance(seed: number): number {
  let value = (seed + 0x6d2b79f5) | 0;
  value = Math.imul(value ^ (value >>> 15), value | 1);
  value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
  return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
}
