import { render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { createRawSnippet } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import type { Column } from './columns';
import Grid from './Grid.svelte';
import { withParameter } from './parameter';
import type { SortKey } from './sorting';

interface Row {
  id: string;
  name: string;
}

const columns: Column[] = [
  { id: 'name', title: 'Name', width: 200, fixed: true, sort: 'ascending' },
  { id: 'age', title: 'Age', width: 60, fixed: true, sort: 'descending' },
];
const cell = createRawSnippet<[Row, Column]>((row, column) => ({
  render: () => '<span></span>',
  setup: (element) => {
    element.textContent = column().id === 'name' ? row().name : row().id;
  },
}));

function grid(total: number, more: Record<string, unknown> = {}) {
  const row = (index: number): Row | undefined => (index < total ? { id: `id-${index}`, name: `Row ${index}` } : undefined);
  const view = render(Grid<Row>, {
    label: 'Rows',
    columns,
    total,
    row,
    key: (one: Row) => one.id,
    cell,
    rowTestid: 'row',
    ...more,
  });
  return { ...view, user: userEvent.setup(), table: screen.getByRole('grid') };
}
const active = (table: HTMLElement): string | null => table.getAttribute('aria-activedescendant');

describe('a grid of 100,000 rows', () => {
  it('draws the ones in sight and names the size of all', () => {
    const { table } = grid(100_000);
    expect(screen.getAllByTestId('row').length).toBeGreaterThan(5);
    expect(screen.getAllByTestId('row').length).toBeLessThan(80);
    expect(table).toHaveAttribute('aria-rowcount', '100001');
    expect(within(table).getAllByRole('columnheader')).toHaveLength(2);
  });

  it('keeps the row of the keyboard drawn, however far it is', async () => {
    const onmove = vi.fn();
    const { table, user } = grid(100_000, { onmove });
    table.focus();
    await user.keyboard('{End}');
    expect(onmove).toHaveBeenLastCalledWith({ id: 'id-99999', name: 'Row 99999' });
    await waitFor(() => expect(document.getElementById(active(table) ?? '')).toHaveTextContent('Row 99999'));
  });

  it('is one tab stop', async () => {
    const { table, user } = grid(50);
    await user.tab();
    expect(table).toHaveFocus();
    await user.tab();
    expect(table).not.toHaveFocus();
    expect(document.activeElement).toBe(document.body);
  });
});

describe('its keys', () => {
  it('open, sort from the titles, and leave', async () => {
    const onopen = vi.fn();
    const onsort = vi.fn<(sorting: SortKey[]) => void>();
    const onescape = vi.fn();
    const { table, user } = grid(20, { onopen, onsort, onescape, sortKeys: 2, sorting: [{ column: 'name', descending: false }] });
    table.focus();
    await user.keyboard('{ArrowDown}{Enter}');
    expect(onopen).toHaveBeenLastCalledWith({ id: 'id-1', name: 'Row 1' });
    await user.keyboard('{Home}{ArrowUp}{Enter}');
    expect(onsort).toHaveBeenLastCalledWith([{ column: 'name', descending: true }]);
    await user.keyboard('{ArrowRight}{Shift>}{Enter}{/Shift}');
    expect(onsort).toHaveBeenLastCalledWith([
      { column: 'name', descending: false },
      { column: 'age', descending: true },
    ]);
    await user.keyboard('{Escape}');
    expect(onescape).toHaveBeenCalledOnce();
    expect(within(table).getAllByRole('columnheader')[0]).toHaveAttribute('aria-sort', 'ascending');
  });

  it('select, stretch, take all, and Escape lets go before it leaves', async () => {
    const onescape = vi.fn();
    const range = (from: number, to: number): Promise<Row[]> =>
      Promise.resolve(
        Array.from({ length: Math.abs(to - from) + 1 }, (_, n) => ({ id: `id-${Math.min(from, to) + n}`, name: '' })),
      );
    const { table, user } = grid(500, { selectable: true, range, onescape });
    const said = (): string => screen.getByRole('status').textContent;
    table.focus();
    await user.keyboard(' ');
    expect(said()).toBe('1 selected');
    await user.keyboard('{Shift>}{ArrowDown}{ArrowDown}{/Shift}');
    await waitFor(() => expect(said()).toBe('3 selected'));
    expect(screen.getAllByTestId('row').filter((row) => row.getAttribute('aria-selected') === 'true')).toHaveLength(3);
    await user.keyboard('{Control>}a{/Control}');
    expect(said()).toBe('500 selected');
    await user.keyboard('{Escape}');
    expect(said()).toBe('');
    expect(onescape).not.toHaveBeenCalled();
    await user.keyboard('{Escape}');
    expect(onescape).toHaveBeenCalledOnce();
  });

  it('ask the screen about single letters, unless these are switched off', async () => {
    const onletter = vi.fn(() => true);
    const { table, user, rerender } = grid(5, { onletter });
    table.focus();
    await user.keyboard('s');
    expect(onletter).toHaveBeenCalledExactlyOnceWith('s', { id: 'id-0', name: 'Row 0' });
    await rerender({ letters: false });
    await user.keyboard('s');
    expect(onletter).toHaveBeenCalledOnce();
  });
});

describe('the pointer', () => {
  it('opens a row, turns its box over, and sorts by a title', async () => {
    const onopen = vi.fn();
    const onsort = vi.fn();
    const { user } = grid(5, { onopen, onsort, selectable: true, range: () => Promise.resolve([]) });
    await user.click(screen.getByText('Row 2'));
    expect(onopen).toHaveBeenCalledExactlyOnceWith({ id: 'id-2', name: 'Row 2' });
    const [, second] = screen.getAllByLabelText('Not selected');
    if (!second) throw new Error('there is a second box');
    await user.click(second);
    expect(screen.getByRole('status')).toHaveTextContent('1 selected');
    expect(onopen).toHaveBeenCalledOnce();
    await user.click(screen.getByText('Age'));
    expect(onsort).toHaveBeenCalledExactlyOnceWith([{ column: 'age', descending: true }]);
  });
});

describe('a parameter of the address', () => {
  it('is set, changed and taken away, and leaves the others alone', () => {
    const query = new URLSearchParams('tab=checks&verdict=fail');
    expect(withParameter(query, 'verdict', 'pass')).toEqual({ tab: 'checks', verdict: 'pass' });
    expect(withParameter(query, 'verdict', '')).toEqual({ tab: 'checks' });
    expect(withParameter(query, 'text', 'a b')).toEqual({ tab: 'checks', verdict: 'fail', text: 'a b' });
  });
});
