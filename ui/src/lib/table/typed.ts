/**
 * Takes `severity:high app:kustomer` out of what was typed. `take` says whether its facet knew any of the values; a word that
 * is no facet, or of which nothing is known, stays text: nothing that was typed disappears without an effect. A value with spaces
 * stands in quotes: `owner:"Mei Laurent"`.
 */
export function takeTyped(typed: string, take: (facet: string, values: string[]) => boolean): string {
  const words = typed.match(/[a-z]+:"[^"]*"|\S+/gi) ?? [];
  const rest = words.filter((word) => {
    const [facet = '', value = ''] = word.split(/:(.*)/s, 2);
    const quoted = /^"(.*)"$/s.exec(value)?.[1];
    return value === '' || !take(facet, quoted === undefined ? value.split(',') : [quoted]);
  });
  return rest.join(' ').trim();
}
