import { asFailure, type Backend, type Failure, type Listener } from '$lib/backend/backend';
import { counted } from '$lib/format';
import { router } from '$lib/router/router.svelte';
import type { Session } from '$lib/shell/session.svelte';
import { toasts } from '$lib/shell/toasts.svelte';
import { advance, failed, order, silent, type Told } from './connect-progress';

/** One press of Connect: what it told so far, and how it ended. It goes on when its dialog is closed. */
export class ConnectJob {
  #backend: Backend;
  #session: Session;
  #name: string;
  #before: Set<string>;
  #left = false;
  #cancelled = false;
  told = $state.raw<Told>(silent());
  /** The instance, once everything is done. */
  instance = $state<string | null>(null);

  constructor(backend: Backend, session: Session, name: string) {
    this.#backend = backend;
    this.#session = session;
    this.#name = name;
    this.#before = new Set(session.jobs.map(({ id }) => id));
  }

  get failure(): Failure | null {
    return this.told.failure;
  }
  get requests(): number {
    return this.told.requests;
  }
  /** From then on the instance is stored. */
  get signedIn(): boolean {
    return this.told.steps.some((line) => line.step === 'sign_in' && (line.state === 'done' || line.state === 'warned'));
  }
  get title(): string {
    const [app] = this.#name.split(', ');
    if (this.failure) return this.signedIn ? `${app} was connected` : `${app} was not connected`;
    return this.instance === null ? `Connecting to ${app}` : `${app} is connected`;
  }
  get position(): string {
    const running = this.told.steps.findLastIndex((line) => line.state !== 'waiting');
    return this.instance === null && !this.failure ? `Step ${Math.max(1, running + 1)} of ${order.length}` : '';
  }

  /** Does the work; answers the instance's id, or `null` when it failed, which is then told. */
  async run(work: (progress: Listener) => Promise<string>): Promise<string | null> {
    try {
      const instance = await work((event) => (this.told = advance(this.told, event)));
      this.instance = instance;
      this.#session.changed();
      if (this.#left) {
        const opened = this.told.outcome?.opened ?? 0;
        toasts.show(`${this.#name}: scanned, ${counted(opened, 'finding')} opened`, {
          label: 'Show',
          run: () => router.go(['findings'], { instance }),
        });
      }
      return instance;
    } catch (thrown) {
      // A failure that was told already carries what was kept.
      this.told = failed(this.told, this.told.failure ?? asFailure(thrown));
      this.#session.changed();
      if (this.#left && !this.#cancelled) toasts.show(`${this.#name}: ${this.told.failure?.sentence ?? ''}`);
      return null;
    }
  }

  async cancel(): Promise<void> {
    this.#cancelled = true;
    try {
      const jobs = (await this.#backend.jobs()).filter((job) => !this.#before.has(job.id) && job.title === this.#name);
      await Promise.all(jobs.map((job) => this.#backend.cancel(job.id)));
    } catch (thrown) {
      toasts.show(asFailure(thrown).sentence);
    }
  }

  /** The dialog closes: before sign-in nothing is kept, so the work stops; later it goes on in the sidebar. */
  leave(): void {
    if (this.instance !== null || this.failure) return;
    this.#left = true;
    if (!this.signedIn) void this.cancel();
  }

  open(path: string[], close: () => void, query: Record<string, string> = {}): void {
    close();
    router.go(path, query);
  }
}
