export { default as ColumnMenu } from './ColumnMenu.svelte';
export { default as FilterBar, type Facet } from './FilterBar.svelte';
export { default as Grid } from './Grid.svelte';
export { default as TableFooter } from './TableFooter.svelte';
export { AS_OFFERED, readChoice, type Column, type ColumnChoice } from './columns';
export { PAGE, Pages, type Page } from './pages.svelte';
export { EVERYTHING, holds, NOTHING, size, type Selection } from './selection';
export { sorted, type SortKey, type SortValue } from './sorting';
export { withParameter } from './parameter';
