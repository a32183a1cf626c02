/**
 * Which rows are selected: some by their keys, or all that the filter leaves except some. "All" needs no list of keys,
 * because most of a long list was never loaded.
 */
export type Selection =
  | { kind: 'some'; keys: ReadonlySet<string> }
  | { kind: 'all'; except: ReadonlySet<string> };

/** Nothing is selected. */
export const NOTHING: Selection = { kind: 'some', keys: new Set() };

/** Everything that the filter leaves. */
export const EVERYTHING: Selection = { kind: 'all', except: new Set() };

/** Whether a row is selected. */
export function holds(selection: Selection, key: string): boolean {
  return selection.kind === 'some' ? selection.keys.has(key) : !selection.except.has(key);
}

/** How many rows are selected, of a list of `total`. */
export function size(selection: Selection, total: number): number {
  return selection.kind === 'some' ? selection.keys.size : Math.max(0, total - selection.except.size);
}

/** Turns one row over. */
export function toggle(selection: Selection, key: string): Selection {
  const turned = new Set(selection.kind === 'some' ? selection.keys : selection.except);
  if (!turned.delete(key)) turned.add(key);
  return selection.kind === 'some' ? { kind: 'some', keys: turned } : { kind: 'all', except: turned };
}

/** The rows between the anchor and the current row, and nothing else. */
export function only(keys: Iterable<string>): Selection {
  return { kind: 'some', keys: new Set(keys) };
}
