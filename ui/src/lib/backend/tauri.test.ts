import { clearMocks, mockIPC } from '@tauri-apps/api/mocks';
import { afterEach, describe, expect, it } from 'vitest';
import type { Progress } from './backend';
import { tauriBackend } from './tauri';

afterEach(() => clearMocks());

describe('the door to Rust', () => {
  it('names commands and arguments as Rust does', async () => {
    const asked: [string, unknown][] = [];
    mockIPC((command, given) => {
      asked.push([command, given]);
      return null;
    });
    await tauriBackend.deleteInstance('i-1', 'Halden Moor');
    await tauriBackend.findings({
      filter: { instances: [], apps: [], severities: [], states: [], checks: [], features: [], text: '', sandbox: 'without', not_rechecked: false },
      sort: 'severity',
      descending: true,
      slice: { offset: 0, limit: 100 },
    });
    expect(asked[0]).toEqual(['delete_instance', { id: 'i-1', typedName: 'Halden Moor' }]);
    expect(asked[1]?.[0]).toBe('findings');
  });

  it('rejects with the failure itself', async () => {
    const failure = { code: 'E-PASSPHRASE', sentence: 'Wrong.', remedy: 'Again.', field: 'passphrase' };
    mockIPC(() => Promise.reject(failure));
    await expect(tauriBackend.unlock('x')).rejects.toEqual(failure);
  });

  it('hands progress on, event by event', async () => {
    const step: Progress = { kind: 'step', step: 'host', state: 'running', detail: '', milliseconds: 0 };
    mockIPC((command, given) => {
      expect(command).toBe('scan');
      const { progress } = given as { progress: { onmessage: (event: Progress) => void } };
      progress.onmessage(step);
      return null;
    });
    const heard: Progress[] = [];
    await tauriBackend.scan('i-1', (event) => heard.push(event));
    expect(heard).toEqual([step]);
  });
});
