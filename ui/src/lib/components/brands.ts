import { siGithub } from 'simple-icons';

/** The outline of an application's own mark, in a 24 by 24 box; only marks of applications in the catalog are bundled. */
export const brands: Record<string, string> = {
  'github-enterprise': siGithub.path,
};

/** Two letters that stand for a name: "GitHub Enterprise" is "GE", "Kustomer" is "Ku". */
export function monogram(name: string): string {
  const words = name.split(/[\s.\-_/]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const [first = '', second] = words;
  const letters = second === undefined ? Array.from(first).slice(0, 2) : [...first.slice(0, 1), ...second.slice(0, 1)];
  const [head = '?', tail = ''] = letters;
  return head.toUpperCase() + (second === undefined ? tail.toLowerCase() : tail.toUpperCase());
}

/** A hue in degrees that a word always has, spread over the circle. */
export function hue(word: string): number {
  let hash = 2166136261;
  for (const letter of word) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  }
  return ((hash >>> 0) % 24) * 15;
}
