/** When a window that nobody uses is locked. Times are milliseconds since 1970: a computer that slept has been idle all the while. */

const MINUTE = 60_000;

/** How long before locking it is said. */
export const WARNING = MINUTE;

/** How a window stands that may lock itself. */
export type Standing = { kind: 'used' } | { kind: 'warned'; seconds: number } | { kind: 'over' };

/** Counts the time without input. */
export class Idle {
  #last: number;

  constructor(now: number) {
    this.#last = now;
  }

  /** Whoever uses the window stays; one that was over before the input came does not. */
  used(now: number, minutes: number): boolean {
    if (this.standing(now, minutes).kind === 'over') return false;
    this.#last = now;
    return true;
  }

  /** Begins anew, as after unlocking or another choice of the minutes. */
  restart(now: number): void {
    this.#last = now;
  }

  /** A period too short for the whole warning gives half of itself to it. */
  standing(now: number, minutes: number): Standing {
    // A clock that was set back must not keep the window open for longer than the whole period.
    if (now < this.#last) this.#last = now;
    const period = minutes * MINUTE;
    const left = this.#last + period - now;
    if (left <= 0) return { kind: 'over' };
    if (left <= Math.min(WARNING, period / 2)) return { kind: 'warned', seconds: Math.ceil(left / 1000) };
    return { kind: 'used' };
  }

  /** Milliseconds until it is to be looked at again. */
  next(now: number, minutes: number): number {
    const period = minutes * MINUTE;
    const untilWarning = this.#last + period - Math.min(WARNING, period / 2) - now;
    // Timers stand still while the computer sleeps, so that a long one would be late by as much.
    return Math.max(1000, Math.min(untilWarning, 15_000));
  }
}
