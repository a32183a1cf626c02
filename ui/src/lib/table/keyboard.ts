/**
 * The keyboard model of a grid: which key moves where, and which asks for something. Pure, so that the whole model is
 * tested without a window. Rows count from 0; {@link HEADER} is the row of the titles.
 */

/** The row of the column titles, reached by ↑ from the first row. */
export const HEADER = -1;

/** Where the keyboard is in the grid, and where a selection made with Shift began. */
export interface Position {
  row: number;
  column: number;
  /** The row that Shift extends from; it follows every move without Shift. */
  anchor: number;
}

/** The size of the grid at the moment of the key press. */
export interface Bounds {
  /** Rows of the whole list, loaded or not. */
  rows: number;
  /** Columns shown. */
  columns: number;
  /** Rows that fit into the window; PgUp and PgDn move by one less, so that one row stays in sight. */
  page: number;
}

/** A key press, as much of it as the model looks at. `ctrl` is ⌘ on macOS. */
export interface Stroke {
  key: string;
  shift: boolean;
  ctrl: boolean;
  alt: boolean;
}

/** What the grid may be asked to do, beside moving. */
export type Request =
  | { kind: 'open'; row: number }
  | { kind: 'toggle'; row: number }
  | { kind: 'extend'; from: number; to: number }
  | { kind: 'all' }
  | { kind: 'copy' }
  | { kind: 'escape' }
  | { kind: 'sort'; column: number; add: boolean };

/** What the grid allows. */
export interface Abilities {
  /** Rows can be selected. */
  selectable: boolean;
  /** J and K move, unless single letters are switched off in Settings. */
  letters: boolean;
}

/** The answer to a key press; `null` leaves it to the browser and to whoever else listens. */
export interface Answer {
  position: Position;
  request: Request | null;
}

/** Where the keyboard starts: on the first row. */
export const START: Position = { row: 0, column: 0, anchor: 0 };

/** The position after the list or the columns changed: never outside, and on a row if there is one. */
export function clamp(position: Position, bounds: Bounds): Position {
  const last = bounds.rows - 1;
  return {
    row: position.row === HEADER || last < 0 ? HEADER : Math.min(position.row, last),
    column: Math.max(0, Math.min(position.column, bounds.columns - 1)),
    anchor: Math.max(0, Math.min(position.anchor, last)),
  };
}

/** What a key press comes to. */
export function press(from: Position, stroke: Stroke, bounds: Bounds, abilities: Abilities): Answer | null {
  const position = from.row === HEADER ? from : clamp(from, bounds);
  if (stroke.alt) return null;
  const asked = ask(position, stroke, abilities, bounds);
  if (asked) return { position, request: asked };
  const moved = move(position, stroke, bounds, abilities);
  if (!moved) return null;
  const extends_ = stroke.shift && abilities.selectable && moved.row !== position.row && moved.row !== HEADER;
  if (extends_ && position.row !== HEADER) {
    return {
      position: { ...moved, anchor: position.anchor },
      request: { kind: 'extend', from: position.anchor, to: moved.row },
    };
  }
  return { position: { ...moved, anchor: Math.max(0, moved.row) }, request: null };
}

function ask(at: Position, stroke: Stroke, abilities: Abilities, bounds: Bounds): Request | null {
  const onRow = at.row !== HEADER;
  switch (stroke.key) {
    case 'Enter':
      if (stroke.ctrl) return null;
      if (onRow) return { kind: 'open', row: at.row };
      return { kind: 'sort', column: at.column, add: stroke.shift };
    case ' ':
      if (!abilities.selectable || stroke.ctrl) return null;
      if (!onRow) return null;
      if (stroke.shift) return { kind: 'extend', from: at.anchor, to: at.row };
      return { kind: 'toggle', row: at.row };
    case 'a':
    case 'A':
      return stroke.ctrl && abilities.selectable && bounds.rows > 0 ? { kind: 'all' } : null;
    case 'c':
    case 'C':
      return stroke.ctrl && !stroke.shift && abilities.selectable ? { kind: 'copy' } : null;
    case 'Escape':
      return { kind: 'escape' };
    default:
      return null;
  }
}

function move(at: Position, stroke: Stroke, bounds: Bounds, abilities: Abilities): Position | null {
  const last = bounds.rows - 1;
  const to = (row: number): Position => ({ ...at, row: Math.max(HEADER, Math.min(row, last)) });
  const onto = (row: number): Position => ({ ...at, row: last < 0 ? HEADER : Math.max(0, Math.min(row, last)) });
  const across = (column: number): Position => ({
    ...at,
    column: Math.max(0, Math.min(column, bounds.columns - 1)),
  });
  const leap = Math.max(1, bounds.page - 1);
  switch (stroke.key) {
    case 'ArrowDown':
      return stroke.ctrl ? onto(last) : to(at.row + 1);
    case 'ArrowUp':
      // With Shift a selection grows, and the titles cannot be part of one.
      return stroke.ctrl ? onto(0) : stroke.shift ? onto(at.row - 1) : to(at.row - 1);
    case 'PageDown':
      return onto(Math.max(0, at.row) + leap);
    case 'PageUp':
      return onto(at.row - leap);
    case 'Home':
      return onto(0);
    case 'End':
      return onto(last);
    case 'ArrowLeft':
      return stroke.ctrl ? across(0) : across(at.column - 1);
    case 'ArrowRight':
      return stroke.ctrl ? across(bounds.columns - 1) : across(at.column + 1);
    case 'j':
    case 'J':
      return abilities.letters && !stroke.ctrl ? onto(at.row + 1) : null;
    case 'k':
    case 'K':
      return abilities.letters && !stroke.ctrl ? onto(at.row - 1) : null;
    default:
      return null;
  }
}
