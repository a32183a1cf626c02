import { untrack } from 'svelte';
import { isTyping, matches } from './keys';

/** What a key does, and what it is called in the `?` list and in the palette. */
export interface Shortcut {
  /** "mod+e", "/", "F5", "s". */
  keys: string;
  name: string;
  /** The part of the `?` list it stands in. */
  group: string;
  run: () => void;
  /** Offered in the palette too. */
  command?: boolean;
}

class Shortcuts {
  #all = $state.raw<Shortcut[]>([]);
  /** Whether single letters act. */
  letters = $state(true);

  /** What acts now, the latest registered last. */
  get all(): Shortcut[] {
    return this.#all;
  }

  add(shortcut: Shortcut): () => void {
    this.#all = [...this.#all, shortcut];
    return () => {
      this.#all = this.#all.filter((other) => other !== shortcut);
    };
  }

  /** Runs what the event stands for; the latest registered wins. */
  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1;
    if (plain && isTyping(event.target)) return;
    // A dialog is a world of its own: what lies under it does not answer. Lock does, everywhere.
    const inDialog = document.querySelector('[role="dialog"], [role="alertdialog"]') !== null;
    const found = this.#all.findLast((shortcut) => matches(event, shortcut.keys));
    if (!found || (inDialog && found.keys !== 'mod+l')) return;
    if (plain && /^[a-z]$/i.test(event.key)) return;
    event.preventDefault();
    found.run();
  }
}

/** The keys of the whole window. Single letters are handled where a row or pane has the focus. */
export const shortcuts = new Shortcuts();

/** Registers a shortcut for as long as the component that calls it lives. */
export function useShortcut(shortcut: Shortcut): void {
  // Adding reads the list it changes; the effect must not run again because of it.
  $effect(() => untrack(() => shortcuts.add(shortcut)));
}
