import { cleanup, render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend, ScheduleChoice } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { choiceOf, draftOf, readTime, sameChoice } from './schedule';
import WithBackend from './WithBackend.test.svelte';

const cron = (pattern: string): ScheduleChoice => ({ kind: 'cron', pattern });

describe('a schedule', () => {
  it.each([
    [{ kind: 'default' } as const, 'default'],
    [{ kind: 'off' } as const, 'off'],
    [cron('0 * * * *'), 'hourly'],
    [cron('0 */6 * * *'), 'six_hours'],
    [cron('30 7 * * *'), 'daily'],
    [cron('5 18 * * 1-5'), 'weekdays'],
    [cron('0 0 * * 0'), 'weekly'],
    [cron('15 3 1,15 * *'), 'own'],
    [cron('*/20 8-18 * * *'), 'own'],
    [cron('0 6 * * 1,3'), 'own'],
    [cron('0 6 * 1 *'), 'own'],
    [cron('0,30 6 * * *'), 'own'],
  ])('%j shows as %s and is written as it was', (choice, preset) => {
    expect(draftOf(choice).preset).toBe(preset);
    expect(choiceOf(draftOf(choice))).toEqual(choice);
  });

  it.each([
    ['0  6 * *  MON-FRI', 'weekdays', '0 6 * * 1-5'],
    ['00 06 * * 7', 'weekly', '0 6 * * 0'],
    ['0 6 * * sat', 'weekly', '0 6 * * 6'],
  ])('%s is another way to write a preset', (pattern, preset, usual) => {
    expect(draftOf(cron(pattern)).preset).toBe(preset);
    expect(choiceOf(draftOf(cron(pattern)))).toEqual(cron(usual));
    expect(sameChoice(cron(pattern), cron(usual))).toBe(true);
  });

  it('is not the same at another time, and none without one', () => {
    expect(sameChoice(cron('0 6 * * *'), cron('0 7 * * *'))).toBe(false);
    expect(sameChoice({ kind: 'off' }, { kind: 'default' })).toBe(false);
    expect(choiceOf({ ...draftOf(cron('0 6 * * *')), time: '6 o’clock' })).toBeNull();
  });

  it.each([
    ['06:00', { hour: 6, minute: 0 }],
    ['6:05', { hour: 6, minute: 5 }],
    ['24:00', null],
    ['12:60', null],
    ['', null],
  ])('reads %s as a time of day or not at all', (text, time) => expect(readTime(text)).toEqual(time));
});

describe('the field of a schedule', () => {
  beforeEach(() => vi.useFakeTimers({ shouldAdvanceTime: false, now: new Date('2026-11-20T10:00:00Z') }));
  afterEach(() => {
    cleanup();
    vi.useRealTimers();
  });

  function field(value: ScheduleChoice, change: (backend: Backend) => Partial<Backend> = () => ({})) {
    const mock = mockBackend();
    const asked: ScheduleChoice[] = [];
    const heard: (ScheduleChoice | null)[] = [];
    const own = change(mock);
    const backend: Backend = {
      ...mock,
      ...own,
      scheduleWords: (choice) => {
        asked.push(choice);
        return (own.scheduleWords ?? mock.scheduleWords)(choice);
      },
    };
    render(WithBackend, { backend, field: { label: 'Schedule', value, follows: true, onchoice: (choice: ScheduleChoice | null) => heard.push(choice) } });
    return { asked, heard, user: userEvent.setup({ advanceTimers: (by) => vi.advanceTimersByTime(by), delay: null }) };
  }
  const settle = async (milliseconds = 0) => {
    await vi.advanceTimersByTimeAsync(milliseconds);
    await tick();
  };

  it('says in words what is chosen, and its next three times with the zone', async () => {
    field(cron('0 6 * * 1-5'));
    await settle(1);
    expect(screen.getByTestId('schedule-weekdays')).toHaveAttribute('aria-checked', 'true');
    expect(screen.getByTestId('schedule-time')).toHaveValue('06:00');
    expect(screen.getByTestId('schedule-words')).toHaveTextContent('Monday through Friday');
    expect(screen.getByTestId('schedule-words')).toHaveTextContent(Intl.DateTimeFormat().resolvedOptions().timeZone);
    expect(screen.getByTestId('schedule-next').querySelectorAll('time')).toHaveLength(3);
    // What Default stands for is said on its card.
    expect(screen.getByTestId('schedule-default')).toHaveAccessibleDescription('As Settings say: At 06:00.');
  });

  it('asks about what is typed after a pause, once, and takes only what is right', async () => {
    const { asked, heard, user } = field(cron('15 3 1,15 * *'));
    await settle(1);
    asked.length = 0;
    heard.length = 0;
    const pattern = screen.getByTestId('schedule-pattern');
    await user.clear(pattern);
    await user.type(pattern, '0 99 * * *');
    await settle(399);
    expect(asked).toEqual([]);
    expect(heard.every((choice) => choice === null)).toBe(true);
    await settle(1);
    expect(asked).toEqual([cron('0 99 * * *')]);
    expect(pattern).toHaveAttribute('aria-invalid', 'true');
    expect(pattern).toHaveAccessibleDescription(/99.*hour/);
    expect(screen.queryByTestId('schedule-words')).toBeNull();
    expect(heard.at(-1)).toBeNull();

    await user.clear(pattern);
    await user.type(pattern, '20 4 * * *');
    await settle(400);
    expect(pattern).not.toHaveAttribute('aria-invalid');
    expect(heard.at(-1)).toEqual(cron('20 4 * * *'));
  });

  it('is chosen with the arrow keys, and one’s own pattern begins as what stood', async () => {
    const { heard, user } = field(cron('0 6 * * *'));
    await settle(1);
    screen.getByTestId('schedule-daily').focus();
    await user.keyboard('{ArrowDown}');
    await settle(1);
    expect(heard.at(-1)).toEqual(cron('0 6 * * 1-5'));
    await user.click(screen.getByTestId('schedule-own'));
    await settle(1);
    expect(screen.getByTestId('schedule-pattern')).toHaveValue('0 6 * * 1-5');
    await user.click(screen.getByTestId('schedule-weekly'));
    await user.selectOptions(screen.getByTestId('schedule-weekday'), '3');
    await settle(1);
    expect(heard.at(-1)).toEqual(cron('0 6 * * 3'));
    await user.click(screen.getByTestId('schedule-off'));
    await settle(1);
    expect(heard.at(-1)).toEqual({ kind: 'off' });
    expect(screen.getByTestId('schedule-words')).toHaveTextContent('Only when somebody asks');
  });

  it('lets an answer that comes late not take the place of a later one', async () => {
    let late: (() => void) | undefined;
    const { user } = field({ kind: 'off' }, (mock) => ({
      scheduleWords: async (choice) => {
        const answer = await mock.scheduleWords(choice);
        if (choice.kind === 'cron' && choice.pattern === '0 * * * *') await new Promise<void>((done) => (late = done));
        return answer;
      },
    }));
    await settle(1);
    await user.click(screen.getByTestId('schedule-hourly'));
    await settle(1);
    await user.click(screen.getByTestId('schedule-daily'));
    await settle(1);
    expect(screen.getByTestId('schedule-words')).toHaveTextContent('At 06:00');
    late?.();
    await settle(1);
    expect(screen.getByTestId('schedule-words')).toHaveTextContent('At 06:00');
  });

  it('says why the words cannot be had, where it is no fault of the pattern', async () => {
    const { heard } = field(cron('0 6 * * *'), () => ({
      scheduleWords: () => Promise.reject({ code: 'E-ZONE', sentence: 'This computer has no time zone.', remedy: 'Set one.', field: null }),
    }));
    await settle(1);
    expect(screen.getByTestId('schedule-failure')).toHaveTextContent('This computer has no time zone. Set one.');
    expect(heard.at(-1)).toBeNull();
  });
});
