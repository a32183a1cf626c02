/** An address within the window: `/findings/f-1?severity=high` is `['findings', 'f-1']` and its query. */
export interface Address {
  path: string[];
  query: URLSearchParams;
}

/** Reads a location's hash. What is not understood is the start page. */
export function parse(hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const parts = path.split('/').filter((part) => part !== '');
  try {
    return { path: parts.map(decodeURIComponent), query: new URLSearchParams(query) };
  } catch {
    return { path: [], query: new URLSearchParams() };
  }
}

/** Writes a hash that `parse` reads back. */
export function href(path: string[], query: URLSearchParams | Record<string, string> = {}): string {
  const parameters = query instanceof URLSearchParams ? query : new URLSearchParams(query);
  const text = parameters.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}
