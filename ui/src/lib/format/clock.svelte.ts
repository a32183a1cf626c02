/** The present moment of the screens. It moves twice a minute, so that "12 min ago" does not grow old on the screen. */

import { createSubscriber } from 'svelte/reactivity';

const STEP = 30_000;

class Clock {
  #now = new Date();
  // Ticks only while a screen looks at it.
  #subscribe = createSubscriber((update) => {
    const timer = setInterval(() => {
      this.#now = new Date();
      update();
    }, STEP);
    return () => clearInterval(timer);
  });

  /** Now; whoever reads it in a screen follows it. */
  get now(): Date {
    this.#subscribe();
    // A screen that opens later than the last tick must not look back.
    const present = new Date();
    if (present.getTime() - this.#now.getTime() > STEP) this.#now = present;
    return this.#now;
  }
}

export const clock = new Clock();
