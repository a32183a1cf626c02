import type {
  Account,
  FleetAccount,
  FleetAccounts,
  FleetFilter,
  FleetGap,
  FleetPlugin,
  FleetPlugins,
  FleetQuery,
  HeldBy,
  Identity,
  IdentityList,
  IdentityQuery,
  Instance,
  Plugin,
  PluginReview,
  PluginUser,
  PluginUserList,
  SandboxScope,
  Severity,
  Slice,
} from '../backend';
import { ago } from './clock';
import { accountRisks, counts, fulfils, order, pluginRisks, type InventedInventory, type Item } from './inventory';

const severities: Severity[] = ['info', 'low', 'medium', 'high', 'critical'];
const rank = (severity: Severity | null): number => (severity === null ? -1 : severities.indexOf(severity));
const inScope = (instance: Instance, scope: SandboxScope): boolean => scope === 'with' || (scope === 'only') === instance.sandbox;
const part = <T>(rows: T[], { offset, limit }: Slice): T[] => rows.slice(offset, offset + limit);

/** Where a row is. */
const place = ({ id, name, app, app_name, sandbox, last_scan }: Instance) => ({ instance: id, instance_name: name, app, app_name, sandbox, as_of: last_scan ?? '' });

/** Accounts and plugins of all invented instances, with what was said of them. */
export class InventedFleet {
  #inventory: InventedInventory;
  #instances: () => Instance[];
  #ignored: (instance: string, account: string) => HeldBy | null;
  #given = new Map<string, string>();
  #reviews = new Map<string, PluginReview>([
    ['i-slack/2', { who: 'ada', at: ago({ days: 9 }), same_rights: true }],
    ['i-zendesk/1', { who: 'ada', at: ago({ days: 31 }), same_rights: false }],
  ]);

  constructor(inventory: InventedInventory, instances: () => Instance[], ignored: (instance: string, account: string) => HeldBy | null) {
    this.#inventory = inventory;
    this.#instances = instances;
    this.#ignored = ignored;
  }

  /** Says whose an account is, as the console does. */
  give(instance: string, account: string, identity: string | null): void {
    if (identity === null) this.#given.delete(`${instance}/${account}`);
    else this.#given.set(`${instance}/${account}`, identity.startsWith('account:') ? identity : identity.trim().toLowerCase());
  }

  review(instance: string, plugin: string, reviewed: boolean): void {
    if (reviewed) this.#reviews.set(`${instance}/${plugin}`, { who: 'ada', at: ago({}), same_rights: true });
    else this.#reviews.delete(`${instance}/${plugin}`);
  }

  #account(instance: Instance, account: Account): FleetAccount {
    const alone = `account:${instance.id}:users:${account.vendor_id.value}`;
    const given = this.#given.get(`${instance.id}/${account.id}`);
    const identity = given === undefined ? account.email.value.toLowerCase() || alone : given || alone;
    return { ...place(instance), identity, corrected: given !== undefined, account: { ...account, ignored: this.#ignored(instance.id, account.id) } };
  }

  #accounts(scope: SandboxScope): FleetAccount[] {
    return this.#instances()
      .filter((instance) => inScope(instance, scope))
      .flatMap((instance) => (this.#inventory.everything(instance, 'accounts') ?? []).map((account) => this.#account(instance, account)));
  }

  #plugins(scope: SandboxScope): FleetPlugin[] {
    return this.#instances()
      .filter((instance) => inScope(instance, scope))
      .flatMap((instance) =>
        (this.#inventory.everything(instance, 'plugins') ?? []).map((plugin) => ({ ...place(instance), review: this.#reviews.get(`${instance.id}/${plugin.id}`) ?? null, plugin })),
      );
  }

  #gaps(scope: SandboxScope, kind: 'accounts' | 'plugins', title: string): FleetGap[] {
    return this.#instances()
      .filter((instance) => inScope(instance, scope))
      .flatMap((instance) => {
        const sentence = !this.#inventory.declares(instance)
          ? `The connector of this application reads no ${kind}.`
          : instance.last_scan === null
            ? 'No scan of it has been complete yet.'
            : instance.health === 'unhealthy'
              ? `${title} were read in part: the vendor asked to wait for longer than a scan may.`
              : null;
        return sentence === null ? [] : [{ instance: instance.id, instance_name: instance.name, app_name: instance.app_name, sentence }];
      });
  }

  accounts({ filter, sort, descending, slice }: FleetQuery): FleetAccounts {
    const all = this.#accounts(filter.sandbox);
    const compare = order(sort, descending);
    const rows = all
      .filter((row) => allowed(row, row.account, filter) && (filter.identity === null || row.identity === filter.identity))
      .sort((a, b) => compare(a.account, b.account));
    return {
      all: all.length,
      total: rows.length,
      risks: counts(all.map(({ account }) => account).filter(({ ignored }) => ignored === null), accountRisks, this.#inventory.thresholds('')),
      gaps: this.#gaps(filter.sandbox, 'accounts', 'Team members'),
      rows: part(rows, slice),
    };
  }

  plugins({ filter, sort, descending, slice }: FleetQuery): FleetPlugins {
    const all = this.#plugins(filter.sandbox);
    const compare = order(sort, descending);
    const rows = all
      .filter(
        (row) =>
          allowed(row, row.plugin, filter) &&
          (filter.reviewed === null || filter.reviewed === (row.review?.same_rights ?? false)) &&
          (!filter.gen_ai || row.plugin.gen_ai !== null) &&
          (filter.user === null || row.plugin.user.value === filter.user),
      )
      .sort((a, b) => compare(a.plugin, b.plugin));
    return {
      all: all.length,
      total: rows.length,
      risks: counts(all.map(({ plugin }) => plugin), pluginRisks, this.#inventory.thresholds('')),
      gaps: this.#gaps(filter.sandbox, 'plugins', 'Installed apps'),
      rows: part(rows, slice),
    };
  }

  identities(query: IdentityQuery): IdentityList {
    const groups = new Map<string, FleetAccount[]>();
    for (const row of this.#accounts(query.sandbox)) {
      const group = groups.get(row.identity);
      if (group) group.push(row);
      else groups.set(row.identity, [row]);
    }
    const all = [...groups].map(([key, rows]) => identityOf(key, rows));
    const text = query.text.trim().toLowerCase();
    const value = (one: Identity): string | number => ({ severity: rank(one.severity), name: one.title.toLowerCase(), accounts: one.accounts, last_seen: one.last_seen ?? '' })[query.sort];
    const rows = all
      .filter(
        (one) =>
          (one.title.toLowerCase().includes(text) || (one.email ?? '').includes(text)) &&
          (query.risks.length === 0 || query.risks.some((risk) => one.risks.includes(risk))) &&
          (query.nature === null || one.nature === query.nature) &&
          (!query.several || one.instances > 1),
      )
      .sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        const first = x < y ? -1 : x > y ? 1 : 0;
        return (query.descending ? -first : first) || (a.title < b.title ? -1 : 1);
      });
    return { all: all.length, total: rows.length, gaps: this.#gaps(query.sandbox, 'accounts', 'Team members'), rows: part(rows, query.slice) };
  }

  users(text: string, scope: SandboxScope, slice: Slice): PluginUserList {
    const users = new Map<string, FleetPlugin[]>();
    for (const row of this.#plugins(scope)) {
      const user = row.plugin.user.value;
      if (user !== '' && user.toLowerCase().includes(text.trim().toLowerCase())) users.set(user, [...(users.get(user) ?? []), row]);
    }
    const rows = [...users]
      .map(
        ([user, plugins]): PluginUser => ({
          user,
          plugins: plugins.length,
          instances: new Set(plugins.map(({ instance }) => instance)).size,
          severity: worst(plugins.map(({ plugin }) => plugin)),
        }),
      )
      .sort((a, b) => rank(b.severity) - rank(a.severity) || b.plugins - a.plugins);
    return { total: rows.length, rows: part(rows, slice) };
  }
}

function allowed(row: FleetAccount | FleetPlugin, item: Account | Plugin, filter: FleetFilter): boolean {
  return (
    (filter.instances.length === 0 || filter.instances.includes(row.instance)) &&
    (filter.apps.length === 0 || filter.apps.includes(row.app)) &&
    fulfils(item, filter, row.instance_name)
  );
}

const worst = (items: Item[]): Severity | null => items.map(({ severity }) => severity).reduce((a, b) => (rank(b) > rank(a) ? b : a), null);

function identityOf(key: string, rows: FleetAccount[]): Identity {
  const named = rows.find(({ app }) => app === 'okta') ?? rows[0];
  const kinds = rows.map(({ account }) => account.kind.value);
  const seen = rows.map(({ account }) => account.last_seen.value).filter((at) => at !== '').sort();
  return {
    key,
    title: named?.account.title ?? key,
    email: rows.map(({ account }) => account.email.value).find((email) => email !== '') ?? null,
    nature: kinds.some((kind) => kind === 'person' || kind === 'guest') ? 'human' : kinds.every((kind) => kind === 'service') ? 'non_human' : 'unknown',
    accounts: rows.length,
    instances: new Set(rows.map(({ instance }) => instance)).size,
    administrators: rows.filter(({ account }) => account.administrator.value === 'true').length,
    severity: worst(rows.map(({ account }) => account)),
    risks: Object.keys(accountRisks).filter((risk) => rows.some(({ account }) => account.risks.includes(risk))),
    last_seen: seen.at(-1) ?? null,
  };
}
