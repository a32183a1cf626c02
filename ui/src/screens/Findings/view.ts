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
  owner: 'owners',
  framework: 'frameworks',
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
    owners: [],
    frameworks: [],
    found_within_days: null,
    older_than_days: null,
  },
  sort: 'severity',
  descending: true,
};

/** An instance without an owner, in the address and in what is typed. */
export const NOBODY = '(none)';
/** The longest age that can be asked for, in days: a hundred years. */
const LONGEST = 36_500;

/** The values of a facet. */
export function valuesOf(filter: FindingFilter, facet: Facet): readonly string[] {
  return facet === 'owner' ? filter.owners.map((owner) => owner || NOBODY) : filter[LISTS[facet]];
}

/** Ages as they are typed: `>30d` is older than thirty days, `<7d` found within seven. */
export function agesOf(filter: FindingFilter): string[] {
  return [
    ...(filter.found_within_days === null ? [] : [`<${filter.found_within_days}d`]),
    ...(filter.older_than_days === null ? [] : [`>${filter.older_than_days}d`]),
  ];
}

/** The filter with other ages; what is none is left out, and of several of one kind the last counts. */
export function withAges(filter: FindingFilter, ages: readonly string[]): FindingFilter {
  const result = { ...filter, found_within_days: null, older_than_days: null } as FindingFilter;
  for (const age of ages) {
    const [, sign, number] = /^([<>])(\d{1,5})d?$/.exec(age) ?? [];
    const days = Number(number);
    if (number === undefined || days > LONGEST) continue;
    if (sign === '<') result.found_within_days = days;
    else result.older_than_days = days;
  }
  return result;
}

// A comma parts values, so one within a value is spelled otherwise.
const spell = (value: string) => value.replaceAll('%', '%25').replaceAll(',', '%2C');
const unspell = (value: string) => value.replaceAll('%2C', ',').replaceAll('%25', '%');
const parted = (text: string | null) => (text ?? '').split(',').map(unspell);

/** The filter with other values of one facet; values that do not exist are left out. */
export function withValues(filter: FindingFilter, facet: Facet, values: readonly string[]): FindingFilter {
  const chosen = known(facet, values);
  return { ...filter, [LISTS[facet]]: facet === 'owner' ? chosen.map((owner) => (owner === NOBODY ? '' : owner)) : chosen };
}

function known(facet: Facet, values: readonly string[]): string[] {
  const allowed: readonly string[] | null = facet === 'severity' ? SEVERITIES : facet === 'state' ? STATES : null;
  const unique = [...new Set(values.filter((value) => value !== ''))];
  // In the order of the scale, so that a view has one address however it was clicked together.
  return allowed ? allowed.filter((value) => unique.includes(value)) : unique;
}

/** Reads a view from an address; what it does not understand is as if it were not there. */
export function readView(query: URLSearchParams, sandboxAlone: boolean): View {
  const list = (facet: Facet): string[] => known(facet, parted(query.get(facet)));
  const sort = SORTS.find((one) => one === query.get('sort')) ?? FIRST.sort;
  const scope = query.get('sandbox');
  const filter: FindingFilter = withAges({
    instances: list('instance'),
    apps: list('app'),
    severities: list('severity') as Severity[],
    states: query.get('state') === null ? FIRST.filter.states : (list('state') as FindingState[]),
    checks: list('check'),
    features: list('scan'),
    text: query.get('text') ?? '',
    sandbox: scope === 'with' || scope === 'only' || scope === 'without' ? scope : defaultScope(sandboxAlone),
    not_rechecked: query.get('rechecked') === 'no',
    owners: list('owner').map((owner) => (owner === NOBODY ? '' : owner)),
    frameworks: list('framework'),
    found_within_days: null,
    older_than_days: null,
  }, parted(query.get('age')));
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
      query[facet] = values.map(spell).join(',');
    }
  }
  const ages = agesOf(filter);
  if (ages.length > 0) query.age = ages.join(',');
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
    if (name === 'age') {
      const aged = withAges(result, [...agesOf(result), ...values]);
      if (agesOf(aged).join() === agesOf(result).join()) return values.every((value) => agesOf(result).includes(value));
      result = aged;
      return true;
    }
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
