import { asFailure, type Application, type Backend, type Field, type FieldState, type Login, type OneTimeCode } from '$lib/backend/backend';
import { isShared } from './field-text';

const pause = 400;

/**
 * What is typed into a dialog, apart from secrets. It keeps one draft open on the other side, which checks values and holds
 * the secrets; of those it only knows whether there are any.
 */
export class Draft {
  #backend: Backend;
  #app: string;
  #opened: Promise<string> | null = null;
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #asked = new Map<string, number>();
  #checking = new Set<Promise<void>>();

  login = $state.raw<Login>() as Login;
  /** Values of fields that are not secret. */
  values = $state<Record<string, string>>({});
  /** What each field came to. */
  states = $state<Record<string, FieldState>>({});
  /** Secret fields with something typed in them. */
  filled = $state<Record<string, boolean>>({});
  /** Fields behind a tick box that were asked for. */
  revealed = $state<Record<string, boolean>>({});

  constructor(backend: Backend, application: Application, login: Login) {
    this.#backend = backend;
    this.#app = application.tile.slug;
    this.choose(login);
  }

  /** Takes another login option; values that both options ask for are kept and checked again. */
  choose(login: Login): void {
    this.close();
    // What the new option does not ask for is forgotten with the old one.
    const before = this.login as Login | undefined;
    const lost = new Set((before?.fields ?? []).filter((field) => !isShared(field, login)).map(({ id }) => id));
    const kept = <T>(record: Record<string, T>): Record<string, T> => Object.fromEntries(Object.entries(record).filter(([id]) => !lost.has(id)));
    this.values = kept(this.values);
    this.filled = kept(this.filled);
    this.revealed = kept(this.revealed);
    this.login = login;
    this.states = {};
    for (const field of login.fields) {
      if (field.secret) continue;
      const known = this.values[field.id];
      // Two options may offer different choices under one name.
      const unknown = field.format === 'choice' && !field.choices.some(({ value }) => value === known);
      if (known === undefined || unknown) this.values[field.id] = field.default ?? '';
      if (this.values[field.id] !== '') void this.check(field.id, this.values[field.id] ?? '');
    }
  }

  /** The draft's id on the other side. */
  id(): Promise<string> {
    this.#opened ??= this.#backend.openDraft(this.#app, this.login.id);
    return this.#opened;
  }

  /** Whether a field is to be seen: one behind a tick box only once that is ticked, or once it holds something. */
  isShown(field: Field): boolean {
    return field.reveal === null || (this.revealed[field.id] ?? (this.values[field.id] ?? '') !== '');
  }

  /** Ticks or unticks the box before a field; unticked, the field is empty. */
  reveal(field: Field, shown: boolean): void {
    this.revealed[field.id] = shown;
    if (shown) return;
    clearTimeout(this.#timers.get(field.id));
    this.#timers.delete(field.id);
    this.values[field.id] = '';
    void this.check(field.id, '');
  }

  /** The one-time code that a secret field makes now; `null` while it holds no right key. */
  async oneTimeCode(field: string): Promise<OneTimeCode | null> {
    return this.#backend.oneTimeCode(await this.id(), field);
  }

  stateOf(field: string): FieldState {
    return this.states[field] ?? { kind: 'empty' };
  }

  /** Takes a typed value and has it checked after a pause. */
  typed(field: string, value: string): void {
    this.values[field] = value;
    clearTimeout(this.#timers.get(field));
    this.#timers.set(
      field,
      setTimeout(() => void this.left(field), pause),
    );
  }

  /** Has a field checked that was left, if that is due. */
  async left(field: string): Promise<void> {
    if (!this.#timers.has(field)) return;
    clearTimeout(this.#timers.get(field));
    this.#timers.delete(field);
    await this.check(field, this.values[field] ?? '');
  }

  /** Has a value checked at once; the value of a secret field passes through and is not kept here. */
  check(field: string, value: string): Promise<void> {
    const check = this.#check(field, value).finally(() => this.#checking.delete(check));
    this.#checking.add(check);
    return check;
  }

  async #check(field: string, value: string): Promise<void> {
    const turn = (this.#asked.get(field) ?? 0) + 1;
    this.#asked.set(field, turn);
    let state: FieldState;
    try {
      state = await this.#backend.checkField(await this.id(), field, value);
    } catch (thrown) {
      const failure = asFailure(thrown);
      state = { kind: 'wrong', sentence: `${failure.sentence} ${failure.remedy}` };
    }
    // A later value was asked about meanwhile, or another login option was chosen; its answer counts.
    if (this.#asked.get(field) !== turn) return;
    this.states[field] = state;
    if (state.kind === 'right' && state.value !== null) this.values[field] = state.value;
  }

  /** Has everything checked that was typed and not yet checked, and answers the first field that is not right. */
  async settle(): Promise<Field | null> {
    await Promise.all([...this.#timers.keys()].map((field) => this.left(field)));
    // Leaving a field for the Connect button began its check a moment ago.
    await Promise.all(this.#checking);
    for (const field of this.login.fields) {
      const state = this.stateOf(field.id);
      if (state.kind === 'wrong') return field;
      if (state.kind === 'empty' && !field.optional) {
        this.states[field.id] = { kind: 'wrong', sentence: `${field.label} is missing.${field.example ? ` It looks like ${field.example}` : ''}` };
        return field;
      }
    }
    return null;
  }

  /** Values to be stored, of fields that are not secret and not empty. */
  get inputs(): { field: string; value: string }[] {
    return this.login.fields
      .filter((field) => !field.secret && (this.values[field.id] ?? '') !== '')
      .map((field) => ({ field: field.id, value: this.values[field.id] ?? '' }));
  }

  /** Whether closing would lose something that was typed. */
  get touched(): boolean {
    return (
      Object.values(this.filled).some(Boolean) ||
      this.login.fields.some((field) => !field.secret && (this.values[field.id] ?? '') !== (field.default ?? ''))
    );
  }

  /** Wipes what the other side holds. */
  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const [field, turn] of this.#asked) this.#asked.set(field, turn + 1);
    const opened = this.#opened;
    this.#opened = null;
    // Nothing is left to do when the draft could not be opened.
    opened?.then((id) => this.#backend.closeDraft(id)).catch(() => {});
  }
}
