/** The order of a table: at most two keys, the first one decides. */

/** One key of the order. */
export interface SortKey {
  column: string;
  descending: boolean;
}

/** The order that a click or Enter on a title leads to. */
export function nextSorting(
  current: readonly SortKey[],
  column: string,
  add: boolean,
  descendingFirst: boolean,
): SortKey[] {
  const at = current.findIndex((key) => key.column === column);
  const known = at >= 0 ? current[at] : undefined;
  const turned: SortKey = { column, descending: known ? !known.descending : descendingFirst };
  if (!add) {
    // A title that was only the second key becomes the first one in the direction it had.
    return [at > 0 && known ? known : turned];
  }
  if (at >= 0) return current.map((key, index) => (index === at ? turned : key));
  return [...current.slice(0, 1), turned];
}

/** What `aria-sort` says of a column. */
export function ariaSort(sorting: readonly SortKey[], column: string): 'ascending' | 'descending' | 'none' {
  const key = sorting.find((one) => one.column === column);
  if (!key) return 'none';
  return key.descending ? 'descending' : 'ascending';
}

/** A value to sort by; `null` stands at the end in either direction. */
export type SortValue = string | number | null;

/** Sorts rows that are all in memory; equal rows keep their order. */
export function sorted<T>(
  rows: readonly T[],
  sorting: readonly SortKey[],
  value: (row: T, column: string) => SortValue,
): T[] {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  const compare = (a: SortValue, b: SortValue, descending: boolean): number => {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
    return descending ? -order : order;
  };
  return [...rows].sort((a, b) => {
    for (const key of sorting) {
      const order = compare(value(a, key.column), value(b, key.column), key.descending);
      if (order !== 0) return order;
    }
    return 0;
  });
}
