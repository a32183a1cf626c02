/** Whether this platform writes ⌘ where others write Ctrl. */
export const isMac: boolean = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);

const names: Record<string, string> = { mod: 'Ctrl', alt: 'Alt', shift: 'Shift', left: '←', right: '→', up: '↑', down: '↓' };
const macNames: Record<string, string> = { ...names, mod: '⌘', alt: '⌥', shift: '⇧' };

/** "mod+k" as this platform writes it: "Ctrl K" or "⌘K". */
export function platformKeys(keys: string, mac: boolean = isMac): string {
  const parts = keys.split('+').map((key) => {
    const known = (mac ? macNames : names)[key.toLowerCase()];
    return known ?? (key.length === 1 ? key.toUpperCase() : key);
  });
  return parts.join(mac ? '' : ' ');
}

/** Whether the event is exactly this chord, in the notation of `platformKeys`. */
export function matches(event: KeyboardEvent, keys: string, mac: boolean = isMac): boolean {
  const parts = keys.toLowerCase().split('+');
  const key = { left: 'arrowleft', right: 'arrowright', up: 'arrowup', down: 'arrowdown' }[parts.at(-1) ?? ''] ?? parts.at(-1);
  const mod = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  // "?" and the like need Shift on most layouts, so Shift is only asked about where the chord names it or a letter is meant.
  const shiftMatters = parts.includes('shift') || /^[a-z0-9]$/.test(key ?? '') || (key ?? '').length > 1;
  return (
    event.key.toLowerCase() === key &&
    mod === parts.includes('mod') &&
    !other &&
    event.altKey === parts.includes('alt') &&
    (!shiftMatters || event.shiftKey === parts.includes('shift'))
  );
}

/** Whether a key typed here would be text. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type)))
  );
}
