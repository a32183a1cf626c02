import type {
  Account,
  AccountList,
  AccountPage,
  Evidence,
  Instance,
  InventoryFilter,
  InventoryHead,
  InventoryQuery,
  InventorySort,
  InventoryThresholds,
  Plugin,
  PluginList,
  PluginPage,
  Property,
  RiskCount,
  RiskReason,
  Severity,
} from '../backend';
import { ago, chance } from './clock';

const is = (value: string): Property => ({ state: 'is', value, values: [], cause: null });
const list = (values: string[]): Property => ({ state: 'is', value: values.join(', '), values, cause: null });
const none: Property = { state: 'none', value: '', values: [], cause: null };
const notRead: Property = { state: 'not_read', value: '', values: [], cause: null };
const unknown = (sentence: string): Property => ({
  state: 'unknown',
  value: '',
  values: [],
  cause: { kind: 'field_missing', sentence, remedy: 'Run `posture schema` for this instance and report the shape of the answer.' },
});

/** Risks of accounts, in the order in which they are told. */
export const accountRisks: Record<string, [title: string, meaning: (days: InventoryThresholds) => string]> = {
  no_mfa: ['No MFA', () => 'No second factor is set up.'],
  weak_mfa: ['Weak MFA', () => 'The second factor is one that can be intercepted: a text message, a call or an e-mail.'],
  dormant: ['Dormant', ({ dormant_days }) => `Not used for more than ${dormant_days} days.`],
  not_from_identity_provider: ['Not from the identity provider', () => 'It does not come from the identity provider, so it stays when its person leaves.'],
  administrator: ['Administrator', () => 'It may administer the application.'],
  guest: ['Guest', () => 'It belongs to somebody from outside.'],
  never_seen: ['Never signed in', () => 'It was never used.'],
  credential_expiring: ['Credential expiring', ({ expiring_days }) => `Its credential ends within ${expiring_days} days.`],
  credential_expired: ['Credential expired', () => 'Its credential has ended.'],
  credential_not_rotated: ['Credential not rotated', ({ rotation_days }) => `Its credential was not changed for more than ${rotation_days} days.`],
};
/** The same of plugins. */
export const pluginRisks: typeof accountRisks = {
  can_write: ['May change things', () => 'It may write, not only read.'],
  whole_tenant: ['Whole organization', () => 'It reaches the whole organization, not only what one user may see.'],
  unverified_publisher: ['Unverified publisher', () => 'The vendor has not verified who made it.'],
  unused: ['Unused', ({ unused_days }) => `Not used for more than ${unused_days} days, or never.`],
  no_expiry: ['No expiry', () => 'Its access does not end by itself.'],
  expiring: ['Expiring', ({ expiring_days }) => `Its access ends within ${expiring_days} days.`],
  expired: ['Expired', () => 'Its access has ended.'],
  gen_ai: ['Gen-AI (by name)', () => 'Its name or publisher names a maker or product of generative AI. What it does was not looked at.'],
};

const names = ['Ingrid Halden', 'Tomas Okafor', 'Mei Laurent', 'Bo Lind', 'Noor Castell', 'Dora Weiss', 'Eli Brandt', 'Fay Moser', 'Gus Thorne', 'Anna Keller'];

function accountsOf(instance: Instance, thresholds: InventoryThresholds): Account[] {
  return Array.from({ length: 140 }, (_, index): Account => {
    const seed = index * 7 + instance.id.length;
    const name = names[index % names.length] ?? '';
    const service = index % 23 === 5;
    const guest = !service && index % 11 === 3;
    const invited = !service && index % 17 === 9;
    const seen = Math.floor(chance(seed) * 200);
    const mfa = index % 9 === 4 ? 'none' : index % 13 === 6 ? 'weak' : 'strong';
    const mfaKnown = index % 14 !== 1;
    const administrator = index % 19 === 0;
    const login = service ? `svc-sync-${index}` : `${name.toLowerCase().replace(' ', '.')}${index >= names.length ? index : ''}`;
    const risks: string[] = [];
    const unknownRisks: string[] = [];
    if (!service && !invited) {
      if (!mfaKnown) unknownRisks.push('no_mfa', 'weak_mfa');
      else if (mfa !== 'strong') risks.push(mfa === 'none' ? 'no_mfa' : 'weak_mfa');
    }
    if (!invited && seen > thresholds.dormant_days) risks.push('dormant');
    if (!service) unknownRisks.push('not_from_identity_provider');
    if (administrator) risks.push('administrator');
    if (guest) risks.push('guest');
    if (invited) risks.push('never_seen');
    const changed = ago({ days: 40 + index * 3 });
    if (service && 40 + index * 3 > thresholds.rotation_days) risks.push('credential_not_rotated');
    const worst: Severity | null = risks.includes('no_mfa')
      ? administrator ? 'critical' : 'high'
      : risks.some((risk) => ['weak_mfa', 'dormant', 'credential_not_rotated'].includes(risk))
        ? administrator ? 'high' : 'medium'
        : guest || invited ? 'low' : administrator ? 'info' : null;
    return {
      id: String(index + 1),
      title: login,
      severity: worst,
      risks,
      unknown_risks: unknownRisks,
      vendor_id: is(`65a1f0c2d8e4b7a913f1${String(index).padStart(4, '0')}`),
      name: is(login),
      email: service ? none : is(`${login}@haldenmoor.example`),
      kind: is(service ? 'service' : guest ? 'guest' : 'person'),
      status: is(invited ? 'invited' : 'active'),
      administrator: is(String(administrator)),
      roles: list(administrator ? ['owner', 'billing'] : ['member']),
      mfa: service ? unknown('two_factor is not in the answer.') : mfaKnown ? is(mfa) : unknown('two_factor is null, and the vendor does not say what that means.'),
      identity_provider: notRead,
      created: is(ago({ days: 300 + index })),
      last_seen: invited ? none : is(ago({ days: seen, hours: 2 })),
      never_seen: is(String(invited)),
      credential_expires: notRead,
      credential_changed: service ? is(changed) : notRead,
      ignored: null,
    };
  });
}

const plugged: [name: string, kind: string, publisher: string, scopes: string[], level: string, days: number | null, verified: boolean][] = [
  ['ChatGPT for Tickets', 'oauth_grant', 'OpenAI, L.L.C.', ['tickets:read', 'tickets:write', 'users:read'], 'tenant', 2, true],
  ['Zapier', 'installed_app', 'Zapier, Inc.', ['tickets:write', 'users:write'], 'tenant', 1, true],
  ['legacy-import', 'token', '', ['admin'], 'tenant', 214, false],
  ['Order updates', 'webhook', 'hooks.haldenmoor.example', ['order.created'], 'tenant', null, true],
  ['Meeting notes', 'oauth_grant', 'Notes for everybody', ['calendar:read'], 'user', 40, false],
  ['deploy-prod', 'key', '', ['repo:read'], 'tenant', 3, false],
];

function pluginsOf(thresholds: InventoryThresholds): Plugin[] {
  return plugged.map(([name, kind, publisher, scopes, level, days, verified], index): Plugin => {
    const write = scopes.some((scope) => scope.endsWith(':write') || scope === 'admin');
    const application = kind === 'oauth_grant' || kind === 'installed_app';
    const risks: string[] = [];
    if (write && kind !== 'webhook') risks.push('can_write');
    if (level === 'tenant') risks.push('whole_tenant');
    if (application && !verified) risks.push('unverified_publisher');
    if (days !== null && days > thresholds.unused_days) risks.push('unused');
    if (kind === 'token' || kind === 'key') risks.push('no_expiry');
    if (name.includes('ChatGPT')) risks.push('gen_ai');
    const unknownRisks = kind === 'oauth_grant' ? ['no_expiry', 'expiring', 'expired'] : [];
    const high = risks.includes('can_write') && (level === 'tenant' || risks.includes('unverified_publisher'));
    const medium = risks.includes('can_write') || risks.includes('unused') || risks.includes('no_expiry');
    return {
      id: String(index + 1),
      title: name,
      severity: high ? 'high' : medium ? 'medium' : risks.length > 0 ? 'low' : null,
      risks,
      unknown_risks: unknownRisks,
      gen_ai: name.includes('ChatGPT') ? 'ChatGPT' : null,
      vendor_id: is(`p-${index + 1}`),
      name: is(name),
      kind: is(kind),
      publisher: publisher === '' ? notRead : is(publisher),
      scopes: list(scopes),
      level: is(level),
      user: level === 'user' ? is('mei.laurent') : kind === 'token' ? is('tomas.okafor') : none,
      status: is('enabled'),
      created: is(ago({ days: 200 + index * 31 })),
      last_used: days === null ? notRead : is(ago({ days })),
      never_used: notRead,
      expires: kind === 'token' || kind === 'key' ? none : notRead,
      verified_publisher: application ? is(String(verified)) : notRead,
      write: kind === 'webhook' ? notRead : is(String(write)),
    };
  });
}

/** Kinds of scan that invented applications with accounts and with plugins have. */
const without = ['github-enterprise', 'convo'];

const severities: Severity[] = ['info', 'low', 'medium', 'high', 'critical'];

export type Item = Account | Plugin;

const property = (item: Item, name: string): Property | undefined => (item as unknown as Record<string, Property | undefined>)[name];

/** Whether an item fulfils what a filter asks of it; `more` is searched for the text too. */
export function fulfils(item: Item, filter: InventoryFilter, more = ''): boolean {
  const text = filter.text.toLowerCase();
  return (
    ((filter.risks.length === 0 && filter.unknown.length === 0) ||
      filter.risks.some((risk) => item.risks.includes(risk)) ||
      filter.unknown.some((risk) => item.unknown_risks.includes(risk))) &&
    (filter.kinds.length === 0 || filter.kinds.includes(item.kind.value)) &&
    (more.toLowerCase().includes(text) ||
      ['title', 'vendor_id', 'email', 'roles', 'publisher', 'user', 'scopes'].some((name) =>
        (name === 'title' ? item.title : (property(item, name)?.value ?? '')).toLowerCase().includes(text),
      ))
  );
}

const collator = new Intl.Collator('en', { numeric: true });

/** The order that is asked for, as `Array.sort` takes it. */
export function order(sort: InventorySort, descending: boolean): (a: Item, b: Item) => number {
  const key = (item: Item): string | number | null => {
    const last = 'last_seen' in item ? item.last_seen : item.last_used;
    const end = 'credential_expires' in item ? item.credential_expires : item.expires;
    const value = { severity: item.severity === null ? null : severities.indexOf(item.severity), name: item.title.toLowerCase(), kind: item.kind.value, status: item.status.value, created: item.created.value, last_used: last.value, expires: end.value }[sort];
    return value === '' ? null : value;
  };
  return (a, b) => {
    const [x, y] = [key(a), key(b)];
    // What is not known comes last, whatever the direction.
    if (x === null || y === null) return x === y ? collator.compare(a.title, b.title) : x === null ? 1 : -1;
    const first = x < y ? -1 : x > y ? 1 : 0;
    return (descending ? -first : first) || collator.compare(a.title, b.title);
  };
}

const chosen = <T extends Item>(items: T[], query: InventoryQuery): T[] => items.filter((item) => fulfils(item, query.filter)).sort(order(query.sort, query.descending));

/** How many have each risk, and of how many it is not known. */
export function counts(items: Item[], risks: typeof accountRisks, thresholds: InventoryThresholds): RiskCount[] {
  return Object.entries(risks).map(([risk, [title, meaning]]) => ({
    risk,
    title,
    meaning: meaning(thresholds),
    present: items.filter((item) => item.risks.includes(risk)).length,
    unknown: items.filter((item) => item.unknown_risks.includes(risk)).length,
  }));
}

function reasons(item: Item, risks: typeof accountRisks, thresholds: InventoryThresholds): RiskReason[] {
  return Object.entries(risks)
    .filter(([risk]) => item.risks.includes(risk) || item.unknown_risks.includes(risk))
    .map(([risk, [title, meaning]]) => {
      const present = item.risks.includes(risk);
      return { risk, title, present, sentence: present ? meaning(thresholds) : `${title} cannot be told: what it rests on is not known.` };
    });
}

function evidence(item: Item, dataset: string, title: string): Evidence[] {
  const fields = Object.entries(item)
    .filter((entry): entry is [string, Property] => typeof entry[1] === 'object' && entry[1] !== null && 'state' in entry[1] && entry[1].state === 'is')
    .map(([path, property]) => ({ path, value: JSON.stringify(property.values.length > 0 ? property.values : property.value) }));
  return [{ dataset, title, label: item.title, fields, hash: '9f2c'.repeat(16), collected_at: ago({ minutes: 12 }), request: null }];
}

/** Accounts and plugins of invented instances, with thresholds that can be changed. */
export class InventedInventory {
  #thresholds = new Map<string, InventoryThresholds>();

  thresholds(instance: string): InventoryThresholds {
    return this.#thresholds.get(instance) ?? { dormant_days: 90, expiring_days: 30, rotation_days: 180, unused_days: 90 };
  }

  set(instance: string, thresholds: InventoryThresholds): InventoryThresholds {
    this.#thresholds.set(instance, thresholds);
    return thresholds;
  }

  #head(instance: Instance, items: Item[], total: number, risks: typeof accountRisks, source: string, missing: string[]): InventoryHead {
    const declared = this.declares(instance);
    const read = declared && instance.last_scan !== null;
    return {
      declared,
      as_of: read ? instance.last_scan : null,
      sources: read
        ? [
            {
              title: source,
              available: true,
              cause: instance.health === 'unhealthy' ? { kind: 'rate_limited', sentence: `${source} was read in part: the vendor asked to wait for longer than a scan may.`, remedy: 'Scan again.' } : null,
              items: items.length,
              undecided: 0,
              undecided_cause: null,
              not_read: missing,
            },
          ]
        : [],
      all: read ? items.length : 0,
      total: read ? total : 0,
      ignored: 0,
      risks: counts(read ? items : [], risks, this.thresholds(instance.id)),
      thresholds: this.thresholds(instance.id),
    };
  }

  /** Every account or plugin that the last complete scan found; `null` of what is not read. */
  everything(instance: Instance, kind: 'accounts'): Account[] | null;
  everything(instance: Instance, kind: 'plugins'): Plugin[] | null;
  everything(instance: Instance, kind: 'accounts' | 'plugins'): Item[] | null {
    if (!this.declares(instance) || instance.last_scan === null) return null;
    return kind === 'accounts' ? accountsOf(instance, this.thresholds(instance.id)) : pluginsOf(this.thresholds(instance.id));
  }

  /** Whether accounts and plugins are read of it at all. */
  declares(instance: Instance): boolean {
    return !without.includes(instance.app) && instance.health !== 'manual';
  }

  accounts(instance: Instance, query: InventoryQuery): AccountList {
    const all = accountsOf(instance, this.thresholds(instance.id));
    const rows = chosen(all, query);
    const head = this.#head(instance, all, rows.length, accountRisks, 'Team members', ['Identity provider', 'Credential expires']);
    return { head, rows: head.as_of === null ? [] : rows.slice(query.slice.offset, query.slice.offset + query.slice.limit) };
  }

  account(instance: Instance, id: string): AccountPage | undefined {
    const thresholds = this.thresholds(instance.id);
    const account = accountsOf(instance, thresholds).find((one) => one.id === id);
    return account && { account, risks: reasons(account, accountRisks, thresholds), source: 'Team members', evidence: evidence(account, 'users', 'Team members') };
  }

  plugins(instance: Instance, query: InventoryQuery): PluginList {
    const all = pluginsOf(this.thresholds(instance.id));
    const rows = chosen(all, query);
    const head = this.#head(instance, all, rows.length, pluginRisks, 'Installed apps', ['Never used']);
    return { head, rows: head.as_of === null ? [] : rows.slice(query.slice.offset, query.slice.offset + query.slice.limit) };
  }

  plugin(instance: Instance, id: string): PluginPage | undefined {
    const thresholds = this.thresholds(instance.id);
    const plugin = pluginsOf(thresholds).find((one) => one.id === id);
    return plugin && { plugin, risks: reasons(plugin, pluginRisks, thresholds), source: 'Installed apps', evidence: evidence(plugin, 'apps', 'Installed apps') };
  }
}
