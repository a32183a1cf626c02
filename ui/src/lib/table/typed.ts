/**
 * Takes `severity:high app:kustomer` out of what was typed. `take` says whether its facet knew any of the values; a word that
 * is no facet, or of which nothing is known, stays text: nothing that was typed disappears without an effect.
 */
export function takeTyped(typed: string, take: (facet: string, values: string[]) => boolean): string {
  const rest = typed.split(/\s+/).filter((word) => {
    const [facet = '', value = ''] = word.split(/:(.*)/s, 2);
    return value === '' || !take(facet, value.split(','));
  });
  return rest.join(' ').trim();
}
