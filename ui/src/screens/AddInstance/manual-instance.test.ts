import { expect, it } from 'vitest';
import type { ManualInstance } from '$lib/backend/backend';
import { manualFaults } from './manual-instance';

const right: ManualInstance = { app: 'other-application', name: 'Halden Moor', label: 'Default', owner: '', product: 'Perplexity', console_url: '' };

it('sends what is right', () => {
  expect(manualFaults(right, ['Another'])).toEqual({});
  expect(manualFaults({ ...right, console_url: ' https://perplexity.example/settings ' }, [])).toEqual({});
});

it.each([
  [{ product: ' ' }, 'product'],
  [{ product: 'x'.repeat(81) }, 'product'],
  [{ name: '' }, 'name'],
  [{ name: 'another' }, 'name'],
  [{ owner: 'x'.repeat(81) }, 'owner'],
  [{ console_url: 'perplexity.example' }, 'console_url'],
  [{ console_url: 'http://perplexity.example' }, 'console_url'],
  [{ console_url: 'javascript:alert(1)' }, 'console_url'],
  [{ console_url: 'https://a.brandt:x@perplexity.example' }, 'console_url'],
  [{ console_url: 'https://perplexity.example:8443' }, 'console_url'],
])('%j is not sent', (change, field) => expect(Object.keys(manualFaults({ ...right, ...change }, ['Another']))).toEqual([field]));
