import { createSubscriber } from 'svelte/reactivity';

/** The present moment for what counts down: it moves each second, and only while something looks at it. */
class Seconds {
  #subscribe = createSubscriber((update) => {
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  });

  /** Milliseconds since 1970; whoever reads it in a screen follows it. */
  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

export const seconds = new Seconds();
