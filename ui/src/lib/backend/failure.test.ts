import { expect, it } from 'vitest';
import { asFailure } from './backend';

it('keeps a failure as it is', () => {
  const failure = { code: 'E-AUTH-REFUSED', sentence: 'Refused.', remedy: 'Create a new key.', field: 'api_key' };
  expect(asFailure(failure)).toEqual(failure);
});

it.each([[new Error('boom')], ['text'], [null], [undefined], [{ code: 'only' }]])('makes one sentence of anything else', (thrown) => {
  const failure = asFailure(thrown);
  expect(failure.code).toBe('E-WINDOW');
  expect(failure.sentence).not.toContain('boom');
  expect(failure.remedy).not.toBe('');
});
