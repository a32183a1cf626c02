import { describe, expect, it } from 'vitest';
import * as format from '.';

/** The no-break space of units is a space to the reader of a test. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
const utc = { timeZone: 'UTC' };
const now = new Date('2026-11-21T12:00:00Z');

describe('numbers', () => {
  it.each([
    [1004, '1,004'],
    [0, '0'],
    [1234567, '1,234,567'],
  ])('%d is %s', (value, text) => expect(format.count(value, 'en-US')).toBe(text));

  it('counts things in singular and plural', () => {
    expect(plain(format.counted(1, 'instance'))).toBe('1 instance');
    expect(plain(format.counted(0, 'instance'))).toBe('0 instances');
    expect(plain(format.counted(2, 'repository', 'repositories'))).toBe('2 repositories');
  });

  it.each([
    [0, '0 %'],
    [0.0001, '< 1 %'],
    [0.0049, '< 1 %'],
    [0.71, '71 %'],
    [0.996, '> 99 %'],
    [1, '100 %'],
    [Number.NaN, '0 %'],
  ])('share %d is %s', (share, text) => expect(plain(format.percent(share))).toBe(text));

  it.each([
    [912, '912 B'],
    [48_200, '48 kB'],
    [2_140_000, '2.1 MB'],
    [999_600, '1 MB'],
  ])('%d bytes are %s', (value, text) => expect(plain(format.bytes(value, 'en-US'))).toBe(text));
});

describe('the three shares of a score', () => {
  it('add up to 100 for every split in thousandths, and passed is never rounded up', () => {
    for (let passed = 0; passed <= 1000; passed += 7) {
      for (let failed = 0; passed + failed <= 1000; failed += 11) {
        const shares = { passed: passed / 1000, failed: failed / 1000, not_evaluated: (1000 - passed - failed) / 1000 };
        const whole = format.wholeShares(shares);
        const sum = whole.passed + whole.failed + whole.not_evaluated;
        const note = JSON.stringify({ shares, whole });
        expect(sum, note).toBe(100);
        if (failed + passed < 1000 || failed > 0) {
          expect(whole.passed, note).toBeLessThanOrEqual(Math.floor(passed / 10));
        }
        if (failed === 0) expect(whole.failed, note).toBe(0);
        if (passed + failed === 1000) expect(whole.not_evaluated, note).toBe(0);
      }
    }
  });

  it('never hide a part that holds something', () => {
    const texts = format.shareTexts({ passed: 0.994, failed: 0.003, not_evaluated: 0.003 });
    expect(plain(texts.passed)).toBe('99 %');
    expect([plain(texts.failed), plain(texts.not_evaluated)].sort()).toEqual(['1 %', '< 1 %']);
  });

  it('say nothing when nothing was judged', () => {
    expect(format.wholeShares({ passed: 0, failed: 0, not_evaluated: 0 })).toEqual({ passed: 0, failed: 0, not_evaluated: 0 });
  });
});

describe('moments', () => {
  it.each([
    ['2026-11-21T11:59:40Z', 'just now'],
    ['2026-11-21T11:48:00Z', '12 min ago'],
    ['2026-11-21T07:00:00Z', '5 h ago'],
    ['2026-11-20T12:30:00Z', '23 h ago'],
    ['2026-11-20T08:00:00Z', 'Yesterday'],
    ['2026-11-17T08:00:00Z', '17 Nov'],
    ['2025-09-17T08:00:00Z', '17 Sep 2025'],
    [null, '–'],
    ['not a time', '–'],
  ])('%s in a list is %s', (iso, text) => expect(plain(format.ago(iso, now, utc))).toBe(text));

  it.each([
    ['2026-11-21T09:14:00Z', 'Today, 09:14'],
    ['2026-11-20T23:59:00Z', 'Yesterday, 23:59'],
    ['2026-10-30T11:20:00Z', '30 Oct, 11:20'],
    ['2025-10-30T00:05:00Z', '30 Oct 2025, 00:05'],
  ])('%s in a history is %s', (iso, text) => expect(plain(format.moment(iso, now, utc))).toBe(text));

  it('are counted in days of the zone, not of UTC', () => {
    const late = '2026-11-20T23:30:00Z';
    expect(format.moment(late, now, { timeZone: 'Europe/Berlin' })).toBe('Today, 00:30');
    expect(format.moment(late, now, utc)).toBe('Yesterday, 23:30');
  });

  it('name their zone in the tooltip', () => {
    expect(format.exact('2026-11-17T09:14:03Z', utc)).toBe('17 Nov 2026, 09:14:03 UTC');
    expect(format.exact('2026-11-17T09:14:03Z', { timeZone: 'Europe/Berlin' })).toMatch(/10:14:03/);
  });

  it('in the future are not called past', () => {
    expect(format.ago('2026-11-21T12:30:00Z', now, utc)).toBe('Today, 12:30');
  });
});

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [84, '84 ms'],
    [1234, '1.2 s'],
    [9_999, '10 s'],
    [34_000, '34 s'],
    [125_000, '2 min 5 s'],
    [120_000, '2 min'],
    [4_800_000, '1 h 20 min'],
  ])('%d ms took %s', (ms, text) => expect(plain(format.duration(ms))).toBe(text));

  it.each([
    [14_000, '0:14'],
    [725_000, '12:05'],
    [3_725_000, '1:02:05'],
    [-5, '0:00'],
  ])('%d ms running is %s', (ms, text) => expect(format.running(ms)).toBe(text));

  it('age in days', () => {
    expect(plain(format.age('2026-10-29T08:02:00Z', now))).toBe('23 d');
    expect(plain(format.openFor('2026-10-29T08:02:00Z', now))).toBe('open for 23 days');
    expect(plain(format.openFor('2026-11-20T08:02:00Z', now))).toBe('open for 1 day');
    expect(format.openFor('2026-11-21T08:02:00Z', now)).toBe('open since today');
  });

  it('of a scan that still runs are not invented', () => {
    expect(format.took('2026-11-21T09:14:00Z', null)).toBe('–');
    expect(plain(format.took('2026-11-21T09:14:00Z', '2026-11-21T09:14:34Z'))).toBe('34 s');
  });
});

describe('texts', () => {
  it('are cut in the middle', () => {
    expect(format.cutMiddle('api.prod2.kustomerapp.com', 15)).toBe('api.pro…app.com');
    expect(Array.from(format.cutMiddle('a'.repeat(40), 12))).toHaveLength(12);
    expect(format.cutMiddle('short', 15)).toBe('short');
  });

  it.each([
    ['048213', '048 213'],
    ['12345678', '1234 5678'],
    ['H7KM2QXTD', 'H7KM2 QXTD'],
    ['WXYZ-1234', 'WXYZ-1234'],
    ['1234', '1234'],
  ])('the code %s is read as %s', (code, text) => expect(format.grouped(code)).toBe(text));

  it('are listed', () => {
    expect(format.listed(['High'])).toBe('High');
    expect(format.listed(['Critical', 'High', 'Medium'])).toBe('Critical, High and Medium');
  });
});

describe('what is to come', () => {
  it.each([
    ['2026-11-21T11:59:00Z', 'due now'],
    ['2026-11-21T12:00:30Z', 'due now'],
    ['2026-11-21T12:12:30Z', 'in 12 min'],
    ['2026-11-21T15:59:00Z', 'in 3 h'],
    ['2026-11-22T11:59:00Z', 'in 23 h'],
    ['2026-11-22T13:00:00Z', 'Tomorrow'],
    ['2026-11-25T06:00:00Z', '25 Nov'],
    ['2027-01-01T06:00:00Z', '1 Jan 2027'],
    ['no time', '–'],
  ])('%s is %s', (iso, text) => expect(plain(format.until(iso, now, utc))).toBe(text));

  it('is planned with its day of the week', () => {
    expect(plain(format.planned('2026-11-23T06:00:00Z', now, utc))).toBe('Mon 23 Nov, 06:00');
    expect(plain(format.planned('2026-11-23T23:30:00Z', now, { timeZone: 'Europe/Berlin' }))).toBe('Tue 24 Nov, 00:30');
    expect(format.planned(null, now, utc)).toBe('–');
  });
});
