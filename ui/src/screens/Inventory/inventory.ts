/** Accounts and plugins as one list: what is asked for, which columns there are, and what a property is called. */
import type {
  Account,
  Backend,
  Evidence,
  ExportFormat,
  InventoryExported,
  InventoryHead,
  InventoryQuery,
  InventorySort,
  Plugin,
  Property,
  RiskReason,
} from '$lib/backend/backend';
import type { Column } from '$lib/table';

/** Which of the two lists. */
export type Kind = 'accounts' | 'plugins';

/** A row of either. */
export type Item = Account | Plugin;

/** A row with what it rests on. */
export interface ItemPage {
  item: Item;
  risks: RiskReason[];
  source: string;
  evidence: Evidence[];
}

/** What a list is called and asked by. */
export interface Words {
  one: string;
  many: string;
  /** `risk=` and `kind=` of the address. */
  kinds: { value: string; label: string }[];
  /** Columns and the detail name these properties, in this order. */
  properties: { id: string; title: string }[];
  columns: Column[];
  /** The order that a column asks for. */
  sorts: Readonly<Record<string, InventorySort>>;
}

const accountColumns: Column[] = [
  { id: 'severity', title: 'Severity', width: 40, fixed: true, sort: 'descending' },
  { id: 'title', title: 'Account', width: 240, min: 160, grow: 2, fixed: true, sort: 'ascending' },
  { id: 'risks', title: 'Risks', width: 280, min: 140, grow: 3 },
  { id: 'kind', title: 'Kind', width: 88, sort: 'ascending', from: 760 },
  { id: 'status', title: 'Status', width: 96, sort: 'ascending', from: 860 },
  { id: 'mfa', title: 'MFA', width: 104, from: 560 },
  { id: 'last_seen', title: 'Last seen', width: 112, sort: 'descending', from: 640 },
  { id: 'email', title: 'E-mail', width: 220, extra: true },
  { id: 'roles', title: 'Roles', width: 180, extra: true },
  { id: 'identity_provider', title: 'Identity provider', width: 124, extra: true },
  { id: 'created', title: 'Created', width: 104, sort: 'descending', extra: true },
  { id: 'credential_expires', title: 'Credential expires', width: 136, sort: 'ascending', extra: true },
  { id: 'credential_changed', title: 'Credential changed', width: 140, extra: true },
];

const pluginColumns: Column[] = [
  { id: 'severity', title: 'Severity', width: 40, fixed: true, sort: 'descending' },
  { id: 'title', title: 'Plugin', width: 220, min: 160, grow: 2, fixed: true, sort: 'ascending' },
  { id: 'risks', title: 'Risks', width: 280, min: 140, grow: 3 },
  { id: 'kind', title: 'Kind', width: 116, sort: 'ascending', from: 560 },
  { id: 'publisher', title: 'Publisher', width: 160, from: 760 },
  { id: 'level', title: 'Level', width: 112, from: 900 },
  { id: 'last_used', title: 'Last used', width: 112, sort: 'descending', from: 660 },
  { id: 'scopes', title: 'Scopes', width: 220, extra: true },
  { id: 'user', title: 'User', width: 140, extra: true },
  { id: 'status', title: 'Status', width: 96, sort: 'ascending', extra: true },
  { id: 'created', title: 'Created', width: 104, sort: 'descending', extra: true },
  { id: 'expires', title: 'Expires', width: 104, sort: 'ascending', extra: true },
];

/** The words of each list. */
export const words: Record<Kind, Words> = {
  accounts: {
    one: 'account',
    many: 'accounts',
    kinds: [
      { value: 'person', label: 'Person' },
      { value: 'guest', label: 'Guest' },
      { value: 'service', label: 'Service' },
    ],
    properties: [
      { id: 'vendor_id', title: 'Identifier' },
      { id: 'name', title: 'Name' },
      { id: 'email', title: 'E-mail' },
      { id: 'kind', title: 'Kind' },
      { id: 'status', title: 'Status' },
      { id: 'administrator', title: 'Administrator' },
      { id: 'roles', title: 'Roles' },
      { id: 'mfa', title: 'MFA' },
      { id: 'identity_provider', title: 'Identity provider' },
      { id: 'created', title: 'Created' },
      { id: 'last_seen', title: 'Last seen' },
      { id: 'never_seen', title: 'Never signed in' },
      { id: 'credential_expires', title: 'Credential expires' },
      { id: 'credential_changed', title: 'Credential changed' },
    ],
    columns: accountColumns,
    sorts: { severity: 'severity', title: 'name', kind: 'kind', status: 'status', created: 'created', last_seen: 'last_used', credential_expires: 'expires' },
  },
  plugins: {
    one: 'plugin',
    many: 'plugins',
    kinds: [
      { value: 'oauth_grant', label: 'OAuth grant' },
      { value: 'installed_app', label: 'Installed app' },
      { value: 'token', label: 'Token' },
      { value: 'webhook', label: 'Webhook' },
      { value: 'key', label: 'Key' },
    ],
    properties: [
      { id: 'vendor_id', title: 'Identifier' },
      { id: 'name', title: 'Name' },
      { id: 'kind', title: 'Kind' },
      { id: 'publisher', title: 'Publisher' },
      { id: 'verified_publisher', title: 'Verified publisher' },
      { id: 'scopes', title: 'Scopes' },
      { id: 'write', title: 'May change things' },
      { id: 'level', title: 'Level' },
      { id: 'user', title: 'User' },
      { id: 'status', title: 'Status' },
      { id: 'created', title: 'Created' },
      { id: 'last_used', title: 'Last used' },
      { id: 'never_used', title: 'Never used' },
      { id: 'expires', title: 'Expires' },
    ],
    columns: pluginColumns,
    sorts: { severity: 'severity', title: 'name', kind: 'kind', status: 'status', created: 'created', last_used: 'last_used', expires: 'expires' },
  },
};

/** Properties whose value is a moment. */
const TIMES = new Set(['created', 'last_seen', 'last_used', 'credential_expires', 'credential_changed', 'expires']);

/** Whether a property's value is a moment. */
export const isTime = (id: string): boolean => TIMES.has(id);

const VALUES: Readonly<Record<string, string>> = {
  true: 'Yes',
  false: 'No',
  person: 'Person',
  guest: 'Guest',
  service: 'Service',
  active: 'Active',
  suspended: 'Suspended',
  invited: 'Invited',
  deactivated: 'Deactivated',
  none: 'None',
  weak: 'Weak',
  strong: 'Strong',
  oauth_grant: 'OAuth grant',
  installed_app: 'Installed app',
  token: 'Token',
  webhook: 'Webhook',
  key: 'Key',
  tenant: 'Organization',
  user: 'User',
};

// The words of these properties are ours; those of the others are the vendor's and stay as they are.
const OURS = new Set(['kind', 'mfa', 'level', 'administrator', 'identity_provider', 'never_seen', 'verified_publisher', 'write', 'never_used']);

/** What a known property says; a plugin's status is the vendor's own word. */
export function said(kind: Kind, id: string, property: Property): string {
  return OURS.has(id) || (kind === 'accounts' && id === 'status') ? (VALUES[property.value] ?? property.value) : property.value;
}

/** The property of a row. */
export function propertyOf(item: Item, id: string): Property | undefined {
  const value = (item as unknown as Record<string, unknown>)[id];
  return typeof value === 'object' && value !== null && 'state' in value ? (value as Property) : undefined;
}

/** Why nothing is said, in words; empty when something is. */
export function silence(property: Property): string {
  switch (property.state) {
    case 'is':
      return '';
    case 'none':
      return 'None';
    case 'unknown':
      return 'Unknown';
    case 'not_read':
      return 'Not read';
  }
}

/** Asks for a part of a list. */
export async function ask(backend: Backend, kind: Kind, instance: string, query: InventoryQuery): Promise<{ head: InventoryHead; rows: Item[] }> {
  return kind === 'accounts' ? backend.accounts(instance, query) : backend.plugins(instance, query);
}

/** Asks for one row with what it rests on. */
export async function askOne(backend: Backend, kind: Kind, instance: string, id: string): Promise<ItemPage> {
  if (kind === 'accounts') {
    const { account, ...rest } = await backend.account(instance, id);
    return { item: account, ...rest };
  }
  const { plugin, ...rest } = await backend.plugin(instance, id);
  return { item: plugin, ...rest };
}

/** Writes what a query shows to a file. */
export function save(backend: Backend, kind: Kind, instance: string, query: InventoryQuery, format: ExportFormat): Promise<InventoryExported | null> {
  return kind === 'accounts' ? backend.exportAccounts(instance, query, format) : backend.exportPlugins(instance, query, format);
}

/** What the tab shows, as its address says it. */
export interface View {
  text: string;
  risks: string[];
  unknown: string[];
  kinds: string[];
  sort: InventorySort;
  descending: boolean;
}

const SORTS: readonly InventorySort[] = ['severity', 'name', 'kind', 'status', 'created', 'last_used', 'expires'];

/** Reads a view from an address; what it does not understand is as if it were not there. */
export function readView(query: URLSearchParams, kind: Kind): View {
  const list = (name: string): string[] => [...new Set((query.get(name) ?? '').split(',').filter(Boolean))];
  const sort = SORTS.find((one) => one === query.get('sort')) ?? 'severity';
  return {
    text: query.get('text') ?? '',
    risks: list('risk'),
    unknown: list('unknown'),
    kinds: list('kind').filter((value) => words[kind].kinds.some((known) => known.value === value)),
    sort,
    descending: query.get('order') === null ? sort === 'severity' : query.get('order') === 'down',
  };
}

/** Writes the address of a view; {@link readView} reads it back. */
export function writeView(view: View): Record<string, string> {
  const query: Record<string, string> = {};
  if (view.text !== '') query.text = view.text;
  if (view.risks.length > 0) query.risk = view.risks.join(',');
  if (view.unknown.length > 0) query.unknown = view.unknown.join(',');
  if (view.kinds.length > 0) query.kind = view.kinds.join(',');
  if (view.sort !== 'severity') query.sort = view.sort;
  if (view.descending !== (view.sort === 'severity')) query.order = view.descending ? 'down' : 'up';
  return query;
}

/** The list with a value more, or without it where it was there. */
export const toggled = (list: readonly string[], value: string): string[] => (list.includes(value) ? list.filter((one) => one !== value) : [...list, value]);

/** Whether anything is filtered. */
export const isFiltered = (view: View): boolean => view.text !== '' || view.risks.length + view.unknown.length + view.kinds.length > 0;

/** The query of a view without its part. */
export function queryOf(view: View, offset: number, limit: number): InventoryQuery {
  const { text, risks, unknown, kinds, sort, descending } = view;
  return { filter: { text, risks, unknown, kinds }, sort, descending, slice: { offset, limit } };
}
