import type { Act, ActivityHead, ActList, Finding, Instance, Overview, Request, RequestList, SandboxScope, Slice } from '../backend';
import { ago, chance, dayAgo } from './clock';
import { countBySeverity } from './findings';

/** The dashboard over what is shown. */
export function overview(instances: Instance[], findings: Finding[], scope: SandboxScope): Overview {
  const real = instances.filter(({ sandbox }) => !sandbox);
  const sandbox = scope === 'only' || real.length === 0;
  const shown = sandbox ? instances.filter((instance) => instance.sandbox) : real;
  const open = findings.filter((finding) => finding.state === 'open' && finding.sandbox === sandbox);
  const scored = shown.flatMap(({ score }) => (score === null ? [] : [score]));
  const mean = (part: 'passed' | 'failed' | 'not_evaluated') => scored.reduce((sum, score) => sum + (score[part] ?? 0), 0) / scored.length;
  return {
    sandbox: sandbox && shown.length > 0,
    score:
      scored.length === 0
        ? null
        : { value: Math.floor(mean('passed') * 100), passed: mean('passed'), failed: mean('failed'), not_evaluated: mean('not_evaluated') },
    open: countBySeverity(open),
    new: countBySeverity(open.filter((finding) => finding.new)),
    dismissed: findings.filter((finding) => finding.state === 'dismissed' && finding.sandbox === sandbox).length,
    not_monitored: 0,
    not_rechecked: open.filter((finding) => finding.not_rechecked_since !== null).length,
    trend: Array.from({ length: 30 }, (_, index) => {
      const days = 29 - index;
      const missed = days >= 11 && days <= 13;
      const total = open.length + Math.round(days * 1.1 + chance(days) * 6);
      return { day: dayAgo(days), open: missed ? null : total, critical_high: missed ? null : Math.round(total * 0.28) };
    }),
    since: { newly_failing: 7, fixed: 9, gone: 2, not_rechecked: 3 },
    instances: [...shown].sort((a, b) => (a.score?.value ?? -1) - (b.score?.value ?? -1)),
    last_visit: ago({ days: 2, hours: 3 }),
    attestations: shown.reduce(
      (sum, { attestations: of }) => ({
        due: sum.due + of.due,
        attested: sum.attested + of.attested,
        due_soon: sum.due_soon + of.due_soon,
        expired: sum.expired + of.expired,
        withdrawn: sum.withdrawn + of.withdrawn,
      }),
      { due: 0, attested: 0, due_soon: 0, expired: 0, withdrawn: 0 },
    ),
  };
}

const paths = ['/v1/auth/tokens/current', '/v1/auth/settings', '/v1/auth/tokens', '/v1/users', '/v1/role-groups', '/v1/outbound-webhooks', '/v1/audit-logs'];

/** Requests that were made, newest first. */
export function requests(instance: string | null, slice: Slice): RequestList {
  const all = Array.from({ length: 340 }, (_, index): Request => {
    const path = paths[index % paths.length] ?? '/v1/users';
    const refused = path === '/v1/audit-logs';
    const lost = index % 41 === 40;
    return {
      at: ago({ minutes: 12 + index * 7 }),
      instance: instance ?? 'i-kustomer',
      class: index % 9 === 3 ? 'continuation' : 'dataset',
      host: 'api.prod2.kustomerapp.com',
      method: 'GET',
      path,
      status: lost ? null : refused ? 403 : 200,
      bytes: lost ? 0 : Math.round(400 + chance(index) * 60_000),
      milliseconds: Math.round(60 + chance(index + 1) * 400),
      outcome: lost ? 'failed' : refused ? 'refused' : 'answered',
    };
  });
  return { total: all.length, rows: all.slice(slice.offset, slice.offset + slice.limit) };
}

type Facts = [what: string, detail: string, instance?: string, before?: string, after?: string];

const acts: Facts[] = [
  ['Scan completed', 'Kustomer, Halden Moor EU: 2 opened, 1 fixed, 1 dataset not read', 'i-kustomer'],
  ['Instance changed', 'Kustomer, Halden Moor EU', 'i-kustomer', 'owner: A. Brandt; schedule: off', 'owner: J. Weil; schedule: 0 6 * * 1-5'],
  ['Scan failed', 'Box, haldenmoor: the token expired', 'i-box'],
  ['Settings changed', '', '', 'kept scans: 50', 'kept scans: 30'],
  ['Findings exported', '94 findings as CSV'],
  ['Instance added', 'Customer.io, Halden Moor', 'i-customer-io'],
  ['Secret replaced', 'GitHub Enterprise, haldenmoor', 'i-github'],
  ['Sandbox added', 'Kustomer, Lantern Goods (risky)'],
  ['Unlocked', ''],
];

const howMany = 128;

/** The head over all of them. */
export function activityHead(): ActivityHead {
  return { acts: howMany, head: '4f2a91c0d7be3358a6c1f09e2b7d44815ce0937fa1d26b8e7c05f3419ab2d6e8', at: ago({ minutes: 12 }) };
}

/** What the administrator and the console did, newest first. */
export function activity(slice: Slice): ActList {
  const all = Array.from({ length: howMany }, (_, index): Act => {
    const [what, detail, instance = '', before = '', after = ''] = acts[index % acts.length] ?? ['', ''];
    return { at: ago({ minutes: 12, hours: index * 3 }), who: what.startsWith('Scan') ? 'schedule' : 'a.brandt', what, detail, instance, before, after };
  });
  return { total: all.length, rows: all.slice(slice.offset, slice.offset + slice.limit) };
}
