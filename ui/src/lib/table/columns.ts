/** Which columns a table shows, in which order and how wide: what the reader chose, laid over what the screen offers. */

/** A column that a screen offers. Widths are CSS pixels at 100 % text size and are laid out in rem. */
export interface Column {
  id: string;
  title: string;
  width: number;
  /** Takes a share of the room that is left; without it the width stands. */
  grow?: number;
  /** Narrowest width; `width` when absent. */
  min?: number;
  align?: 'start' | 'end';
  /** Can be sorted by; `descending` is the better first direction. */
  sort?: 'ascending' | 'descending';
  /** Cannot be left out, moved before or away from the start. */
  fixed?: boolean;
  /** Left out where the table is narrower than this, whatever was chosen. */
  from?: number;
  /** Left out until it is chosen. */
  extra?: boolean;
}

/** What the reader chose; what is absent is as the screen offers it. */
export interface ColumnChoice {
  order: readonly string[];
  /** Shown or not, against the offer. */
  shown: Readonly<Record<string, boolean>>;
  widths: Readonly<Record<string, number>>;
}

/** Nothing was chosen yet. */
export const AS_OFFERED: ColumnChoice = { order: [], shown: {}, widths: {} };

const NARROWEST = 48;
const WIDEST = 640;

/** All columns in the chosen order: fixed ones first as offered, then the chosen, then the ones that are new since. */
export function ordered(offer: readonly Column[], choice: ColumnChoice): Column[] {
  const fixed = offer.filter((column) => column.fixed);
  const free = offer.filter((column) => !column.fixed);
  const chosen = choice.order.flatMap((id) => free.filter((column) => column.id === id));
  const rest = free.filter((column) => !choice.order.includes(column.id));
  return [...fixed, ...chosen, ...rest];
}

/** Whether a column is shown where there is room. */
export function isShown(column: Column, choice: ColumnChoice): boolean {
  return column.fixed === true || (choice.shown[column.id] ?? column.extra !== true);
}

/** The columns of a table of this width. */
export function visible(offer: readonly Column[], choice: ColumnChoice, tableWidth: number): Column[] {
  return ordered(offer, choice).filter(
    (column) => isShown(column, choice) && (column.from === undefined || tableWidth >= column.from),
  );
}

/** The value of `grid-template-columns`. */
export function template(columns: readonly Column[], choice: ColumnChoice): string {
  const rem = (pixels: number): string => `${pixels / 16}rem`;
  return columns
    .map((column) => {
      const chosen = choice.widths[column.id];
      if (chosen !== undefined) return rem(chosen);
      if (column.grow === undefined) return rem(column.width);
      return `minmax(${rem(column.min ?? column.width)}, ${column.grow}fr)`;
    })
    .join(' ');
}

/** Shows or hides a column. */
export function choose(choice: ColumnChoice, id: string, shown: boolean): ColumnChoice {
  return { ...choice, shown: { ...choice.shown, [id]: shown } };
}

/** Moves a column one place towards the start (-1) or the end (1). */
export function moveColumn(offer: readonly Column[], choice: ColumnChoice, id: string, by: -1 | 1): ColumnChoice {
  const free = ordered(offer, choice)
    .filter((column) => !column.fixed)
    .map((column) => column.id);
  const at = free.indexOf(id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= free.length) return choice;
  free.splice(at, 1);
  free.splice(to, 0, id);
  return { ...choice, order: free };
}

/** Gives a column a width. */
export function resize(choice: ColumnChoice, id: string, width: number): ColumnChoice {
  const kept = Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)));
  return { ...choice, widths: { ...choice.widths, [id]: kept } };
}

/** Reads a remembered choice; what is damaged or of another shape is as if nothing had been chosen. */
export function readChoice(value: unknown): ColumnChoice {
  if (typeof value !== 'object' || value === null) return AS_OFFERED;
  const { order, shown, widths } = value as Record<string, unknown>;
  const entries = <V>(from: unknown, is: (v: unknown) => v is V): Record<string, V> =>
    typeof from === 'object' && from !== null
      ? Object.fromEntries(Object.entries(from).filter((entry): entry is [string, V] => is(entry[1])))
      : {};
  return {
    order: Array.isArray(order) ? order.filter((id): id is string => typeof id === 'string') : [],
    shown: entries(shown, (v): v is boolean => typeof v === 'boolean'),
    widths: entries(widths, (v): v is number => typeof v === 'number' && v >= NARROWEST && v <= WIDEST),
  };
}
