import { describe, expect, it } from 'vitest';
import * as columns from './columns';
import * as selection from './selection';
import { ariaSort, nextSorting, sorted } from './sorting';
import { PAGE, Pages } from './pages.svelte';

describe('selection', () => {
  it('counts what is selected, also when most of it was never loaded', () => {
    const all = selection.toggle(selection.toggle(selection.EVERYTHING, 'a'), 'b');
    expect(selection.size(all, 618)).toBe(616);
    expect(selection.holds(all, 'a')).toBe(false);
    expect(selection.holds(all, 'never seen')).toBe(true);
    expect(selection.size(selection.toggle(all, 'a'), 618)).toBe(617);
  });

  it('does not change what it is given', () => {
    const one = selection.toggle(selection.NOTHING, 'a');
    selection.toggle(one, 'b');
    expect(selection.size(one, 10)).toBe(1);
    expect(selection.size(selection.NOTHING, 10)).toBe(0);
  });
});

describe('sorting', () => {
  it('turns the direction on the second press, and keeps two keys with Shift', () => {
    const first = nextSorting([], 'severity', false, true);
    expect(first).toEqual([{ column: 'severity', descending: true }]);
    expect(nextSorting(first, 'severity', false, true)).toEqual([{ column: 'severity', descending: false }]);
    const two = nextSorting(first, 'title', true, false);
    expect(two.map((key) => key.column)).toEqual(['severity', 'title']);
    expect(nextSorting(two, 'age', true, false).map((key) => key.column)).toEqual(['severity', 'age']);
    expect(nextSorting(two, 'title', false, false)).toEqual([{ column: 'title', descending: false }]);
    expect(ariaSort(two, 'title')).toBe('ascending');
    expect(ariaSort(two, 'age')).toBe('none');
  });

  it('puts what is not known at the end in either direction', () => {
    const rows = [{ v: 2 }, { v: null }, { v: 10 }, { v: 1 }];
    const value = (row: { v: number | null }): number | null => row.v;
    const order = (descending: boolean): (number | null)[] =>
      sorted(rows, [{ column: 'v', descending }], value).map((row) => row.v);
    expect(order(false)).toEqual([1, 2, 10, null]);
    expect(order(true)).toEqual([10, 2, 1, null]);
  });

  it('reads numbers in names as numbers', () => {
    const names = sorted(['repo 10', 'Repo 2'], [{ column: 'name', descending: false }], (name) => name);
    expect(names).toEqual(['Repo 2', 'repo 10']);
  });
});

describe('columns', () => {
  const offer: columns.Column[] = [
    { id: 'mark', title: 'Severity', width: 32, fixed: true },
    { id: 'title', title: 'Finding', width: 240, min: 160, grow: 1, fixed: true },
    { id: 'instance', title: 'Instance', width: 160, from: 500 },
    { id: 'age', title: 'Age', width: 60 },
    { id: 'check', title: 'Check', width: 200, extra: true },
  ];
  const ids = (choice: columns.ColumnChoice, width = 900): string[] =>
    columns.visible(offer, choice, width).map((column) => column.id);

  it('are as offered at first, and fewer where there is no room', () => {
    expect(ids(columns.AS_OFFERED)).toEqual(['mark', 'title', 'instance', 'age']);
    expect(ids(columns.AS_OFFERED, 420)).toEqual(['mark', 'title', 'age']);
  });

  it('can be chosen, moved and resized, and the choice survives being stored', () => {
    let choice = columns.choose(columns.AS_OFFERED, 'check', true);
    choice = columns.choose(choice, 'instance', false);
    choice = columns.moveColumn(offer, choice, 'check', -1);
    choice = columns.resize(choice, 'age', 88);
    const stored = columns.readChoice(JSON.parse(JSON.stringify(choice)));
    expect(stored).toEqual(choice);
    expect(ids(stored)).toEqual(['mark', 'title', 'check', 'age']);
    expect(columns.template(columns.visible(offer, stored, 900), stored)).toBe('2rem minmax(10rem, 1fr) 12.5rem 5.5rem');
  });

  it('cannot lose a fixed column, nor move past the ends', () => {
    expect(ids(columns.choose(columns.AS_OFFERED, 'title', false))).toContain('title');
    expect(columns.moveColumn(offer, columns.AS_OFFERED, 'instance', -1)).toBe(columns.AS_OFFERED);
    expect(columns.moveColumn(offer, columns.AS_OFFERED, 'mark', 1)).toBe(columns.AS_OFFERED);
  });

  it.each([undefined, null, '', 3, [], { order: 5, shown: ['title'], widths: { age: 'wide', title: 9999 } }])(
    'read %s as nothing chosen',
    (value) => {
      const choice = columns.readChoice(value);
      expect(ids(choice)).toEqual(ids(columns.AS_OFFERED));
      expect(choice.widths).toEqual({});
    },
  );
});

describe('pages', () => {
  const list = (total: number) => {
    const asked: number[] = [];
    const pages = new Pages<number>((offset, limit) => {
      asked.push(offset);
      const rows = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, i) => offset + i);
      return Promise.resolve({ total, rows });
    });
    return { asked, pages };
  };

  it('are asked for once each, and only where the window is', async () => {
    const { asked, pages } = list(100_000);
    pages.reset();
    await pages.range(0, 0);
    pages.want(40_010, 40_040);
    pages.want(40_010, 40_041);
    await pages.range(40_010, 40_041);
    expect(asked).toEqual([0, 40_000]);
    expect(pages.total).toBe(100_000);
    expect(pages.row(40_020)).toBe(40_020);
    expect(pages.row(50_000)).toBeUndefined();
  });

  it('are let go when they are far away', async () => {
    const { pages } = list(100_000);
    pages.reset();
    await pages.range(0, 0);
    for (let from = 0; from < 40 * PAGE; from += PAGE) {
      pages.want(from, from + 30);
      await pages.range(from, from + 30);
    }
    pages.want(39 * PAGE, 39 * PAGE + 30);
    expect(pages.row(39 * PAGE)).toBe(39 * PAGE);
    expect(pages.row(5)).toBeUndefined();
  });

  it('give a range over several pages in order', async () => {
    const { pages } = list(250);
    pages.reset();
    await pages.range(0, 0);
    expect(await pages.range(230, 95)).toEqual(Array.from({ length: 136 }, (_, i) => 95 + i));
    expect(await pages.range(240, 900)).toHaveLength(10);
  });

  it('drop the answer to a question that is no longer asked', async () => {
    const waiting: ((page: { total: number; rows: string[] }) => void)[] = [];
    const heard: number[] = [];
    const pages = new Pages<string>(
      () => new Promise((resolve) => waiting.push(resolve)),
      ({ total }) => heard.push(total),
    );
    pages.reset();
    pages.reset();
    expect(pages.answer).toBeNull();
    waiting[1]?.({ total: 1, rows: ['new'] });
    waiting[0]?.({ total: 2, rows: ['old', 'old'] });
    await Promise.resolve();
    await Promise.resolve();
    expect(pages.total).toBe(1);
    expect(pages.row(0)).toBe('new');
    expect(pages.answer).toEqual({ total: 1, rows: ['new'] });
    expect(heard).toEqual([1]);
  });

  it('keep what is shown while it is asked for again', async () => {
    let text = 'before';
    const pages = new Pages<string>(() => Promise.resolve({ total: 1, rows: [text] }));
    pages.reset();
    await pages.range(0, 0);
    await Promise.resolve();
    text = 'after';
    const done = pages.refresh();
    expect(pages.row(0)).toBe('before');
    await done;
    expect(pages.row(0)).toBe('after');
  });

  it('tell why a page is missing, until one arrives', async () => {
    let broken = true;
    const pages = new Pages<string>(() =>
      broken ? Promise.reject(new Error('E-STORE')) : Promise.resolve({ total: 1, rows: ['a'] }),
    );
    pages.reset();
    await new Promise((resolve) => setTimeout(resolve));
    expect(pages.failure).toBeInstanceOf(Error);
    broken = false;
    await pages.refresh();
    expect(pages.failure).toBeNull();
    expect(pages.total).toBe(1);
  });
});
