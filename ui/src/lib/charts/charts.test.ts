import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import ScoreBar from './ScoreBar.svelte';
import Trend from './Trend.svelte';
import { apart, gaps, namedDays, scaleOf, stretches } from './trend';

const plain = (text: string | null): string => (text ?? '').replaceAll('\u00a0', ' ');

describe('a trend', () => {
  const values = [null, null, 5, 4, null, null, 3, null, 2, null];

  it('draws no line across a day without a scan', () => {
    expect(stretches(values)).toEqual([
      { from: 2, to: 3 },
      { from: 6, to: 6 },
      { from: 8, to: 8 },
    ]);
  });

  it('marks every such day after the first scan', () => {
    expect(gaps(values)).toEqual([
      { from: 4, to: 5 },
      { from: 7, to: 7 },
      { from: 9, to: 9 },
    ]);
    expect(gaps([null, null])).toEqual([]);
  });

  it('has a scale from 0 that holds the highest value, in three whole steps', () => {
    for (let highest = 0; highest < 5000; highest += 13) {
      const { top, step } = scaleOf(highest);
      expect(top, String(highest)).toBeGreaterThanOrEqual(highest);
      expect(step * 3).toBe(top);
      expect(Number.isInteger(step)).toBe(true);
    }
    expect(scaleOf(158)).toEqual({ top: 180, step: 60 });
  });

  it('names its first and last day', () => {
    expect(namedDays(30)).toEqual([0, 10, 19, 29]);
    expect(namedDays(1)).toEqual([0]);
    expect(namedDays(0)).toEqual([]);
  });

  it('keeps its labels apart', () => {
    const [a, b] = apart(50, 52, 16);
    expect(b - a).toBe(16);
    expect(apart(10, 90, 16)).toEqual([10, 90]);
  });

  it('is read by ← and →, day by day, and says where nothing was scanned', async () => {
    const days = [
      { day: '2026-11-19', open: 140, critical_high: 33 },
      { day: '2026-11-20', open: null, critical_high: null },
      { day: '2026-11-21', open: 137, critical_high: 31 },
    ];
    const user = userEvent.setup();
    const { rerender } = render(Trend, { days, label: 'Open findings' });
    const chart = screen.getByRole('slider');
    chart.focus();
    expect(plain(chart.getAttribute('aria-valuetext'))).toBe('21 Nov: 137 open, 31 critical and high');
    await user.keyboard('{ArrowLeft}');
    expect(plain(chart.getAttribute('aria-valuetext'))).toBe('20 Nov: not scanned');
    await user.keyboard('{Home}');
    expect(plain(chart.getAttribute('aria-valuetext'))).toBe('19 Nov: 140 open, 33 critical and high');
    await rerender({ days, label: 'Open findings', table: true });
    expect(screen.getAllByRole('row')).toHaveLength(4);
    expect(screen.getByText('not scanned')).toBeInTheDocument();
  });
});

describe('a score bar', () => {
  it('says all three shares', () => {
    render(ScoreBar, { score: { value: 71, passed: 0.71, failed: 0.2, not_evaluated: 0.09 } });
    expect(plain(screen.getByRole('img').getAttribute('aria-label'))).toBe('Passed 71 %, failed 20 %, not evaluated 9 %');
  });
});
