import type { Application, AttestationCounts, Cause, DatasetState, Health, Instance, InstancePage, ScheduleChoice, SeverityCounts } from '../backend';
import { application, tiles } from './applications';
import { ago } from './clock';

const roleMissing: Cause = {
  kind: 'scope_missing',
  sentence: 'The audit log was not read: the key lacks the role org.permission.audit_logs.read.',
  remedy: 'Create a new key with the four roles below. The roles of a key cannot be edited.',
};

type Facts = [id: string, app: string, appName: string, name: string, owner: string, health: Health, score: number | null, open: number[], minutes: number | null];

const facts: Facts[] = [
  ['i-box', 'box', 'Box', 'haldenmoor', 'L. Fischer', 'down', 66, [1, 2, 4, 2, 0], 4 * 1440],
  ['i-kustomer', 'kustomer', 'Kustomer', 'Halden Moor EU', 'J. Weil', 'unhealthy', 69, [0, 3, 4, 2, 0], 12],
  ['i-github', 'github-enterprise', 'GitHub Enterprise', 'haldenmoor', 'P. Raman', 'scanning', 64, [2, 6, 11, 5, 1], 190],
  ['i-github-labs', 'github-enterprise', 'GitHub Enterprise', 'haldenmoor-labs', 'P. Raman', 'up', 78, [0, 1, 5, 3, 0], 61],
  ['i-salesforce', 'salesforce', 'Salesforce', 'Halden Moor EMEA', 'A. Brandt', 'up', 58, [1, 6, 12, 6, 2], 62],
  ['i-snowflake', 'snowflake', 'Snowflake', 'HM_ANALYTICS', 'L. Fischer', 'up', 71, [0, 2, 5, 2, 0], 63],
  ['i-customer-io', 'customer-io', 'Customer.io', 'Halden Moor', 'A. Brandt', 'up', 74, [0, 2, 4, 1, 0], 64],
  ['i-zoom', 'zoom', 'Zoom', 'haldenmoor', 'J. Weil', 'up', 77, [0, 1, 4, 3, 0], 121],
  ['i-slack', 'slack', 'Slack Enterprise', 'haldenmoor', 'J. Weil', 'up', 81, [0, 1, 4, 2, 1], 122],
  ['i-zendesk', 'zendesk', 'Zendesk', 'haldenmoor', 'A. Brandt', 'up', 83, [0, 1, 2, 2, 0], 123],
  ['i-okta', 'okta', 'Okta', 'haldenmoor', 'T. Adler', 'up', 86, [0, 1, 5, 3, 0], 124],
  ['i-datadog', 'datadog', 'Datadog', 'HM EU1', 'P. Raman', 'up', 88, [0, 0, 2, 2, 0], 125],
  ['i-workday', 'workday', 'Workday', 'haldenmoor_prd', 'T. Adler', 'unknown', null, [0, 0, 0, 0, 0], null],
  ['i-convo', 'convo', 'Convo', 'Halden Moor', 'T. Adler', 'up', 80, [0, 0, 1, 0, 0], 126],
  ['i-workspace', 'google-workspace', 'Google Workspace', 'haldenmoor.example', 'T. Adler', 'up', 93, [0, 0, 1, 0, 0], 127],
];

export const noAttestations: AttestationCounts = { due: 0, attested: 0, due_soon: 0, expired: 0, withdrawn: 0 };
/** Instances that do not follow the settings. */
const own: Record<string, ScheduleChoice> = {
  'i-kustomer': { kind: 'cron', pattern: '30 7 * * 1-5' },
  'i-github': { kind: 'cron', pattern: '0 */6 * * *' },
  'i-box': { kind: 'off' },
  'i-convo': { kind: 'cron', pattern: '15 3 1,15 * *' },
};
const counts = ([critical = 0, high = 0, medium = 0, low = 0, info = 0]: number[]): SeverityCounts => ({ critical, high, medium, low, info });

function causeOf(health: Health): Cause | null {
  if (health === 'unhealthy') return roleMissing;
  if (health === 'down') {
    return { kind: 'credential_refused', sentence: 'Box refused the token (401). It expired on 17 Nov.', remedy: 'Create a new token in Box and choose Replace.' };
  }
  return null;
}

/** Onboarded instances, one of them simulated. */
export function instances(): Instance[] {
  const real = facts.map(([id, app, app_name, name, owner, health, score, open, minutes]): Instance => {
    const passed = (score ?? 0) / 100;
    const unread = health === 'unhealthy' ? 0.09 : health === 'down' ? 0.14 : 0.02;
    return {
      id,
      app,
      app_name,
      name,
      label: name.endsWith('labs') ? 'Dev' : 'Production',
      owner,
      sandbox: false,
      health,
      cause: causeOf(health),
      score: score === null ? null : { value: score, passed, failed: 1 - passed - unread, not_evaluated: unread },
      not_monitored: 0,
      open: counts(open),
      last_scan: minutes === null ? null : ago({ minutes }),
      schedule: own[id] ?? { kind: 'default' },
      // Computed from the schedule whenever it is shown.
      next_scan: null,
      scanning: health === 'scanning' ? 0.62 : null,
      resumable: health === 'down',
      // GitHub tells it with each answer.
      credential: id === 'i-github-labs' ? { at: ago({ minutes: -12 * 1440 + 30 }), by: 'vendor', days_left: 12, soon: true } : null,
      attestations: noAttestations,
    };
  });
  return [...real, sandboxInstance('kustomer', 'Kustomer', 'Lantern Goods (risky)')];
}

/** An instance that nobody signs in to. */
export function manualInstance(id: string, app: string, appName: string, given: { name: string; label: string; owner: string }): Instance {
  return {
    ...sandboxInstance(app, appName, given.name),
    id,
    label: given.label,
    owner: given.owner,
    sandbox: false,
    health: 'manual',
    score: null,
    not_monitored: 0,
    open: counts([]),
    last_scan: null,
  };
}

/** A simulated instance. */
export function sandboxInstance(app: string, appName: string, name: string): Instance {
  return {
    id: `s-${app}-${name.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}`,
    app,
    app_name: appName,
    name,
    label: 'Default',
    owner: '',
    sandbox: true,
    health: 'up',
    cause: null,
    score: { value: 41, passed: 0.41, failed: 0.53, not_evaluated: 0.06 },
    not_monitored: 0,
    open: counts([2, 5, 6, 3, 0]),
    last_scan: ago({ hours: 26 }),
    schedule: { kind: 'default' },
    next_scan: null,
    scanning: null,
    resumable: false,
    credential: null,
    attestations: noAttestations,
  };
}

const datasets: [string, string, number, string[], number][] = [
  ['auth-settings', 'Sign-in settings', 1, ['org.permission.security'], 9],
  ['auth-tokens', 'API keys', 14, ['org.permission.security'], 5],
  ['users', 'Users', 618, ['org.permission.user.read'], 4],
  ['role-groups', 'Permission sets', 11, [], 2],
  ['outbound-webhooks', 'Outbound webhooks', 6, ['org.permission.outbound_webhook.read'], 2],
  ['audit-logs', 'Audit log', 0, ['org.permission.audit_logs.read'], 1],
];

const checks: [string, string, InstancePage['checks'][number]['severity'], string, string][] = [
  ['auth.sso_enabled', 'SAML SSO is on', 'high', 'config', 'pass'],
  ['auth.password_login_disabled', 'Kustomer passwords are off when SSO is on', 'high', 'config', 'fail'],
  ['auth.single_sso_method', 'Only one federated method is on', 'medium', 'config', 'pass'],
  ['auth.session_length', 'Sessions last at most 12 hours', 'medium', 'config', 'fail'],
  ['auth.saml_sign_requests', 'SAML requests are signed', 'low', 'config', 'fail'],
  ['auth.certificate_expiry', 'The identity provider’s certificate is valid for 30 days', 'high', 'config', 'pass'],
  ['keys.umbrella_role', 'No API key holds an umbrella role', 'high', 'third_party_plugins', 'fail'],
  ['keys.age', 'API keys are younger than 365 days', 'medium', 'third_party_plugins', 'fail'],
  ['keys.unused', 'API keys were used in the last 90 days', 'low', 'third_party_plugins', 'fail'],
  ['webhooks.known_host', 'Webhooks go to known hosts', 'high', 'third_party_plugins', 'fail'],
  ['webhooks.https', 'Webhooks use HTTPS', 'high', 'third_party_plugins', 'pass'],
  ['users.admin_count', 'At most 5 administrators', 'medium', 'risky_accounts', 'fail'],
  ['users.external_domain', 'Users belong to the company’s domains', 'medium', 'risky_accounts', 'not_evaluated'],
  ['users.failed_sign_ins', 'Bursts of failed sign-ins', 'medium', 'risky_accounts', 'not_evaluated'],
  ['users.machine_named', 'Machine users have a name', 'info', 'risky_accounts', 'pass'],
  ['plan.data_residency', 'Data stays in the chosen region', 'info', 'config', 'not_applicable'],
];

/** Datasets that one login option alone has a way to. */
const only: Record<string, Record<string, string[]>> = {
  'customer-io': { 'role-groups': ['app-api-key'], 'outbound-webhooks': ['app-api-key'] },
};

/** What was read with a login option; without the role, not the audit log. */
export function datasetStates(app: Application, login: string, partial: boolean): DatasetState[] {
  return datasets.map(([id, title, rows, needs, checks]) => {
    const logins = only[app.tile.slug]?.[id] ?? app.logins.map((one) => one.id).filter((one) => one !== 'app-api-key');
    const able = app.logins.filter((one) => logins.includes(one.id)).map(({ label }) => `"${label}"`);
    const lacks = {
      kind: 'login_lacks',
      sentence: `${title} could not be read. This login option does not reach it; it can be read with the login option ${able.join(' or ')}.`,
      remedy: 'Add an instance with the other login option, or do without what rests on it.',
    };
    const cause = !logins.includes(login) ? lacks : id === 'audit-logs' && partial ? roleMissing : null;
    return { id, title, state: cause ? 'unavailable' : 'complete', cause, rows: cause ? 0 : rows, needs, checks, logins };
  });
}

/** The page of an instance; every one has Kustomer's datasets and checks. */
export function instancePage(instance: Instance, all: Instance[], chosen?: string): InstancePage {
  const tile = tiles(all).find(({ slug }) => slug === instance.app) ?? tiles(all)[0];
  if (!tile) throw new Error('there are no tiles');
  const app = application(tile, all.filter((other) => other.app === instance.app).map(({ name }) => name));
  if (instance.health === 'manual') {
    return {
      instance,
      application: app,
      login: '',
      inputs: [],
      secrets: [],
      hosts: [],
      route: { proxy: 'system', proxy_url: '', extra_roots_pem: '' },
      features: [],
      datasets: [],
      checks: [],
      scans: [],
      answers: [],
      same_tenant_as: [],
    };
  }
  const partial = instance.health === 'unhealthy';
  const login = chosen ?? app.logins[0]?.id ?? '';
  const fields = app.logins.find(({ id }) => id === login)?.fields ?? [];
  const count = (feature: string, verdict: string) => checks.filter((check) => check[3] === feature && check[4] === verdict).length;
  return {
    instance,
    application: app,
    login,
    inputs: [{ field: 'region', value: 'eu' }],
    secrets: fields.filter(({ secret }) => secret).map(({ id }) => ({ field: id, set_at: ago({ days: 9 }) })),
    hosts: ['api.prod2.kustomerapp.com'],
    route: { proxy: 'system', proxy_url: '', extra_roots_pem: '' },
    features: ['config', 'risky_accounts', 'third_party_plugins'].map((feature) => ({
      feature,
      state: feature === 'risky_accounts' && partial ? 'unhealthy' : instance.health === 'unknown' ? 'unknown' : 'ok',
      detail: feature === 'risky_accounts' && partial ? 'Audit log not read, so 1 of 5 checks is not evaluated.' : '',
      counts: {
        pass: count(feature, 'pass'),
        fail: count(feature, 'fail'),
        not_applicable: count(feature, 'not_applicable'),
        not_evaluated: count(feature, 'not_evaluated'),
        manual: 0,
        observed: 0,
      },
    })),
    datasets: datasetStates(app, login, partial),
    checks: checks.map(([id, title, severity, feature, verdict]) => ({
      id: `${instance.app}.${id}`,
      title,
      severity,
      feature,
      verdict,
      counts: { pass: 0, fail: 0, not_applicable: 0, not_evaluated: 0, manual: 0, observed: 0, [verdict]: verdict === 'fail' ? 2 : 1 },
      cause:
        verdict !== 'not_evaluated'
          ? null
          : id === 'users.failed_sign_ins'
            ? roleMissing
            : { kind: 'input_missing', sentence: 'Your company’s e-mail domains are not set.', remedy: 'Set them under Settings.' },
    })),
    scans: [0, 3, 7, 24, 28].map((hours, index) => ({
      id: `scan-${70 - index}`,
      state: index === 2 ? 'cancelled' : 'complete',
      started_at: ago({ hours, minutes: 13 }),
      finished_at: ago({ hours, minutes: 12 }),
      failure: index === 2 ? { kind: 'cancelled', sentence: 'Stopped at your request. 412 rows are kept to resume.', remedy: '' } : null,
      requests: 21 - index,
      scheduled: index === 1 || index === 4,
    })),
    answers: instance.app === 'kustomer' ? [{ check: 'kustomer.webhooks.known_host', param: 'hosts', value: 'hooks.haldenmoor.example' }] : [],
    same_tenant_as: [],
  };
}

export { roleMissing };
