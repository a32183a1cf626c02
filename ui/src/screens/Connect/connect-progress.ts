import type { DatasetState, Failure, Outcome, Progress, Step, StepState } from '$lib/backend/backend';

/** The steps, in their order. */
export const order: Step[] = ['format', 'host', 'sign_in', 'permissions', 'scan', 'judge'];

export interface StepLine {
  step: Step;
  state: StepState | 'waiting';
  detail: string;
  milliseconds: number;
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
  datasets: DatasetLine[];
  permissions: { datasets: DatasetState[]; checks: number; allChecks: number } | null;
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
        steps: told.steps.map((line) =>
          line.step === event.step
            ? { step: event.step, state: event.state, detail: event.detail === '' ? line.detail : event.detail, milliseconds: event.milliseconds }
            : line,
        ),
      };
    case 'permissions':
      return { ...told, permissions: { datasets: event.datasets, checks: event.checks, allChecks: event.all_checks } };
    case 'dataset': {
      const line: DatasetLine = { id: event.id, title: event.title, state: event.state, rows: event.rows, expected: event.expected };
      const known = told.datasets.some(({ id }) => id === event.id);
      return { ...told, datasets: known ? told.datasets.map((other) => (other.id === event.id ? line : other)) : [...told.datasets, line] };
    }
    case 'share':
      return { ...told, done: event.done, host: event.host, requests: event.requests };
    case 'finished':
      return { ...told, outcome: event.outcome, instance: event.instance, done: 1 };
    case 'failed':
      return failed(told, event.failure, event.kept);
  }
}

/** The same, after the job ended badly: the step that ran is the one that failed. */
export function failed(told: Told, failure: Failure, kept = ''): Told {
  return {
    ...told,
    failure,
    kept: kept === '' ? told.kept : kept,
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
