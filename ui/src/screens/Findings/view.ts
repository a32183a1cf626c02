/**
 * What the Findings screen shows, as its address says it: `?severity=high,critical&app=kustomer&sort=age`. The address is
 * the whole state, so that Back undoes a filter and a view can be handed on.
 */
import type { FindingFilter, FindingSort, FindingState, SandboxScope, Severity } from '$lib/backend/backend';
import { takeTyped } from '$lib/table/typed';

/** Filter and order. */
export interface View {
  filter: FindingFilter;
  sort: FindingSort;
  descending: boolean;
}

const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'info'];
const STATES: readonly FindingState[] = ['open', 'dismissed', 'fixed', 'gone'];
const SORTS: readonly FindingSort[] = ['severity', 'title', 'resource', 'instance', 'first_seen', 'last_seen'];

// The words that may stand before a colon, in the address and in the filter field alike.
const LISTS = {
  severity: 'severities',
  state: 'states',
  app: 'apps',
  instance: 'instances',
  check: 'checks',
  scan: 'features',
} as const satisfies Record<string, keyof FindingFilter>;

/** A word of the filter. */
export type Facet = keyof typeof LISTS;

/** Nothing but the open findings of real instances, worst first. */
export const FIRST: View = {
  filter: {
    instances: [],
    apps: [],
    severities: [],
    states: ['open'],
    checks: [],
    features: [],
    text: '',
    sandbox: 'without',
    not_rechecked: false,
  },
  sort: 'severity',
  descending: true,
};

/** The values of a facet. */
export function valuesOf(filter: FindingFilter, facet: Facet): readonly string[] {
  return filter[LISTS[facet]];
}

/** The filter with other values of one facet; values that do not exist are left out. */
export function withValues(filter: FindingFilter, facet: Facet, values: readonly string[]): FindingFilter {
  return { ...filter, [LISTS[facet]]: known(facet, values) };
}

function known(facet: Facet, values: readonly string[]): string[] {
  const allowed: readonly string[] | null = facet === 'severity' ? SEVERITIES : facet === 'state' ? STATES : null;
  const unique = [...new Set(values.filter((value) => value !== ''))];
  // In the order of the scale, so that a view has one address however it was clicked together.
  return allowed ? allowed.filter((value) => unique.includes(value)) : unique;
}

/** Reads a view from an address; what it does not understand is as if it were not there. */
export function readView(query: URLSearchParams, sandboxAlone: boolean): View {
  const list = (facet: Facet): string[] => known(facet, (query.get(facet) ?? '').split(','));
  const sort = SORTS.find((one) => one === query.get('sort')) ?? FIRST.sort;
  const scope = query.get('sandbox');
  const filter: FindingFilter = {
    instances: list('instance'),
    apps: list('app'),
    severities: list('severity') as Severity[],
    states: query.get('state') === null ? FIRST.filter.states : (list('state') as FindingState[]),
    checks: list('check'),
    features: list('scan'),
    text: query.get('text') ?? '',
    sandbox: scope === 'with' || scope === 'only' || scope === 'without' ? scope : defaultScope(sandboxAlone),
    not_rechecked: query.get('rechecked') === 'no',
  };
  return { filter, sort, descending: query.get('order') === null ? sort === 'severity' : query.get('order') === 'down' };
}

/** Simulated tenants are left out, unless there is nothing else yet. */
function defaultScope(sandboxAlone: boolean): SandboxScope {
  return sandboxAlone ? 'only' : 'without';
}

/** Writes the address of a view; what is as at first is left out. {@link readView} reads it back. */
export function writeView(view: View, sandboxAlone: boolean): Record<string, string> {
  const query: Record<string, string> = {};
  const { filter } = view;
  for (const facet of Object.keys(LISTS) as Facet[]) {
    const values = valuesOf(filter, facet);
    if (facet === 'state') {
      if (values.join() !== 'open') query.state = values.join(',') || 'any';
    } else if (values.length > 0) {
      query[facet] = values.join(',');
    }
  }
  if (filter.text !== '') query.text = filter.text;
  if (filter.sandbox !== defaultScope(sandboxAlone)) query.sandbox = filter.sandbox;
  if (filter.not_rechecked) query.rechecked = 'no';
  if (view.sort !== FIRST.sort) query.sort = view.sort;
  if (view.descending !== (view.sort === 'severity')) query.order = view.descending ? 'down' : 'up';
  return query;
}

/** The filter that typed words such as `severity:high` name, and the text that is left of them. */
export function absorb(typed: string, filter: FindingFilter): { filter: FindingFilter; text: string } {
  let result = filter;
  const text = takeTyped(typed, (name, values) => {
    if (!Object.hasOwn(LISTS, name)) return false;
    const facet = name as Facet;
    const added = known(facet, facet === 'severity' || facet === 'state' ? values.map((value) => value.toLowerCase()) : values);
    if (added.length === 0) return false;
    // "state:fixed" means fixed, not "open or fixed": the state that stands at first was never typed.
    const before = facet === 'state' && result.states.join() === 'open' ? [] : valuesOf(result, facet);
    result = withValues(result, facet, [...before, ...added]);
    return true;
  });
  return { filter: result, text };
}

/** Whether anything is filtered beyond what stands at first. */
export function isFiltered(filter: FindingFilter, sandboxAlone: boolean): boolean {
  const { sort: _sort, order: _order, ...rest } = writeView({ ...FIRST, filter }, sandboxAlone);
  return Object.keys(rest).length > 0;
}
