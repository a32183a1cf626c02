/** Texts cut and named for the screens. */

/**
 * Cuts an identifier or host in the middle, where it says least: `api.prod2.kus…app.com`. `max` counts characters and
 * includes the ellipsis; shorter texts come back whole.
 */
export function cutMiddle(text: string, max: number): string {
  const letters = Array.from(text);
  if (letters.length <= max || max < 3) return text;
  const head = Math.ceil((max - 1) / 2);
  const tail = max - 1 - head;
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - tail).join('')}`;
}

/** `Critical, High and Medium`, for sentences. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1] ?? ''}`;
}

/** A one-time code or a code to be typed elsewhere, in two halves: `482 913`. One that already has a divider stays as it is. */
export function grouped(code: string): string {
  const letters = Array.from(code);
  if (letters.length < 6 || /[\s-]/.test(code)) return code;
  const half = Math.ceil(letters.length / 2);
  return `${letters.slice(0, half).join('')} ${letters.slice(half).join('')}`;
}
