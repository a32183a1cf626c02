import { webcrypto } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { expectAnswer, seal } from './sealed';

// The browser that tests run in has no WebCrypto; every web engine of the window has.
beforeEach(() => void vi.stubGlobal('crypto', webcrypto));
afterEach(() => void vi.unstubAllGlobals());

describe('a sealed text', () => {
  it('is opened by the one that it was sealed to', async () => {
    const expected = await expectAnswer();
    const passing = await seal('correct horse battery stäple', expected.key);
    expect(passing.sealed_to).toBe(expected.key);
    expect(atob(passing.ciphertext)).not.toContain('horse');
    expect(await expected.open(passing)).toBe('correct horse battery stäple');
  });

  it('is opened by nobody else', async () => {
    const [expected, other] = [await expectAnswer(), await expectAnswer()];
    await expect(other.open(await seal('x', expected.key))).rejects.toThrow();
  });

  it('is under another key each time', async () => {
    const { key } = await expectAnswer();
    const [first, second] = [await seal('same', key), await seal('same', key)];
    expect(first.sender).not.toBe(second.sender);
    expect(first.ciphertext).not.toBe(second.ciphertext);
  });
});
