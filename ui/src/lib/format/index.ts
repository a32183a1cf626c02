export { NONE, bytes, count, counted, percent, shareTexts, wholeShares, type Shares, type WholeShares } from './number';
export { age, ago, axisDay, calendarDay, day, duration, exact, moment, openFor, planned, running, took, until, type Zone } from './time';
export { cutMiddle, grouped, listed } from './text';
export { clock } from './clock.svelte';
export { seconds } from './seconds.svelte';
export { default as When } from './When.svelte';
