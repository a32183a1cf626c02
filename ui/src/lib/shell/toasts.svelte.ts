/** One line with at most one action. */
export interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

const life = 8000;

class Toasts {
  shown = $state<Toast[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  /** Shows a line for eight seconds; of more than three the oldest goes. */
  show(text: string, action?: Toast['action']): void {
    const toast: Toast = { id: this.#next++, text, ...(action ? { action } : {}) };
    this.shown = [...this.shown, toast].slice(-3);
    this.#run(toast.id);
  }

  close(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }

  /** Time stands still while they are looked at. */
  pause(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  resume(): void {
    for (const toast of this.shown) this.#run(toast.id);
  }

  #run(id: number): void {
    this.#timers.set(
      id,
      setTimeout(() => this.close(id), life),
    );
  }
}

export const toasts = new Toasts();
