/**
 * A long list of which only the pages around the window are held. Rows are asked for by the page and arrive later; until
 * then {@link Pages.row} is undefined and the grid draws an empty row of the same height.
 */

/** A page as the backend answers it. */
export interface Page<T> {
  total: number;
  rows: T[];
}

/** Rows of one page. */
export const PAGE = 100;

/** Pages held at once; the ones farthest from the window are let go. */
const HELD = 12;

/** The windowed cache of one list. What stands around the rows comes with them, in the answer. */
export class Pages<T, Answer extends Page<T> = Page<T>> {
  #ask: (offset: number, limit: number) => Promise<Answer>;
  #accepted: ((answer: Answer) => void) | undefined;
  // Plain maps: whoever reads a row follows `#version`, so that one answer is one update and not a hundred.
  #pages = new Map<number, T[]>();
  #underway = new Map<number, Promise<void>>();
  // Answers to an older question are dropped: the list they belong to is no longer shown.
  #generation = 0;
  #window = { from: 0, to: 0 };
  #version = $state(0);
  #total = $state<number | null>(null);
  #failure = $state.raw<unknown>(null);
  #answer = $state.raw<Answer | null>(null);

  /** `accepted` hears each answer that was not dropped. */
  constructor(ask: (offset: number, limit: number) => Promise<Answer>, accepted?: (answer: Answer) => void) {
    this.#ask = ask;
    this.#accepted = accepted;
  }

  /** The last answer that was not dropped, with what it says besides the rows; it stays until the next, whatever is asked. */
  get answer(): Answer | null {
    return this.#answer;
  }

  /** Rows of the whole list; `null` before the first answer. */
  get total(): number | null {
    return this.#total;
  }

  /** Why the last page could not be had; cleared by the next answer. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The row at an index, if it is held. Reading it follows its arrival. */
  row(index: number): T | undefined {
    void this.#version;
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Index of the first held row that fulfils a condition; -1 when none of the held ones does. */
  find(is: (row: T) => boolean): number {
    void this.#version;
    for (const [page, rows] of this.#pages) {
      const at = rows.findIndex(is);
      if (at >= 0) return page * PAGE + at;
    }
    return -1;
  }

  /** Asks for what the window shows: rows `from` to `to`, both included. */
  want(from: number, to: number): void {
    this.#window = { from, to };
    const last = Math.max(from, to);
    for (let page = Math.floor(Math.max(0, from) / PAGE); page <= Math.floor(last / PAGE); page += 1) {
      if (this.#total !== null && page * PAGE >= this.#total && page > 0) break;
      if (!this.#pages.has(page)) void this.#load(page);
    }
    this.#letGo();
  }

  /** Rows `from` to `to`, both included, loading what is missing. */
  async range(from: number, to: number): Promise<T[]> {
    const low = Math.max(0, Math.min(from, to));
    const high = Math.min(Math.max(from, to), (this.#total ?? 0) - 1);
    const rows: T[] = [];
    for (let page = Math.floor(low / PAGE); page <= Math.floor(high / PAGE); page += 1) {
      if (!this.#pages.has(page)) await this.#load(page);
      const first = page * PAGE;
      rows.push(...(this.#pages.get(page) ?? []).slice(Math.max(0, low - first), high - first + 1));
    }
    this.#letGo();
    return rows;
  }

  /** Another question: nothing that was held belongs to it. */
  reset(): void {
    this.#generation += 1;
    this.#pages.clear();
    this.#underway.clear();
    this.#total = null;
    this.#failure = null;
    this.#version += 1;
    void this.#load(0);
  }

  /** The same question once more: what is shown stays until the new answer stands in its place. */
  async refresh(): Promise<void> {
    this.#generation += 1;
    this.#underway.clear();
    const first = Math.floor(this.#window.from / PAGE);
    const last = Math.floor(this.#window.to / PAGE);
    const old = [...this.#pages.keys()].filter((page) => page < first || page > last);
    const fresh: Promise<void>[] = [];
    for (let page = first; page <= last; page += 1) fresh.push(this.#load(page));
    await Promise.all(fresh);
    for (const page of old) this.#pages.delete(page);
    this.#version += 1;
  }

  #load(page: number): Promise<void> {
    const running = this.#underway.get(page);
    if (running) return running;
    const generation = this.#generation;
    const job = this.#ask(page * PAGE, PAGE).then(
      (answer) => {
        if (generation !== this.#generation) return;
        this.#pages.set(page, answer.rows);
        this.#total = answer.total;
        this.#answer = answer;
        this.#failure = null;
        this.#underway.delete(page);
        this.#version += 1;
        this.#accepted?.(answer);
      },
      (failure: unknown) => {
        if (generation !== this.#generation) return;
        this.#failure = failure;
        this.#underway.delete(page);
      },
    );
    this.#underway.set(page, job);
    return job;
  }

  #letGo(): void {
    if (this.#pages.size <= HELD) return;
    const middle = (this.#window.from + this.#window.to) / 2 / PAGE;
    const far = [...this.#pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const page of far.slice(0, this.#pages.size - HELD)) this.#pages.delete(page);
  }
}
