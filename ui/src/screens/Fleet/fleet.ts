/** Accounts and plugins of all instances: what is asked for as the address says it, which columns there are, and whose a row is. */
import {
  asFailure,
  type Backend,
  type ExportFormat,
  type FleetAccount,
  type FleetFilter,
  type FleetGap,
  type FleetPlugin,
  type FleetQuery,
  type InventoryExported,
  type PluginReview,
  type RiskCount,
  type SandboxScope,
} from '$lib/backend/backend';
import { day } from '$lib/format';
import { toasts } from '$lib/shell/toasts.svelte';
import type { Column } from '$lib/table';
import { isFiltered, propertyOf, queryOf, readView, words, writeView, type Item, type Kind, type View } from '../Inventory/inventory';

/** An account or plugin and where it is. */
export type Row = FleetAccount | FleetPlugin;

/** It, without where it is. */
export const itemOf = (row: Row): Item => ('account' in row ? row.account : row.plugin);

/** Tells a row among those of all instances; a row is named within its instance alone. */
export const keyOf = (row: Row): string => `${row.instance}/${itemOf(row).id}`;

/** The instance and the row that {@link keyOf} named. */
export function readKey(key: string | null): { instance: string; id: string } | null {
  const at = key?.lastIndexOf('/') ?? -1;
  return key === null || at < 1 ? null : { instance: key.slice(0, at), id: key.slice(at + 1) };
}

/** A page of either list. */
export interface RowList {
  all: number;
  total: number;
  risks: RiskCount[];
  gaps: FleetGap[];
  rows: Row[];
}

/** Asks for a part of a list. */
export function ask(backend: Backend, kind: Kind, query: FleetQuery): Promise<RowList> {
  return kind === 'accounts' ? backend.accountsEverywhere(query) : backend.pluginsEverywhere(query);
}

// Rows of one question at most.
const MOST = 500;

/** The row of an item, for a pane that was opened by its address; `null` when it is not in the lists. */
export async function askRow(backend: Backend, kind: Kind, instance: string, item: Item): Promise<Row | null> {
  const told = [item.vendor_id, item.name].find(({ state }) => state === 'is')?.value ?? '';
  const filter: FleetFilter = { ...NO_FILTER, instances: [instance], text: told, sandbox: 'with' };
  for (let offset = 0; ; offset += MOST) {
    const { rows, total } = await ask(backend, kind, { filter, sort: 'severity', descending: true, slice: { offset, limit: MOST } });
    const found = rows.find((row) => itemOf(row).id === item.id);
    if (found || rows.length === 0 || offset + MOST >= total) return found ?? null;
  }
}

/** Writes what a query shows to a file. */
export function save(backend: Backend, kind: Kind, query: FleetQuery, format: ExportFormat): Promise<InventoryExported | null> {
  return kind === 'accounts' ? backend.exportAccountsEverywhere(query, format) : backend.exportPluginsEverywhere(query, format);
}

/** A filter that lets everything pass. */
export const NO_FILTER: FleetFilter = { risks: [], unknown: [], kinds: [], text: '', instances: [], apps: [], sandbox: 'without', identity: null, reviewed: null, gen_ai: false, user: null };

/** What a list of all instances shows, as its address says it. */
export interface FleetView extends View {
  instances: string[];
  apps: string[];
  sandbox: SandboxScope;
  /** Accounts of one identity. */
  identity: string | null;
  reviewed: boolean | null;
  genAi: boolean;
  /** Plugins of one user. */
  user: string | null;
}

/** Simulated tenants are left out, unless there is nothing else yet. */
export const firstScope = (alone: boolean): SandboxScope => (alone ? 'only' : 'without');

/** The scope that an address names. */
export function readScope(query: URLSearchParams, alone: boolean): SandboxScope {
  const scope = query.get('sandbox');
  return scope === 'with' || scope === 'only' || scope === 'without' ? scope : firstScope(alone);
}

/** Reads a view from an address; what it does not understand, or what the other list is asked by, is as if it were not there. */
export function readFleet(query: URLSearchParams, kind: Kind, alone: boolean): FleetView {
  const list = (name: string): string[] => [...new Set((query.get(name) ?? '').split(',').filter(Boolean))];
  const accounts = kind === 'accounts';
  const reviewed = accounts ? null : query.get('reviewed');
  return {
    ...readView(query, kind),
    instances: list('instance'),
    apps: list('app'),
    sandbox: readScope(query, alone),
    identity: accounts ? query.get('identity') : null,
    reviewed: reviewed === 'yes' ? true : reviewed === 'no' ? false : null,
    genAi: !accounts && query.get('ai') === 'yes',
    user: accounts ? null : query.get('user'),
  };
}

/** Writes the address of a view; {@link readFleet} reads it back. */
export function writeFleet(view: FleetView, alone: boolean): Record<string, string> {
  const query = writeView(view);
  if (view.instances.length > 0) query.instance = view.instances.join(',');
  if (view.apps.length > 0) query.app = view.apps.join(',');
  if (view.sandbox !== firstScope(alone)) query.sandbox = view.sandbox;
  if (view.identity !== null) query.identity = view.identity;
  if (view.reviewed !== null) query.reviewed = view.reviewed ? 'yes' : 'no';
  if (view.genAi) query.ai = 'yes';
  if (view.user !== null) query.user = view.user;
  return query;
}

/** Whether anything is filtered beyond what stands at first. */
export const isNarrowed = (view: FleetView, alone: boolean): boolean =>
  isFiltered(view) ||
  view.instances.length + view.apps.length > 0 ||
  view.sandbox !== firstScope(alone) ||
  view.identity !== null ||
  view.reviewed !== null ||
  view.genAi ||
  view.user !== null;

/** The query of a view without its part. */
export function fleetQuery(view: FleetView, offset: number, limit: number): FleetQuery {
  const { instances, apps, sandbox, identity, reviewed, genAi, user } = view;
  const of = queryOf(view, offset, limit);
  return { ...of, filter: { ...of.filter, instances, apps, sandbox, identity, reviewed, gen_ai: genAi, user } };
}

const INSTANCE: Column = { id: 'instance', title: 'Instance', width: 148, from: 460 };
const IDENTITY: Column = { id: 'identity', title: 'Identity', width: 184, from: 940 };
const REVIEWED: Column = { id: 'reviewed', title: 'Reviewed', width: 108, from: 700 };

// How much room there must be for a column of the instance's list: over all instances others come first.
const ROOM: Readonly<Record<Kind, Readonly<Record<string, number>>>> = {
  accounts: { mfa: 660, last_seen: 760, kind: 1040, status: 1140 },
  plugins: { last_used: 810, kind: 930, publisher: 1060, user: 1200, scopes: 1330 },
};
// So many columns have room only where each is narrower than on the page of an instance.
const WIDEST = 136;

/** The columns of an instance's list with what is of interest over all of them. */
export const columns: Record<Kind, Column[]> = { accounts: over('accounts', [IDENTITY, INSTANCE]), plugins: over('plugins', [INSTANCE, REVIEWED]) };

function over(kind: Kind, own: Column[]): Column[] {
  return words[kind].columns.flatMap((column) => {
    if (column.id === 'title') return [column, ...own];
    const from = ROOM[kind][column.id];
    if (from !== undefined) return [{ ...column, width: Math.min(column.width, WIDEST), from, extra: false }];
    if (column.id === 'risks') return [{ ...column, min: 190 }];
    return [column.fixed ? column : { ...column, extra: true }];
  });
}

/** Whether somebody looked at a plugin with the rights that it has now. */
export const isReviewed = (review: PluginReview | null): boolean => review?.same_rights ?? false;

/** The same in words. */
export function reviewWords(review: PluginReview | null, now: Date): string {
  if (review === null) return 'Not reviewed';
  return review.same_rights ? `Reviewed ${day(review.at, now)} by ${review.who}` : `Not reviewed: other rights since ${day(review.at, now)}`;
}

/** The identity of a row in words: an account that stands alone has no address to be called by. */
export const identityWords = (key: string, title: string): string => (key.startsWith('account:') ? title : key);

/** The user of a plugin, as far as the vendor names one. */
export function userOf(item: Item): string | null {
  const user = propertyOf(item, 'user');
  return user?.state === 'is' && user.value !== '' ? user.value : null;
}

/** Tells what is wrong where there is no place for it: after the screen that asked may be gone. */
function tell(thrown: unknown): void {
  const failure = asFailure(thrown);
  toasts.show(`${failure.sentence} ${failure.remedy}`.trim());
}

/**
 * Says whose an account is, with Undo: the key of an identity, an empty one for nobody else's, `null` for what its address says.
 * `done` is called after each change, that of Undo too.
 *
 * @throws the console's `Failure`; one of Undo is told in a toast.
 */
export async function giveAccount(backend: Backend, row: FleetAccount, to: string | null, done: () => void): Promise<void> {
  const before = row.corrected ? row.identity : null;
  const set = async (identity: string | null) => {
    await backend.setAccountIdentity(row.instance, row.account.id, identity);
    done();
  };
  await set(to);
  const whose = to === null ? 'belongs to what its address says' : to === '' ? 'is nobody else’s' : `belongs to ${identityWords(to, 'the other account')}`;
  toasts.show(`${row.account.title} in ${row.instance_name} ${whose}`, { label: 'Undo', run: () => void set(before).catch(tell) });
}

/**
 * Says of plugins that they were reviewed, or takes it back, with Undo. Those that are so already are left alone.
 * `done` is called after each change, that of Undo too, and when only some could be changed.
 *
 * @throws the console's `Failure`; those before it are changed and can be undone.
 */
export async function reviewPlugins(backend: Backend, rows: readonly FleetPlugin[], reviewed: boolean, done: () => void): Promise<void> {
  const wanted = rows.filter((row) => isReviewed(row.review) !== reviewed);
  const changed: FleetPlugin[] = [];
  const undo = async () => {
    try {
      for (const row of changed) await backend.setPluginReviewed(row.instance, row.plugin.id, !reviewed);
    } finally {
      done();
    }
  };
  try {
    for (const row of wanted) {
      await backend.setPluginReviewed(row.instance, row.plugin.id, reviewed);
      changed.push(row);
    }
  } finally {
    done();
    const [first] = changed;
    if (first) {
      const what = changed.length === 1 ? first.plugin.title : `${changed.length} plugins`;
      toasts.show(`${what}: ${reviewed ? 'reviewed' : 'not reviewed'}`, { label: 'Undo', run: () => void undo().catch(tell) });
    }
  }
}
