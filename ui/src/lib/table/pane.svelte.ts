import { untrack } from 'svelte';
import { useShortcut } from '$lib/keyboard/shortcuts.svelte';

const REST = 120;

/** Moving through a table carries its pane along, a moment later, so that a held key does not ask for every row. */
export function useFollow(): { later: (show: () => void) => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => clearTimeout(timer);
  $effect(() => stop);
  return {
    later(show) {
      stop();
      timer = setTimeout(show, REST);
    },
    stop,
  };
}

/** F6 leads from the table to its pane and back. */
export function usePaneKey(pane: () => HTMLElement | undefined, table: () => { focus: () => void } | undefined): void {
  useShortcut({
    keys: 'F6',
    name: 'To the detail pane and back',
    group: 'Table',
    run: () => {
      const beside = untrack(pane);
      if (beside && !beside.contains(document.activeElement)) beside.focus();
      else untrack(table)?.focus();
    },
  });
}
