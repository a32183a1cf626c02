/**
 * What the list of onboarded instances shows, as its address says it: `?health=down,unhealthy&app=box&sort=score.down`. The
 * address is the whole state, so that Back undoes a filter and a view can be handed on.
 */
import type { Instance } from '$lib/backend/backend';
import { healthName } from '$lib/components/names';
import { takeTyped } from '$lib/table/typed';
import type { SortKey } from '$lib/table/sorting';
import { columns } from './columns';

/** What instances can be narrowed down to; also the words that may stand before a colon. */
export const FACETS = ['app', 'health', 'label', 'owner', 'severity', 'credential'] as const;
export type FacetName = (typeof FACETS)[number];

/** Chosen values by facet, and words that must be found. */
export type InstanceFilter = Readonly<Record<FacetName, readonly string[]>> & { readonly text: string };

/** Filter and order. */
export interface View {
  filter: InstanceFilter;
  /** One or two keys, the first decides. */
  sorting: readonly SortKey[];
}

const ANYTHING: InstanceFilter = { app: [], health: [], label: [], owner: [], severity: [], credential: [], text: '' };

/** Everything, what is in trouble first. */
export const FIRST: View = {
  filter: ANYTHING,
  sorting: [
    { column: 'health', descending: true },
    { column: 'score', descending: false },
  ],
};

// A name of an owner or a label may hold a comma; the list is parted by commas that stand for themselves.
const list = (text: string | null): string[] =>
  [...new Set((text ?? '').split(',').map((value) => value.replaceAll('%2C', ',').replaceAll('%25', '%')))].filter((value) => value !== '');
const joined = (values: readonly string[]): string => values.map((value) => value.replaceAll('%', '%25').replaceAll(',', '%2C')).join(',');

const orderOf = (sorting: readonly SortKey[]): string => sorting.map(({ column, descending }) => `${column}.${descending ? 'down' : 'up'}`).join(',');

function readOrder(text: string | null): readonly SortKey[] {
  const keys = (text ?? '').split(',').flatMap((word): SortKey[] => {
    const [column = '', direction] = word.split('.');
    const known = columns.some((one) => one.id === column && one.sort !== undefined);
    return known && (direction === 'up' || direction === 'down') ? [{ column, descending: direction === 'down' }] : [];
  });
  return keys.length === 0 ? FIRST.sorting : keys.slice(0, 2);
}

/** Reads a view from an address; what it does not understand is as if it were not there. */
export function readView(query: URLSearchParams): View {
  const values = Object.fromEntries(FACETS.map((facet) => [facet, list(query.get(facet))])) as Record<FacetName, string[]>;
  return { filter: { ...values, text: query.get('text') ?? '' }, sorting: readOrder(query.get('sort')) };
}

/** Writes the address of a view; what is as at first is left out. {@link readView} reads it back. */
export function writeView({ filter, sorting }: View): Record<string, string> {
  const query: Record<string, string> = {};
  for (const facet of FACETS) if (filter[facet].length > 0) query[facet] = joined(filter[facet]);
  if (filter.text !== '') query.text = filter.text;
  if (orderOf(sorting) !== orderOf(FIRST.sorting)) query.sort = orderOf(sorting);
  return query;
}

/** The value of the filter of credentials: what ends soon or has ended. */
export const ENDS_SOON = 'soon';

/** What an instance is told by in the filter of its label; simulated ones have a word of their own. */
export const labelOf = (instance: Instance): string => (instance.sandbox ? 'sandbox' : instance.label);

/** The filter that typed words such as `health:down` name, and the text that is left of them. */
export function absorb(typed: string, filter: InstanceFilter, instances: readonly Instance[]): InstanceFilter {
  const offered: Record<FacetName, readonly string[]> = {
    app: instances.map(({ app }) => app),
    health: ['up', 'unhealthy', 'down', 'unknown', 'scanning', 'manual'],
    label: instances.map(labelOf),
    owner: instances.map(({ owner }) => owner),
    severity: ['critical', 'high', 'medium', 'low', 'info'],
    credential: [ENDS_SOON],
  };
  let result = filter;
  const text = takeTyped(typed, (name, values) => {
    const facet = FACETS.find((one) => one === name);
    if (!facet) return false;
    const known = values.flatMap((value) => offered[facet].find((one) => one !== '' && one.toLowerCase() === value.toLowerCase()) ?? []);
    if (known.length === 0) return false;
    result = { ...result, [facet]: [...new Set([...result[facet], ...known])] };
    return true;
  });
  return { ...result, text };
}

/** Whether an instance fulfils a filter. */
export function fits(instance: Instance, filter: InstanceFilter): boolean {
  const hay = [instance.app_name, instance.name, instance.owner, instance.label, healthName(instance.health)].join('\n').toLowerCase();
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const any = (chosen: readonly string[], value: string): boolean => chosen.length === 0 || chosen.includes(value);
  return (
    words.every((word) => hay.includes(word)) &&
    any(filter.app, instance.app) &&
    any(filter.health, instance.health) &&
    any(filter.label, labelOf(instance)) &&
    any(filter.owner, instance.owner) &&
    (filter.credential.length === 0 || (filter.credential.includes(ENDS_SOON) && instance.credential?.soon === true)) &&
    (filter.severity.length === 0 || filter.severity.some((severity) => instance.open[severity as keyof Instance['open']] > 0))
  );
}
