import { describe, expect, it } from 'vitest';
import { href, parse } from './address';

describe('addresses', () => {
  it.each([
    [['findings'], { severity: 'high,critical', q: 'a & b = c?' }],
    [['applications', 'i 1/2#3'], {}],
    [[], { q: 'ü' }],
  ])('%j is read back as it was written', (path, query) => {
    const read = parse(href(path, query as Record<string, string>));
    expect(read.path).toEqual(path);
    expect(Object.fromEntries(read.query)).toEqual(query);
  });

  it.each(['', '#', '#/', '#/%E0%A4%A'])('%s is the start page', (hash) => expect(parse(hash).path).toEqual([]));
});
