import { createContext } from 'svelte';
import type { Backend, CredentialNearsEnd, Job, Settings, Start, Turn } from '$lib/backend/backend';
import { endingWords } from '$lib/components/credential-end';
import { healthName } from '$lib/components/names';
import { shortcuts } from '$lib/keyboard/shortcuts.svelte';
import { router } from '$lib/router/router.svelte';
import { news } from '$screens/Changes/span';
import { toasts } from './toasts.svelte';

export type Theme = 'system' | 'light' | 'dark';
export type Density = 'standard' | 'compact';

/** What the open window knows beyond a single screen: how the data stands, what is remembered, what is under way. */
export class Session {
  #backend: Backend;
  start = $state.raw<Start>() as Start;
  jobs = $state.raw<Job[]>([]);
  /** Onboarded instances without sandboxes, open findings, and what became of findings since the last visit; for the sidebar. */
  counts = $state.raw<{ instances: number; findings: number; changes: number; sandbox: boolean }>({ instances: 0, findings: 0, changes: 0, sandbox: false });
  /** What holds for the whole console; `null` until it is known. */
  settings = $state.raw<Settings | null>(null);
  /** Grows whenever stored data may have changed; screens read it to ask again. */
  changes = $state(0);
  #preferences = $state<Record<string, string>>({});

  constructor(backend: Backend, start: Start) {
    this.#backend = backend;
    this.replace(start);
  }

  /** Takes a new answer of `start`, `unlock`, `recover` or `lock`. */
  replace(start: Start): void {
    this.start = start;
    this.#preferences = Object.fromEntries(start.preferences.map(({ key, value }) => [key, value]));
    shortcuts.letters = this.letters;
  }

  get ready(): boolean {
    return this.start.state.kind === 'ready';
  }
  get theme(): Theme {
    return this.recall<Theme>('theme', 'system');
  }
  get density(): Density {
    return this.recall<Density>('density', 'standard');
  }
  /** Whether single letters act on a row that has the focus. */
  get letters(): boolean {
    return this.recall('single_letters', true);
  }

  /** A remembered choice, or `otherwise`. */
  recall<T>(key: string, otherwise: T): T {
    const text = this.#preferences[key];
    if (text === undefined) return otherwise;
    try {
      return JSON.parse(text) as T;
    } catch {
      return otherwise;
    }
  }

  /** Remembers a choice of the window, here at once and on disk. Never anything secret. */
  remember(key: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (this.#preferences[key] === text) return;
    this.#preferences[key] = text;
    shortcuts.letters = this.letters;
    if (this.ready) {
      this.#backend.setPreference(key, text).catch(() => toasts.show('This choice could not be kept for the next start.'));
    }
  }

  /** Says that stored data changed, so that lists and counters are asked for again. */
  changed(): void {
    this.changes += 1;
    void this.count();
  }

  /** Asks for the sidebar's counters. */
  async count(): Promise<void> {
    if (!this.ready) return;
    try {
      const all = await this.#backend.instances('with');
      const real = all.filter((instance) => !instance.sandbox);
      const sandbox = real.length === 0 && all.length > 0;
      const shown = sandbox ? all : real;
      const findings = shown.reduce((sum, { open }) => sum + open.critical + open.high + open.medium + open.low + open.info, 0);
      // What changed is asked apart: when that fails, the other numbers are still those of now.
      this.counts = { instances: shown.length, findings, changes: this.counts.changes, sandbox };
      const since = await this.#backend.changes({
        from: { kind: 'last_visit' },
        to: { kind: 'now' },
        instances: [],
        kinds: [],
        severities: [],
        sandbox: sandbox ? 'only' : 'without',
        slice: { offset: 0, limit: 0 },
      });
      this.counts = { instances: shown.length, findings, changes: news(since.counts), sandbox };
    } catch {
      // The counters are a convenience; the screens say what is wrong.
    }
  }

  /** Follows the jobs under way, how the health of instances turns and which credentials near their end; the answer ends it. */
  follow(): () => void {
    const take = (jobs: Job[]) => {
      const fewer = jobs.length < this.jobs.length;
      this.jobs = jobs;
      if (fewer) this.changed();
    };
    this.#backend.jobs().then(take, () => {});
    const ends = [this.#backend.onJobs(take), this.#backend.onTurned((turn) => this.#tell(turn)), this.#backend.onCredentialEnding((ending) => this.#warn(ending))];
    return () => {
      for (const end of ends) end();
    };
  }

  /** A first scan that went well is no news: whoever added the instance is looking at it. */
  #tell(turn: Turn): void {
    if (turn.before !== null || turn.after !== 'up') {
      const why = turn.cause === null ? '' : `: ${turn.cause.sentence}`;
      toasts.show(`${turn.name} is ${healthName(turn.after)}${why === '' ? '.' : why}`, {
        label: 'Open',
        run: () => router.go(['applications', turn.instance]),
      });
    }
    this.changed();
  }

  #warn({ instance, name, end }: CredentialNearsEnd): void {
    toasts.show(endingWords(name, end), { label: 'Open', run: () => router.go(['applications', instance]) });
    this.changed();
  }

  /** Asks for the settings; they are kept as they were when that fails, and rejected with why. */
  async readSettings(): Promise<Settings> {
    this.settings = await this.#backend.settings();
    return this.settings;
  }

  /** Changes some of the settings; the others stay as the console holds them now. */
  async changeSettings(part: Partial<Settings>): Promise<Settings> {
    const now = await this.#backend.settings();
    this.settings = await this.#backend.changeSettings({ ...now, ...part });
    return this.settings;
  }

  async lock(): Promise<void> {
    this.replace(await this.#backend.lock());
  }
}

export const [useSession, provideSession] = createContext<Session>();
