/** Identities as their page asks for them: the view in the address, the columns, the words. */
import type { IdentityQuery, IdentitySort, Nature, SandboxScope } from '$lib/backend/backend';
import type { Column } from '$lib/table';
import { firstScope, readScope } from './fleet';

/** What the list of identities shows. */
export interface IdentityView {
  text: string;
  risks: string[];
  nature: Nature | null;
  /** Those with accounts in more than one instance. */
  several: boolean;
  sandbox: SandboxScope;
  sort: IdentitySort;
  descending: boolean;
}

const NATURES: readonly Nature[] = ['human', 'non_human', 'unknown'];
const SORTS: readonly IdentitySort[] = ['severity', 'name', 'accounts', 'last_seen'];

/** "Non-human". */
export const natureName = (nature: Nature): string => ({ human: 'Human', non_human: 'Non-human', unknown: 'Not known' })[nature];

/** What an identity can be, for the filter. */
export const natures = NATURES.map((value) => ({ value, label: natureName(value) }));

/** Reads a view from an address; what it does not understand is as if it were not there. */
export function readIdentities(query: URLSearchParams, alone: boolean): IdentityView {
  const sort = SORTS.find((one) => one === query.get('sort')) ?? 'severity';
  return {
    text: query.get('text') ?? '',
    risks: [...new Set((query.get('risk') ?? '').split(',').filter(Boolean))],
    nature: NATURES.find((one) => one === query.get('nature')) ?? null,
    several: query.get('several') === 'yes',
    sandbox: readScope(query, alone),
    sort,
    descending: query.get('order') === null ? sort === 'severity' : query.get('order') === 'down',
  };
}

/** Writes the address of a view; {@link readIdentities} reads it back. */
export function writeIdentities(view: IdentityView, alone: boolean): Record<string, string> {
  const query: Record<string, string> = { tab: 'identities' };
  if (view.text !== '') query.text = view.text;
  if (view.risks.length > 0) query.risk = view.risks.join(',');
  if (view.nature !== null) query.nature = view.nature;
  if (view.several) query.several = 'yes';
  if (view.sandbox !== firstScope(alone)) query.sandbox = view.sandbox;
  if (view.sort !== 'severity') query.sort = view.sort;
  if (view.descending !== (view.sort === 'severity')) query.order = view.descending ? 'down' : 'up';
  return query;
}

/** Whether anything is filtered beyond what stands at first. */
export const isNarrowed = (view: IdentityView, alone: boolean): boolean =>
  view.text !== '' || view.risks.length > 0 || view.nature !== null || view.several || view.sandbox !== firstScope(alone);

/** The query of a view without its part. */
export const identityQuery = (view: IdentityView, offset: number, limit: number): IdentityQuery => ({ ...view, slice: { offset, limit } });

/** Columns of the identities, the first two always there. */
export const columns: Column[] = [
  { id: 'severity', title: 'Severity', width: 40, fixed: true, sort: 'descending' },
  { id: 'title', title: 'Identity', width: 260, min: 180, grow: 2, fixed: true, sort: 'ascending' },
  { id: 'risks', title: 'Risks', width: 240, min: 140, grow: 3 },
  { id: 'nature', title: 'Nature', width: 96, from: 640 },
  { id: 'accounts', title: 'Accounts', width: 84, align: 'end', sort: 'descending' },
  { id: 'instances', title: 'Instances', width: 84, align: 'end', from: 560 },
  { id: 'administrators', title: 'Administrator in', width: 120, align: 'end', from: 760 },
  { id: 'last_seen', title: 'Last seen', width: 112, sort: 'descending', from: 860 },
];

/** The order that a column asks for. */
export const sortOf: Readonly<Record<string, IdentitySort>> = { severity: 'severity', title: 'name', accounts: 'accounts', last_seen: 'last_seen' };
