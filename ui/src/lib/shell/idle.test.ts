import { describe, expect, it } from 'vitest';
import { Idle } from './idle';

const begun = Date.parse('2026-11-22T10:00:00Z');
const after = (seconds: number): number => begun + seconds * 1000;

describe('time without input', () => {
  it('is warned of a minute before it is over', () => {
    const idle = new Idle(begun);
    expect(idle.standing(after(14 * 60 - 1), 15)).toEqual({ kind: 'used' });
    expect(idle.standing(after(14 * 60), 15)).toEqual({ kind: 'warned', seconds: 60 });
    expect(idle.standing(after(15 * 60 - 1), 15)).toEqual({ kind: 'warned', seconds: 1 });
    expect(idle.standing(after(15 * 60), 15)).toEqual({ kind: 'over' });
  });

  it('of one minute is half warned', () => {
    const idle = new Idle(begun);
    expect(idle.standing(after(29), 1)).toEqual({ kind: 'used' });
    expect(idle.standing(after(31), 1)).toEqual({ kind: 'warned', seconds: 29 });
  });

  it('begins anew with input, but not once it is over: who wakes the computer finds it locked', () => {
    const idle = new Idle(begun);
    expect(idle.used(after(14 * 60 + 59), 15)).toBe(true);
    expect(idle.standing(after(15 * 60), 15)).toEqual({ kind: 'used' });
    expect(idle.used(after(10 * 3600), 15)).toBe(false);
    expect(idle.standing(after(10 * 3600), 15)).toEqual({ kind: 'over' });
    idle.restart(after(10 * 3600));
    expect(idle.standing(after(10 * 3600), 15)).toEqual({ kind: 'used' });
  });

  it('never lasts longer because the clock was set back', () => {
    const idle = new Idle(begun);
    expect(idle.standing(after(-7200), 15)).toEqual({ kind: 'used' });
    expect(idle.standing(after(-7200 + 15 * 60), 15)).toEqual({ kind: 'over' });
  });

  it('is looked at often enough that sleep is noticed soon', () => {
    const idle = new Idle(begun);
    expect(idle.next(begun, 480)).toBe(15_000);
    expect(idle.next(after(14 * 60 - 5), 15)).toBe(5000);
    expect(idle.next(after(14 * 60), 15)).toBe(1000);
  });
});
