import { asFailure, type Backend, type FindingPage } from '$lib/backend/backend';
import { toasts } from '$lib/shell/toasts.svelte';

/** Says what was decided, with Undo. `changed` is told when it was undone, so that lists are asked for again. */
export function offerUndo(backend: Backend, text: string, ids: readonly string[], changed: () => void): void {
  toasts.show(text, { label: 'Undo', run: () => void undo(backend, ids, changed) });
}

/** Takes decisions back; answers whether all were. One that has ended meanwhile is told. */
export async function undo(backend: Backend, ids: readonly string[], changed: () => void): Promise<boolean> {
  let whole = true;
  for (const id of ids) {
    try {
      await backend.undoDecision(id);
    } catch (thrown) {
      whole = false;
      toasts.show(asFailure(thrown).sentence);
    }
  }
  changed();
  return whole;
}

/** Does what takes the pressed control away; then the focus goes to what stays, unless it was moved meanwhile. */
export async function keepFocus(pressed: MouseEvent, stays: HTMLElement | null | undefined, act: () => Promise<unknown>): Promise<void> {
  const control = pressed.currentTarget;
  await act();
  if (document.activeElement === control || document.activeElement === document.body) stays?.focus();
}

/** Locks what was read of a finding's row to what it is, or which rows there are, and offers Undo. */
export async function lockFinding(backend: Backend, page: FindingPage, changed: () => void, rows = false): Promise<void> {
  const { instance, check } = page.finding;
  const decision = await backend.lockCheck({ instance, check, row: rows ? null : page.row, reason: '' });
  offerUndo(backend, `Locked${rows ? ', which rows there are' : ''}: ${page.practice}`, [decision.id], changed);
  changed();
}
