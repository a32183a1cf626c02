/**
 * Views of the findings that were saved under a name. A view is the address that shows it; they are kept with the other choices of
 * the window, so that they outlive a restart.
 */

/** A view with its name. */
export interface SavedView {
  name: string;
  query: Record<string, string>;
}

/** The choice of the window that holds them. */
export const SAVED = 'findings.saved_views';
/** The longest name, in characters. */
const LONGEST = 60;
/** What one choice of the window may come to, in bytes. */
const ROOM = 16 * 1024;

/** Reads what is remembered; what is damaged or of another shape is as if it had not been saved. */
export function readSaved(value: unknown): SavedView[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is SavedView => {
    if (typeof one !== 'object' || one === null) return false;
    const { name, query } = one as Record<string, unknown>;
    return typeof name === 'string' && name !== '' && typeof query === 'object' && query !== null && Object.values(query).every((text) => typeof text === 'string');
  });
}

/** What is wrong with a name; empty when it can be taken. The view that has it already may keep it. */
export function wrongName(views: readonly SavedView[], name: string, own?: string): string {
  const wanted = name.trim();
  if (wanted === '') return 'Give it a name, such as "Critical, nobody\'s".';
  if (wanted.length > LONGEST) return `A name has at most ${LONGEST} characters.`;
  const taken = views.some((view) => view.name.toLowerCase() === wanted.toLowerCase() && view.name !== own);
  return taken ? 'Another view has this name.' : '';
}

/** The name, or with a number behind it where another view has it by now. */
export function freeName(views: readonly SavedView[], name: string): string {
  const taken = new Set(views.map((view) => view.name.toLowerCase()));
  let free = name;
  for (let number = 2; taken.has(free.toLowerCase()); number += 1) {
    const behind = ` (${number})`;
    free = `${name.slice(0, LONGEST - behind.length).trimEnd()}${behind}`;
  }
  return free;
}

/** The views with one more, by name; `null` when there is no room for it. */
export function withView(views: readonly SavedView[], view: SavedView): SavedView[] | null {
  const all = [...views, { ...view, name: view.name.trim() }].sort((a, b) => a.name.localeCompare(b.name));
  return new TextEncoder().encode(JSON.stringify(all)).length > ROOM ? null : all;
}

/** Whether two addresses show the same. */
export function isSame(one: Record<string, string>, other: Record<string, string>): boolean {
  const [a, b] = [Object.keys(one), Object.keys(other)];
  return a.length === b.length && a.every((key) => one[key] === other[key]);
}
