import type { Finding, FindingFilter, FindingList, FindingPage, FindingQuery, Instance, ManualCheck, Severity, SeverityCounts } from '../backend';
import { ago, chance } from './clock';

type Template = [title: string, severity: Severity, feature: string, resources: string[]];

const templates: Template[] = [
  ['Service accounts with full admin scope', 'critical', 'identity', ['svc-deploy-prod', 'svc-sync']],
  ['Organization-wide token never expires', 'critical', 'third_party_plugins', ['hm-backup-token', 'zapier-sync']],
  ['Guest users can edit all records', 'critical', 'config', ['Community profile']],
  ['Passwords are on beside SSO', 'high', 'config', ['']],
  ['API key holds an umbrella role', 'high', 'third_party_plugins', ['zapier-sync', 'data-export', 'legacy-import']],
  ['Outbound webhook goes to an unknown host', 'high', 'third_party_plugins', ['order-events', 'crm-mirror']],
  ['Default branch can be force-pushed', 'high', 'config', ['payments-core', 'warehouse-sync', 'ledger', 'storefront-web']],
  ['Two-factor is not required', 'high', 'config', ['']],
  ['Password never rotated', 'high', 'risky_accounts', ['ETL_LOADER', 'REPORTING']],
  ['Sessions last longer than 12 hours', 'medium', 'config', ['']],
  ['API key is older than 365 days', 'medium', 'third_party_plugins', ['data-export', 'mailer']],
  ['More than 5 administrators', 'medium', 'risky_accounts', ['']],
  ['External collaborators own folders', 'medium', 'risky_accounts', ['Board papers', 'Contracts 2026', 'Payroll exports']],
  ['Account was not used for 90 days', 'low', 'risky_accounts', ['m.keller@haldenmoor.example', 'temp-audit@haldenmoor.example']],
  ['SAML requests are not signed', 'low', 'config', ['']],
  ['Audit events are kept for 30 days only', 'info', 'config', ['']],
];

const ranks: Record<Severity, number> = { critical: 4, high: 3, medium: 2, low: 1, info: 0 };

/** Findings of every instance, as many as its counters say, and some that ended. */
export function findings(instances: Instance[]): Finding[] {
  const all: Finding[] = [];
  for (const instance of instances) {
    owners.set(instance.id, instance.owner);
    for (const severity of Object.keys(ranks) as Severity[]) {
      const fitting = templates.filter((template) => template[1] === severity);
      const ended = severity === 'medium' ? 2 : 0;
      for (let index = 0; index < instance.open[severity] + ended; index += 1) {
        const seed = all.length;
        const [title, , feature, resources] = fitting[index % fitting.length] ?? fitting[0] ?? ['', severity, 'config', ['']];
        const resource = resources[Math.floor(index / fitting.length) % resources.length] ?? '';
        const days = Math.floor(chance(seed) * 90);
        const over = index >= instance.open[severity];
        all.push({
          id: `f-${seed}`,
          instance: instance.id,
          instance_name: instance.name,
          app: instance.app,
          app_name: instance.app_name,
          sandbox: instance.sandbox,
          check: `${instance.app}.${title.toLowerCase().replaceAll(/[^a-z]+/g, '_')}`,
          title,
          resource: index >= fitting.length * resources.length ? `${resource || 'unit'}-${index}` : resource,
          severity,
          feature,
          state: over ? (index % 2 === 0 ? 'fixed' : 'gone') : 'open',
          first_seen: ago({ days, hours: 1 }),
          last_seen: instance.last_scan ?? ago({ days: 1 }),
          ended_at: over ? ago({ days: Math.min(days, 3) }) : null,
          not_rechecked_since: !over && (instance.health === 'down' || seed % 17 === 0) ? ago({ days: 4 }) : null,
          new: !over && days < 3,
          attested: false,
          held_by: null,
        });
      }
    }
  }
  return all;
}

const owners = new Map<string, string>();
const ownerOf = (finding: Finding) => owners.get(finding.instance) ?? '';

function fits(finding: Finding, filter: FindingFilter): boolean {
  const within = <T>(list: T[] | undefined, value: T) => !list || list.length === 0 || list.includes(value);
  const text = (filter.text ?? '').toLowerCase();
  const scope = filter.sandbox ?? 'without';
  return (
    (scope === 'with' || (scope === 'only') === finding.sandbox) &&
    within(filter.instances, finding.instance) &&
    within(filter.apps, finding.app) &&
    within(filter.severities, finding.severity) &&
    within(filter.states, finding.state) &&
    within(filter.checks, finding.check) &&
    within(filter.features, finding.feature) &&
    within(filter.owners, ownerOf(finding)) &&
    (filter.frameworks.length === 0 || filter.frameworks.some((control) => ['nist_800_53', 'nist_800_53/IA-2', 'nist_800_53/IA-5'].includes(control))) &&
    (filter.found_within_days === null || finding.first_seen >= ago({ days: filter.found_within_days })) &&
    (filter.older_than_days === null || finding.first_seen < ago({ days: filter.older_than_days })) &&
    (!filter.not_rechecked || finding.not_rechecked_since !== null) &&
    [finding.title, finding.resource, finding.instance_name, finding.app_name, finding.check].some((part) => part.toLowerCase().includes(text))
  );
}

/** Open findings by severity. */
export function countBySeverity(list: Finding[]): SeverityCounts {
  const counts: SeverityCounts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const { severity } of list) counts[severity] += 1;
  return counts;
}

/** A page of findings, filtered and sorted as Rust would. */
export function findingList(all: Finding[], query: FindingQuery): FindingList {
  const key = (finding: Finding): string | number => {
    switch (query.sort) {
      case 'severity':
        return ranks[finding.severity];
      case 'title':
        return finding.title;
      case 'resource':
        return finding.resource;
      case 'instance':
        return finding.instance_name;
      case 'first_seen':
        return finding.first_seen;
      case 'last_seen':
        return finding.last_seen;
    }
  };
  const rows = all
    .filter((finding) => fits(finding, query.filter))
    .sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      const order = x < y ? -1 : x > y ? 1 : 0;
      return (query.descending ? -order : order) || a.id.localeCompare(b.id, 'en', { numeric: true });
    });
  const scope = query.filter.sandbox ?? 'without';
  return {
    total: rows.length,
    open: all.filter((finding) => finding.state === 'open' && (scope === 'with' || (scope === 'only') === finding.sandbox)).length,
    dismissed: all.filter((finding) => finding.state === 'dismissed' && (scope === 'with' || (scope === 'only') === finding.sandbox)).length,
    counts: countBySeverity(rows),
    rows: rows.slice(query.slice.offset, query.slice.offset + query.slice.limit),
  };
}

/** A finding with everything behind it. */
export function findingPage(finding: Finding): FindingPage {
  const read = finding.last_seen;
  return {
    finding,
    practice: 'Passwords are off when SSO is on',
    verdict: finding.not_rechecked_since ? 'not_evaluated' : finding.state === 'fixed' || finding.state === 'gone' ? 'pass' : 'fail',
    cause: finding.not_rechecked_since
      ? { kind: 'credential_refused', sentence: 'The last scan could not sign in: the token expired.', remedy: 'Replace the token, then scan again.' }
      : null,
    current: finding.state === 'fixed' || finding.state === 'gone' ? 'SAML on, passwords off' : 'SAML on, passwords on',
    recommended: 'SAML on, passwords off',
    why: 'A password skips the identity provider: no MFA, no conditional access, and leavers keep their way in until someone removes them here.',
    steps: ['Check that every user can sign in with SAML.', 'Open Settings › Security › Authentication.', 'Turn the password toggle off and save.'],
    link: { title: 'Settings › Security › Authentication', url: 'https://haldenmoor.kustomerapp.com/app/settings/security' },
    evidence: [
      {
        dataset: 'auth-settings',
        title: 'Sign-in settings',
        label: finding.resource,
        fields: [
          { path: 'kustomer.enabled', value: 'true' },
          { path: 'saml.enabled', value: 'true' },
          { path: 'google.enabled', value: 'false' },
        ],
        hash: '9f2c4a7be1d05583ac11f09e6f7a2f40c6a8be9b16c7d1b2a0d1f1a7c3e8d942',
        collected_at: read,
        request: {
          at: read,
          instance: finding.instance,
          class: 'dataset',
          host: 'api.prod2.kustomerapp.com',
          method: 'GET',
          path: '/v1/auth/settings',
          status: 200,
          bytes: 1834,
          milliseconds: 131,
          outcome: 'answered',
        },
      },
    ],
    history: [
      { at: read, kind: 'still_open', sentence: 'Still failing, 69th scan' },
      { at: finding.first_seen, kind: 'opened', sentence: 'Opened: passwords were turned on' },
    ],
    frameworks: [
      { id: 'nist_800_53', framework: 'NIST 800-53', references: ['IA-2', 'IA-5'] },
      { id: 'cis_v8', framework: 'CIS v8', references: ['6.3', '6.7'] },
      { id: 'soc2', framework: 'SOC 2', references: ['CC6.1'] },
      { id: 'iso_27001', framework: 'ISO 27001', references: ['A.8.5'] },
    ],
    sscf: ['IAM-02'],
    source: 'https://developer.kustomer.com/api/auth/get-auth-settings',
    attestation: null,
    decision: null,
    overridden: null,
    locked: null,
    params: [{ param: 'max_hours', label: 'Longest session', type: 'int', unit: 'hours', min: 1, max: 168, recommended: '12', value: '12' }],
    lockable: true,
    row: '',
    scanned: true,
  };
}

/** The finding that an attestation led to. */
export function attestedFinding(check: ManualCheck): Finding {
  const at = check.current?.at ?? ago({});
  return {
    id: check.finding ?? '',
    instance: check.instance,
    instance_name: check.instance_name,
    app: check.app,
    app_name: check.app_name,
    sandbox: check.sandbox,
    check: check.check,
    title: `Not met: ${check.title}`,
    resource: '',
    severity: check.severity,
    feature: check.feature,
    state: 'open',
    first_seen: at,
    last_seen: at,
    ended_at: null,
    not_rechecked_since: null,
    new: false,
    attested: true,
    held_by: null,
  };
}

/** The page of such a finding: the attestation is its evidence. */
export function attestedPage(finding: Finding, check: ManualCheck): FindingPage {
  return {
    ...findingPage(finding),
    practice: check.title,
    verdict: 'manual',
    current: 'not met',
    recommended: check.recommended,
    why: check.why,
    steps: check.steps,
    link: check.link,
    evidence: [],
    history: [{ at: finding.first_seen, kind: 'opened', sentence: 'Opened: attested as not met' }],
    frameworks: [],
    sscf: [],
    source: check.source,
    attestation: check.current,
    params: [],
    lockable: false,
    scanned: false,
  };
}
