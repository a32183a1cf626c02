/** The query with one parameter set, or without it when the value is empty; all others stay as they are. */
export function withParameter(query: URLSearchParams, name: string, value: string): Record<string, string> {
  const others = [...query].filter(([key]) => key !== name);
  return Object.fromEntries(value === '' ? others : [...others, [name, value]]);
}
