import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend, Job } from '$lib/backend/backend';
import { mockBackend } from '$lib/backend/mock';
import { router } from '$lib/router/router.svelte';
import App from '../../App.svelte';

const refusal = { code: 'E-JOBS-RUNNING', sentence: 'A scan is running, which needs the keys.', remedy: 'Wait.', field: null };

beforeEach(() => vi.useFakeTimers({ now: new Date('2026-11-22T10:00:00Z') }));
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  router.go(['overview']);
});

const pass = async (seconds: number) => {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  await tick();
};

async function open(minutes: number | null, jobs: Job[] = [], change: (backend: Backend) => Partial<Backend> = () => ({})) {
  const mock = mockBackend();
  const lock = vi.fn(() => mock.lock());
  let tell: (now: Job[]) => void = () => {};
  const backend: Backend = {
    ...mock,
    lock,
    jobs: () => Promise.resolve(jobs),
    onJobs: (changed) => ((tell = changed), () => {}),
    settings: async () => ({ ...(await mock.settings()), lock_after_minutes: minutes }),
    ...change(mock),
  };
  router.go(['settings']);
  render(App, { backend });
  await pass(1);
  expect(screen.getByTestId('lock-now')).toBeInTheDocument();
  return { lock, tell: (now: Job[]) => tell(now) };
}
const scan: Job = { id: 'j', instance: 'i-okta', title: 'Okta, haldenmoor', done: 0.4, host: '', elsewhere: null };

describe('a window that nobody uses', () => {
  it('counts down for a minute, then is locked', async () => {
    const { lock } = await open(15);
    await pass(14 * 60 - 3);
    expect(screen.queryByTestId('idle-warning')).toBeNull();
    await pass(3);
    expect(screen.getByTestId('idle-warning')).toBeInTheDocument();
    expect(Number(screen.getByTestId('idle-seconds').textContent)).toBeGreaterThan(57);
    await pass(30);
    const left = Number(screen.getByTestId('idle-seconds').textContent);
    expect(left).toBeLessThan(31);
    expect(left).toBeGreaterThan(27);
    expect(lock).not.toHaveBeenCalled();
    await pass(31);
    expect(lock).toHaveBeenCalledOnce();
    expect(screen.getByTestId('unlock')).toBeInTheDocument();
  });

  it.each([
    ['a key', () => fireEvent.keyDown(document.body, { key: 'a' })],
    ['a press', () => fireEvent.pointerDown(document.body)],
    ['the wheel', () => fireEvent.wheel(document.body)],
    ['a touch', () => fireEvent.touchStart(document.body)],
    ['Stay', () => fireEvent.click(screen.getByTestId('idle-stay'))],
  ])('is used again with %s', async (_name, input) => {
    const { lock } = await open(15);
    await pass(14 * 60 + 30);
    expect(screen.getByTestId('idle-warning')).toBeInTheDocument();
    await input();
    await pass(1);
    expect(screen.queryByTestId('idle-warning')).toBeNull();
    await pass(13 * 60);
    expect(lock).not.toHaveBeenCalled();
    await pass(2 * 60);
    expect(lock).toHaveBeenCalledOnce();
  });

  it('is used by a pointer that moves, not by one under which something appears', async () => {
    const { lock } = await open(15);
    // jsdom's pointer events know no place on the screen.
    const move = (screenX: number) => fireEvent(document.body, Object.assign(new Event('pointermove', { bubbles: true }), { screenX, screenY: 5 }));
    await move(10);
    await pass(14 * 60 + 30);
    await move(10);
    await pass(1);
    expect(screen.getByTestId('idle-warning')).toBeInTheDocument();
    await move(11);
    await pass(1);
    expect(screen.queryByTestId('idle-warning')).toBeNull();
    await pass(13 * 60);
    expect(lock).not.toHaveBeenCalled();
  });

  it('is locked when the computer wakes up, even if a key woke it', async () => {
    const { lock } = await open(15);
    vi.setSystemTime(new Date('2026-11-22T19:00:00Z'));
    await fireEvent.keyDown(document.body, { key: 'a' });
    await pass(0);
    expect(lock).toHaveBeenCalledOnce();
  });

  it('waits for a scan of its own, says so, and is locked when that has ended', async () => {
    const { lock, tell } = await open(15, [scan]);
    await pass(14 * 60 + 30);
    expect(screen.getByTestId('idle-warning')).toHaveTextContent('when the scan under way has ended');
    await pass(60);
    expect(lock).not.toHaveBeenCalled();
    expect(screen.getByTestId('idle-warning')).toHaveTextContent('the scan of Okta, haldenmoor has ended');
    await pass(3600);
    expect(lock).not.toHaveBeenCalled();
    tell([]);
    await pass(1);
    expect(lock).toHaveBeenCalledOnce();
  });

  it('stays when somebody comes back while it waits', async () => {
    const { lock, tell } = await open(15, [scan]);
    await pass(20 * 60);
    await fireEvent.keyDown(document.body, { key: 'a' });
    await pass(1);
    expect(screen.queryByTestId('idle-warning')).toBeNull();
    tell([]);
    await pass(10 * 60);
    expect(lock).not.toHaveBeenCalled();
  });

  it('is locked while another process scans', async () => {
    const { lock } = await open(15, [{ ...scan, elsewhere: 'ada, process 4242' }]);
    await pass(15 * 60 + 1);
    expect(lock).toHaveBeenCalledOnce();
  });

  it('tries again when the console knows of a scan that the window has not heard of', async () => {
    const mock = mockBackend();
    let running = true;
    const lock = vi.fn(() => (running ? Promise.reject(refusal) : mock.lock()));
    await open(15, [], () => ({ lock }));
    await pass(15 * 60 + 1);
    expect(lock).toHaveBeenCalled();
    expect(screen.getByTestId('idle-warning')).toHaveTextContent('Locks when the scan has ended');
    running = false;
    await pass(6);
    expect(screen.getByTestId('unlock')).toBeInTheDocument();
  });

  it('says once why it could not lock itself', async () => {
    const lock = vi.fn(() => Promise.reject({ code: 'E-STORE', sentence: 'The database does not answer.', remedy: '', field: null }));
    await open(15, [], () => ({ lock }));
    await pass(15 * 60 + 5);
    expect(lock.mock.calls.length).toBeGreaterThan(1);
    expect(screen.getAllByTestId('toast')).toHaveLength(1);
    expect(screen.getByTestId('toast')).toHaveTextContent('The database does not answer.');
  });

  it('is never locked where the settings say never', async () => {
    const { lock } = await open(null);
    await pass(2 * 3600);
    expect(lock).not.toHaveBeenCalled();
  });

  it('asks for the settings again when they could not be read at first', async () => {
    const mock = mockBackend();
    let broken = true;
    const settings = vi.fn(() => (broken ? Promise.reject(refusal) : mock.settings()));
    const { lock, tell } = await open(15, [scan], () => ({ settings }));
    await pass(3600);
    expect(lock).not.toHaveBeenCalled();
    broken = false;
    // The end of a scan changes what is stored.
    tell([]);
    await pass(1);
    await waitFor(() => expect(settings.mock.calls.length).toBeGreaterThan(2));
    await pass(15 * 60 + 1);
    expect(lock).toHaveBeenCalledOnce();
  });
});
