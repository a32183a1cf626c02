import { describe, expect, it } from 'vitest';
import type { Progress } from '$lib/backend/backend';
import { advance, datasetCount, failed, secondsUntil, silent, stageName, stepName } from './connect-progress';

const failure = { code: 'E-AUTH-REFUSED', sentence: 'Refused.', remedy: '', field: 'api_key' };
const step = (name: 'host' | 'sign_in', state: 'running' | 'done', detail = ''): Progress => ({ kind: 'step', step: name, state, detail, milliseconds: 84 });

describe('what a job tells', () => {
  it('keeps the detail of a step that ends without one', () => {
    const told = [step('host', 'running', 'api.example.com'), step('host', 'done')].reduce(advance, silent());
    expect(told.steps.find((line) => line.step === 'host')).toEqual({ step: 'host', state: 'done', detail: 'api.example.com', milliseconds: 84 });
  });

  it('marks the step that ran as the one that failed, and no other', () => {
    const told = failed([step('host', 'done'), step('sign_in', 'running')].reduce(advance, silent()), failure);
    expect(told.steps.map((line) => line.state)).toEqual(['waiting', 'done', 'failed', 'waiting', 'waiting', 'waiting']);
    expect(told.failure).toEqual(failure);
  });

  it('keeps what was stored when the same failure comes twice', () => {
    const told = failed(advance(silent(), { kind: 'failed', failure, kept: '412 rows to resume from' }), failure);
    expect(told.kept).toBe('412 rows to resume from');
  });

  it('counts datasets in place', () => {
    const dataset = (rows: number, state = 'reading'): Progress => ({ kind: 'dataset', id: 'users', title: 'Users', state, rows, expected: 618, cause: null });
    const told = [dataset(100), dataset(300)].reduce(advance, silent());
    expect(told.datasets).toHaveLength(1);
    const [line] = told.datasets;
    expect(line && datasetCount(line, String)).toBe('300 of 618');
  });

  it.each([
    ['waiting', 0, null, 'waiting'],
    ['reading', 40, null, '40 rows'],
    ['complete', 1, null, '1 row'],
    ['unavailable', 0, null, 'not read'],
  ])('a dataset that is %s says %s', (state, rows, expected, text) =>
    expect(datasetCount({ id: 'x', title: 'X', state, rows, expected }, String)).toBe(text),
  );

  it('never calls a step done that is not', () => {
    expect(stepName({ step: 'sign_in', state: 'failed', detail: '', milliseconds: 0 })).toBe('Sign in');
    expect(stepName({ step: 'sign_in', state: 'done', detail: '', milliseconds: 0 })).toBe('Signed in');
  });

  const stage = (name: string, until: string | null = null, host = 'haldenmoor.okta.com'): Progress => ({ kind: 'sign_in', stage: name, title: `the ${name}`, host, until });
  const visit: Progress = { kind: 'visit', address: 'https://login.microsoftonline.com/', code: null, until: '2026-11-21T12:15:00Z' };

  it('ends a stage when the next one begins, and the sign-in runs from the first', () => {
    const told = [stage('password'), stage('one_time_code')].reduce(advance, silent());
    expect(told.stages.map((line) => [line.stage, line.state])).toEqual([['password', 'done'], ['one_time_code', 'running']]);
    expect(told.steps.find((line) => line.step === 'sign_in')?.state).toBe('running');
    expect(told.stages.map(stageName)).toEqual(['The password', 'The one_time_code']);
  });

  it('keeps a stage that waits as one line, with the host that it asked', () => {
    const told = [stage('one_time_code'), stage('one_time_code', '2026-11-21T12:00:12Z', '')].reduce(advance, silent());
    expect(told.stages).toEqual([{ stage: 'one_time_code', title: 'the one_time_code', host: 'haldenmoor.okta.com', state: 'running', until: '2026-11-21T12:00:12Z' }]);
  });

  it('marks the stage that ran as the one that failed', () => {
    const told = failed([stage('organization'), stage('password')].reduce(advance, silent()), failure);
    expect(told.stages.map((line) => line.state)).toEqual(['done', 'failed']);
  });

  it('takes the card of the browser away once signing in went on, ended or failed', () => {
    const waiting = [stage('browser'), visit].reduce(advance, silent());
    expect(waiting.visit?.address).toBe('https://login.microsoftonline.com/');
    expect(advance(waiting, stage('token')).visit).toBeNull();
    expect(advance(waiting, step('sign_in', 'done')).visit).toBeNull();
    expect(failed(waiting, failure).visit).toBeNull();
    expect(advance(waiting, step('sign_in', 'done')).stages[0]?.state).toBe('done');
  });

  it.each([
    ['2026-11-21T12:00:12Z', 12],
    ['2026-11-21T11:59:59Z', 0],
    ['soon', 0],
  ])('until %s there are %d seconds', (until, left) => expect(secondsUntil(until, Date.parse('2026-11-21T12:00:00Z'))).toBe(left));
});
