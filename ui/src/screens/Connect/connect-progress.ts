import type { DatasetState, Failure, Outcome, PermissionAdvice, Progress, Step, StepState } from '$lib/backend/backend';

/** The steps, in their order. */
export const order: Step[] = ['format', 'host', 'sign_in', 'permissions', 'scan', 'judge'];

export interface StepLine {
  step: Step;
  state: StepState | 'waiting';
  detail: string;
  milliseconds: number;
}

/** A stage of signing in through somebody else. */
export interface StageLine {
  stage: string;
  /** In the console's words: "user and password". */
  title: string;
  host: string;
  state: 'running' | 'done' | 'failed';
  /** Until when it waits, if it does. */
  until: string | null;
}

/** What has to be done in a browser meanwhile. */
export interface Visit {
  address: string;
  code: string | null;
  until: string;
}

export interface DatasetLine {
  id: string;
  title: string;
  state: string;
  rows: number;
  expected: number | null;
}

/** Everything a job has told so far. */
export interface Told {
  steps: StepLine[];
  /** The stages of the sign-in as they came; empty where a key is simply sent along. */
  stages: StageLine[];
  visit: Visit | null;
  datasets: DatasetLine[];
  permissions: { datasets: DatasetState[]; checks: number; allChecks: number; advice: PermissionAdvice } | null;
  done: number | null;
  host: string;
  requests: number;
  outcome: Outcome | null;
  instance: string | null;
  failure: Failure | null;
  kept: string;
}

/** A job that has told nothing yet. */
export function silent(): Told {
  return {
    steps: order.map((step) => ({ step, state: 'waiting', detail: '', milliseconds: 0 })),
    stages: [],
    visit: null,
    datasets: [],
    permissions: null,
    done: null,
    host: '',
    requests: 0,
    outcome: null,
    instance: null,
    failure: null,
    kept: '',
  };
}

/** What is told after one more event. */
export function advance(told: Told, event: Progress): Told {
  switch (event.kind) {
    case 'step':
      return {
        ...told,
        ...(event.step === 'sign_in' && (event.state === 'done' || event.state === 'warned') ? { stages: ended(told.stages, 'done'), visit: null } : {}),
        steps: told.steps.map((line) =>
          line.step === event.step
            ? { step: event.step, state: event.state, detail: event.detail === '' ? line.detail : event.detail, milliseconds: event.milliseconds }
            : line,
        ),
      };
    case 'sign_in': {
      const last = told.stages.at(-1);
      const line: StageLine = { stage: event.stage, title: event.title, host: event.host, state: 'running', until: event.until };
      // The stage that goes on waiting is the same one; the host it asked stands.
      const stages =
        last?.stage === event.stage && last.state === 'running'
          ? [...told.stages.slice(0, -1), { ...line, host: event.host === '' ? last.host : event.host }]
          : [...ended(told.stages, 'done'), line];
      return {
        ...told,
        stages,
        visit: event.stage === 'browser' ? told.visit : null,
        steps: told.steps.map((other) => (other.step === 'sign_in' && other.state === 'waiting' ? { ...other, state: 'running' } : other)),
      };
    }
    case 'visit':
      return { ...told, visit: { address: event.address, code: event.code, until: event.until } };
    case 'permissions':
      return { ...told, permissions: { datasets: event.datasets, checks: event.checks, allChecks: event.all_checks, advice: event.advice } };
    case 'dataset': {
      const line: DatasetLine = { id: event.id, title: event.title, state: event.state, rows: event.rows, expected: event.expected };
      const known = told.datasets.some(({ id }) => id === event.id);
      return { ...told, datasets: known ? told.datasets.map((other) => (other.id === event.id ? line : other)) : [...told.datasets, line] };
    }
    case 'share':
      return { ...told, done: event.done, host: event.host, requests: event.requests };
    case 'finished':
      return { ...told, outcome: event.outcome, instance: event.instance, done: 1, stages: ended(told.stages, 'done'), visit: null };
    case 'failed':
      return failed(told, event.failure, event.kept);
  }
}

function ended(stages: StageLine[], how: 'done' | 'failed'): StageLine[] {
  return stages.map((line) => (line.state === 'running' ? { ...line, state: how, until: null } : line));
}

/** "User and password": what a stage is called where it stands alone. */
export function stageName(line: StageLine): string {
  return line.title.charAt(0).toUpperCase() + line.title.slice(1);
}

/** Whole seconds until then; 0 when it is past. */
export function secondsUntil(until: string, now: number): number {
  const left = Math.ceil((Date.parse(until) - now) / 1000);
  return Number.isFinite(left) ? Math.max(0, left) : 0;
}

/** The same, after the job ended badly: the step that ran is the one that failed. */
export function failed(told: Told, failure: Failure, kept = ''): Told {
  return {
    ...told,
    failure,
    kept: kept === '' ? told.kept : kept,
    visit: null,
    stages: ended(told.stages, 'failed'),
    steps: told.steps.map((line) => (line.state === 'running' ? { ...line, state: 'failed' } : line)),
  };
}

const names: Record<Step, [waiting: string, running: string, done: string]> = {
  format: ['Check the format', 'Checking the format', 'Format checked'],
  host: ['Reach the host', 'Reaching the host', 'Host reached'],
  sign_in: ['Sign in', 'Signing in', 'Signed in'],
  permissions: ['Test permissions', 'Testing permissions', 'Permissions tested'],
  scan: ['First scan', 'First scan', 'First scan done'],
  judge: ['Judge', 'Judging', 'Judged'],
};

/** What a step is called as it stands. */
export function stepName(line: StepLine): string {
  const [waiting, running, done] = names[line.step];
  switch (line.state) {
    case 'waiting':
    case 'failed':
      return waiting;
    case 'running':
      return running;
    case 'done':
    case 'warned':
      return done;
  }
}

/** "300 of 618", "14 rows", "waiting". */
export function datasetCount(line: DatasetLine, number: (value: number) => string): string {
  if (line.state === 'waiting') return 'waiting';
  if (line.state === 'unavailable') return 'not read';
  if (line.state === 'reading' && line.expected !== null) return `${number(line.rows)} of ${number(line.expected)}`;
  return line.rows === 1 ? '1 row' : `${number(line.rows)} rows`;
}
