import { describe, expect, it } from 'vitest';
import { matches, platformKeys } from './keys';

const press = (key: string, held: Partial<KeyboardEventInit> = {}) => new KeyboardEvent('keydown', { key, ...held });

describe('chords', () => {
  it.each([
    ['mod+k', false, 'Ctrl K'],
    ['mod+k', true, '⌘K'],
    ['mod+Enter', false, 'Ctrl Enter'],
    ['alt+left', false, 'Alt ←'],
    ['/', false, '/'],
  ])('%s (mac: %s) is written %s', (keys, mac, text) => expect(platformKeys(keys, mac)).toBe(text));

  it('match exactly', () => {
    expect(matches(press('k', { ctrlKey: true }), 'mod+k', false)).toBe(true);
    expect(matches(press('K', { ctrlKey: true, shiftKey: true }), 'mod+k', false)).toBe(false);
    expect(matches(press('k', { ctrlKey: true, altKey: true }), 'mod+k', false)).toBe(false);
    expect(matches(press('k'), 'mod+k', false)).toBe(false);
    expect(matches(press('k', { metaKey: true }), 'mod+k', false)).toBe(false);
    expect(matches(press('k', { metaKey: true }), 'mod+k', true)).toBe(true);
    expect(matches(press('ArrowLeft', { altKey: true }), 'alt+left', false)).toBe(true);
    expect(matches(press('Enter', { ctrlKey: true }), 'mod+Enter', false)).toBe(true);
  });

  it('do not mind the Shift that a layout needs for a sign', () => {
    expect(matches(press('?', { shiftKey: true }), '?', false)).toBe(true);
    expect(matches(press('/', { shiftKey: true }), '/', false)).toBe(true);
  });
});
