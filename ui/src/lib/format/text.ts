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
