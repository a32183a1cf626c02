import { asFailure, type Failure, type FieldState, type Settings } from '$lib/backend/backend';
import type { Session } from '$lib/shell/session.svelte';
import { toasts } from '$lib/shell/toasts.svelte';

/** Saves each choice of the settings at once, one after the other, and offers to take it back. */
export class Keeping {
  #session: Session;
  #last: Promise<unknown> = Promise.resolve();
  /** What was refused last, and of which setting. */
  refused = $state.raw<{ part: keyof Settings; failure: Failure } | null>(null);

  constructor(session: Session) {
    this.#session = session;
  }

  /** Changes one setting; `words` say what it is now: "Scans at once: 4". */
  change<K extends keyof Settings>(part: K, value: Settings[K], words: string): Promise<void> {
    const saved = this.#last.then(async () => {
      const before = this.#session.settings?.[part];
      if (JSON.stringify(before) === JSON.stringify(value)) {
        if (this.refused?.part === part) this.refused = null;
        return;
      }
      try {
        await this.#session.changeSettings({ [part]: value });
        if (this.refused?.part === part) this.refused = null;
        if (before !== undefined) toasts.show(words, { label: 'Undo', run: () => void this.change(part, before as Settings[K], 'As it was before.') });
        // A schedule moves the next scan of every instance that follows it.
        this.#session.changed();
      } catch (thrown) {
        this.refused = { part, failure: asFailure(thrown) };
      }
    });
    this.#last = saved;
    return saved;
  }

  /** What is wrong with a setting, for beside its field. */
  wrong(part: keyof Settings): string {
    return this.refused?.part === part ? `${this.refused.failure.sentence} ${this.refused.failure.remedy}` : '';
  }

  /** The same as the state of a field. */
  state(part: keyof Settings): FieldState {
    const sentence = this.wrong(part);
    return sentence === '' ? { kind: 'empty' } : { kind: 'wrong', sentence };
  }
}
