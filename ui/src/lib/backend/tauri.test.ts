import { emit } from '@tauri-apps/api/event';
import { clearMocks, mockIPC } from '@tauri-apps/api/mocks';
import { webcrypto } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Progress, Sealed, Turn } from './backend';
import { expectAnswer, seal } from './sealed';
import { tauriBackend } from './tauri';

afterEach(() => {
  clearMocks();
  vi.unstubAllGlobals();
});

describe('the door to Rust', () => {
  it('names commands and arguments as Rust does', async () => {
    const asked: [string, unknown][] = [];
    mockIPC((command, given) => {
      asked.push([command, given]);
      return null;
    });
    await tauriBackend.deleteInstance('i-1', 'Halden Moor');
    await tauriBackend.findings({
      filter: { instances: [], apps: [], severities: [], states: [], checks: [], features: [], text: '', sandbox: 'without', not_rechecked: false, owners: [], frameworks: [], found_within_days: null, older_than_days: null },
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
    await expect(tauriBackend.lock()).rejects.toEqual(failure);
  });

  it('lets no secret pass in clear', async () => {
    vi.stubGlobal('crypto', webcrypto);
    const console = await expectAnswer();
    const asked: [string, Record<string, unknown>][] = [];
    mockIPC(async (command, given) => {
      asked.push([command, given as Record<string, unknown>]);
      if (command === 'sealing_key') return console.key;
      if (command === 'first_start') return seal(JSON.stringify({ groups: ['ABCD', 'EFGH'] }), String((given as Record<string, unknown>).answerTo));
      return null;
    });
    const secret = 'correct horse battery staple';
    await tauriBackend.unlock(secret);
    await tauriBackend.recover(secret);
    await tauriBackend.checkField('draft', 'api_key', secret);
    expect(await tauriBackend.firstStart('passphrase', secret)).toEqual({ groups: ['ABCD', 'EFGH'] });
    const mail = { host: 'mail.example', port: 465, tls: 'implicit', user: 'ada', from: 'a@b.example', recipients: [], authorities_pem: '' } as const;
    await tauriBackend.setMail({ ...mail, recipients: [] }, secret);
    expect(JSON.stringify(asked)).not.toContain('horse');
    const sealed = { unlock: 'passphrase', recover: 'recoveryKey', check_field: 'value', first_start: 'passphrase', set_mail: 'password' };
    for (const [command, argument] of Object.entries(sealed)) {
      const given = asked.find(([name]) => name === command)?.[1];
      expect(await console.open(given?.[argument] as Sealed)).toBe(secret);
    }
    expect(asked.filter(([command]) => command === 'sealing_key')).toHaveLength(5);
  });

  it('names what operating asks as Rust does', async () => {
    const asked: [string, unknown][] = [];
    mockIPC((command, given) => {
      asked.push([command, given]);
      return null;
    });
    const settings = { schedule: { kind: 'off' } as const, spread_minutes: 0, scans_at_once: 1, keep_scans: 2, lock_after_minutes: null, notify: false, keep_running: false, digest_at: null, route: { proxy: 'system', proxy_url: '', extra_roots_pem: '' } };
    await tauriBackend.settings();
    await tauriBackend.changeSettings(settings);
    await tauriBackend.scheduleWords({ kind: 'cron', pattern: '0 6 * * *' });
    await tauriBackend.scanAll('without');
    await tauriBackend.activityHead();
    await tauriBackend.saveActivityHead();
    await tauriBackend.verifyActivity(true);
    await tauriBackend.digest(null);
    await tauriBackend.digests();
    await tauriBackend.saveDigest('2026-11-21');
    await tauriBackend.sendDigest();
    await tauriBackend.mail();
    await tauriBackend.testMail();
    await tauriBackend.removeMail();
    await tauriBackend.backUp();
    expect(await tauriBackend.restore()).toBeNull();
    expect(asked).toEqual([
      ['settings', {}],
      ['change_settings', { settings }],
      ['schedule_words', { choice: { kind: 'cron', pattern: '0 6 * * *' } }],
      ['scan_all', { sandbox: 'without' }],
      ['activity_head', {}],
      ['save_activity_head', {}],
      ['verify_activity', { againstFile: true }],
      ['digest', { day: null }],
      ['digests', {}],
      ['save_digest', { day: '2026-11-21' }],
      ['send_digest', {}],
      ['mail', {}],
      ['test_mail', {}],
      ['remove_mail', {}],
      ['back_up', {}],
      ['restore', {}],
    ]);
  });

  it('says whose an account is and that a plugin was reviewed, and asks for users of plugins', async () => {
    const asked: unknown[] = [];
    mockIPC((command, given) => {
      asked.push([command, given]);
      return null;
    });
    await tauriBackend.setAccountIdentity('i-1', '7', 'ada@example.com');
    await tauriBackend.setAccountIdentity('i-1', '7', null);
    await tauriBackend.setPluginReviewed('i-1', '3', true);
    await tauriBackend.pluginUsers('ada', 'with', { offset: 0, limit: 100 });
    expect(asked).toEqual([
      ['set_account_identity', { instance: 'i-1', account: '7', identity: 'ada@example.com' }],
      ['set_account_identity', { instance: 'i-1', account: '7', identity: null }],
      ['set_plugin_reviewed', { instance: 'i-1', plugin: '3', reviewed: true }],
      ['plugin_users', { text: 'ada', sandbox: 'with', slice: { offset: 0, limit: 100 } }],
    ]);
  });

  it('hears of turns until it no longer listens', async () => {
    mockIPC(() => {}, { shouldMockEvents: true });
    const heard: Turn[] = [];
    const end = tauriBackend.onTurned((turn) => heard.push(turn));
    const turn: Turn = { instance: 'i-1', app_name: 'Box', name: 'haldenmoor', at: '2026-11-22T06:00:00Z', before: 'up', after: 'down', cause: null };
    await emit('turned', turn);
    expect(heard).toEqual([turn]);
    end();
    await Promise.resolve();
    await emit('turned', turn);
    expect(heard).toHaveLength(1);
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
