import { describe, expect, it } from 'vitest';
import { absorb, FIRST, isFiltered, readView, writeView, type View } from './view';

const address = (view: View, sandboxAlone = false): string => new URLSearchParams(writeView(view, sandboxAlone)).toString();
const read = (query: string, sandboxAlone = false): View => readView(new URLSearchParams(query), sandboxAlone);

describe('a view and its address', () => {
  it('is empty for what stands at first', () => {
    expect(address(FIRST)).toBe('');
    expect(read('')).toEqual(FIRST);
  });

  it('are the same thing, whatever is filtered', () => {
    const views: View[] = [
      { ...FIRST, filter: { ...FIRST.filter, severities: ['critical', 'high'], apps: ['kustomer'], text: 'SSO & "passwords"' } },
      { ...FIRST, filter: { ...FIRST.filter, states: [], not_rechecked: true, sandbox: 'with' }, descending: false },
      { ...FIRST, filter: { ...FIRST.filter, states: ['fixed', 'gone'], instances: ['a', 'b'], checks: ['k.x'], features: ['config'] } },
      { ...FIRST, filter: { ...FIRST.filter, owners: ['', 'Laurent, Mei', '100 %2C'], frameworks: ['nist_800_53/IA-2', 'cis_v8'] } },
      { ...FIRST, filter: { ...FIRST.filter, found_within_days: 90, older_than_days: 30 } },
      { ...FIRST, sort: 'first_seen', descending: false },
      { ...FIRST, sort: 'title', descending: true },
    ];
    for (const view of views) {
      for (const alone of [false, true]) expect(read(address(view, alone), alone)).toEqual(view);
    }
  });

  it('have one form, however it was clicked together', () => {
    expect(address(read('severity=medium,critical,medium'))).toBe('severity=critical%2Cmedium');
  });

  it('leave out what does not exist', () => {
    const view = read('severity=worst,high&state=nonsense&sort=colour&sandbox=maybe&unheard=of');
    expect(view.filter.severities).toEqual(['high']);
    expect(view.sort).toBe('severity');
    expect(view.filter.sandbox).toBe('without');
  });

  it('show the simulated tenants alone while there is nothing else', () => {
    expect(read('', true).filter.sandbox).toBe('only');
    expect(read('sandbox=without', true).filter.sandbox).toBe('without');
    expect(isFiltered(read('', true).filter, true)).toBe(false);
    expect(isFiltered(read('severity=high').filter, false)).toBe(true);
  });
});

describe('what is typed', () => {
  it('may be a check, an owner with spaces, a control and an age', () => {
    const { filter, text } = absorb('check:kustomer.auth owner:"Mei Laurent" framework:nist_800_53/IA-2 age:>30d age:<90 owner:(none) rest', FIRST.filter);
    expect(filter).toMatchObject({ checks: ['kustomer.auth'], owners: ['Mei Laurent', ''], frameworks: ['nist_800_53/IA-2'], older_than_days: 30, found_within_days: 90 });
    expect(text).toBe('rest');
    const unclear = absorb('age:old age:>99999d', FIRST.filter);
    expect([unclear.filter, unclear.text]).toEqual([FIRST.filter, 'age:old age:>99999d']);
    expect(absorb('age:>30d', filter).text).toBe('');
  });

  it('becomes filters and text', () => {
    const { filter, text } = absorb('severity:high app:kustomer  single sign-on', FIRST.filter);
    expect(filter.severities).toEqual(['high']);
    expect(filter.apps).toEqual(['kustomer']);
    expect(text).toBe('single sign-on');
  });

  it('adds to what is filtered, and replaces the state that was never typed', () => {
    const first = absorb('severity:high,low state:fixed', FIRST.filter).filter;
    expect(first.severities).toEqual(['high', 'low']);
    expect(first.states).toEqual(['fixed']);
    const second = absorb('severity:critical state:open', first).filter;
    expect(second.severities).toEqual(['critical', 'high', 'low']);
    expect(second.states).toEqual(['open', 'fixed']);
  });

  it('keeps as text what is no filter', () => {
    for (const typed of ['severity:worst', 'https://x.example/a:b', 'severity:', 'toString:x', '__proto__:x']) {
      const { filter, text } = absorb(typed, FIRST.filter);
      expect(text).toBe(typed);
      expect(filter).toEqual(FIRST.filter);
    }
  });
});
