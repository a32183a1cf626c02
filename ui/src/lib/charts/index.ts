export { default as ScoreBar } from './ScoreBar.svelte';
export { default as Trend } from './Trend.svelte';
