import type { Application, Availability, Login, Question, SandboxTenant, Tile } from '../backend';
import { convo, customerIo, notOffered, office365, salesforce } from './logins';

type Facts = [slug: string, name: string, vendor: string, category: string, features: string, verified: string, checks: number];

const config = 'config risky_accounts third_party_plugins';
const facts: Facts[] = [
  ['bluejeans', 'BlueJeans', 'Verizon', 'collaboration', 'config', 'manual', 3],
  ['box', 'Box', 'Box, Inc.', 'collaboration', config, 'contract', 24],
  ['convo', 'Convo', 'Convo Corporation', 'collaboration', 'config risky_accounts', 'facts', 12],
  ['customer-io', 'Customer.io', 'Peaberry Software, Inc.', 'marketing', config, 'contract', 21],
  ['databricks', 'Databricks', 'Databricks, Inc.', 'data', 'config risky_accounts identity', 'contract', 31],
  ['datadog', 'Datadog', 'Datadog, Inc.', 'developer-tools', config, 'contract', 27],
  ['docusign', 'Docusign', 'Docusign, Inc.', 'productivity', 'config risky_accounts', 'recorded', 18],
  ['github-enterprise', 'GitHub Enterprise', 'GitHub, Inc.', 'developer-tools', `${config} identity`, 'contract', 26],
  ['gitlab', 'GitLab', 'GitLab Inc.', 'developer-tools', config, 'contract', 22],
  ['google-workspace', 'Google Workspace', 'Google LLC', 'collaboration', `${config} identity`, 'contract', 58],
  ['grammarly', 'Grammarly', 'Grammarly, Inc.', 'collaboration', 'config risky_accounts', 'facts', 9],
  ['intercom', 'Intercom', 'Intercom, Inc.', 'customer-service', config, 'contract', 14],
  ['kustomer', 'Kustomer', 'Kustomer, LLC', 'customer-service', config, 'contract', 23],
  ['lokalise', 'Lokalise', 'Lokalise, Inc.', 'developer-tools', 'config risky_accounts', 'facts', 11],
  ['mongodb-atlas', 'MongoDB Atlas', 'MongoDB, Inc.', 'data', 'config risky_accounts identity', 'contract', 29],
  ['office-365', 'Office 365', 'Microsoft Corporation', 'productivity', 'config risky_accounts identity', 'facts', 30],
  ['okta', 'Okta', 'Okta, Inc.', 'identity', 'config risky_accounts identity', 'contract', 41],
  ['other-application', 'Other application', 'Any vendor', 'other', 'config', 'manual', 0],
  ['sap-ariba', 'SAP Ariba', 'SAP SE', 'finance', 'config', 'manual', 16],
  ['salesforce', 'Salesforce', 'Salesforce, Inc.', 'sales', `${config} identity`, 'contract', 62],
  ['slack', 'Slack Enterprise', 'Slack Technologies, LLC', 'collaboration', config, 'contract', 34],
  ['snowflake', 'Snowflake', 'Snowflake Inc.', 'data', 'config risky_accounts identity', 'contract', 33],
  ['workday', 'Workday', 'Workday, Inc.', 'human-resources', 'config risky_accounts', 'facts', 20],
  ['zendesk', 'Zendesk', 'Zendesk, Inc.', 'customer-service', config, 'contract', 25],
  ['zoom', 'Zoom', 'Zoom Communications, Inc.', 'collaboration', config, 'recorded', 37],
];

const availability: Record<string, Availability> = { 'other-application': 'attested', 'sap-ariba': 'planned', bluejeans: 'ended' };

/** All tiles; `instances` counts what is onboarded. */
export function tiles(instances: { app: string; sandbox: boolean }[]): Tile[] {
  return facts.map(([slug, name, vendor, category, features, verified, checks]) => ({
    slug,
    name,
    vendor,
    category,
    features: features.split(' '),
    verified,
    checks,
    instances: instances.filter((instance) => instance.app === slug && !instance.sandbox).length,
    availability: availability[slug] ?? 'offered',
  }));
}

const kustomerKey: Login = {
  id: 'api-key',
  label: 'API Key',
  summary: 'A key of a machine user, made by an administrator.',
  discover: null,
  strategy: 'bearer',
  checks: 23,
  fields: [
    {
      id: 'api_key',
      label: 'API Key',
      secret: true,
      optional: false,
      format: 'jwt',
      suffix: '',
      choices: [],
      default: null,
      help: 'Shown once in Kustomer, when the key is made.',
      example: 'eyJhbGciOi….eyJ1c2VyIjoi….c2lnbmF0dXJl',
      steps: [
        'Sign in to Kustomer as an administrator.',
        'Open Settings › Security › API Keys and choose Add API Key.',
        'Give it the four roles below and an end date.',
        'Choose Create and copy the key at once: Kustomer shows it only there.',
      ],
      link: 'https://www.kustomerapp.com/domain',
      reveal: null,
    },
    {
      id: 'region',
      label: 'Region',
      secret: false,
      optional: false,
      format: 'choice',
      suffix: '',
      choices: [
        { value: 'us', label: 'US', host: 'api.kustomerapp.com', hidden: false },
        { value: 'eu', label: 'EU', host: 'api.prod2.kustomerapp.com', hidden: false },
        { value: 'in', label: 'India', host: 'api.prod4.kustomerapp.com', hidden: true },
      ],
      default: 'us',
      help: 'Where your organization lives. The key itself says so, too.',
      example: '',
      steps: ['Ask who set up Kustomer, or open Settings › Organization.', 'Choose the region that stands there.'],
      link: null,
      reveal: null,
    },
    {
      id: 'organization',
      label: 'Organization name',
      secret: false,
      optional: true,
      format: 'dns_label',
      suffix: '.kustomerapp.com',
      choices: [],
      default: null,
      help: 'With it the public sign-in page is read, too.',
      example: 'haldenmoor',
      steps: ['Look at the address of your Kustomer window.', 'Copy the part before .kustomerapp.com.'],
      link: null,
      reveal: null,
    },
  ],
  needs: ['org.permission.security', 'org.permission.user.read', 'org.permission.audit_logs.read', 'org.permission.outbound_webhook.read'],
  steps: [
    { text: 'Create an API key in Kustomer with the four roles below and an end date.', link: 'https://www.kustomerapp.com/domain' },
    { text: 'Copy it into the field on the left.', link: null },
  ],
  hosts: ['{region}', '{organization}.api.kustomerapp.com'],
};

const githubToken: Login = {
  id: 'token',
  label: 'Fine-grained token',
  summary: 'A token of an organization owner, read-only.',
  discover: null,
  strategy: 'bearer',
  checks: 26,
  fields: [
    {
      id: 'token',
      label: 'Token',
      secret: true,
      optional: false,
      format: 'token',
      suffix: '',
      choices: [],
      default: null,
      help: 'Starts with github_pat_ or ghp_.',
      example: 'github_pat_11AA…',
      steps: ['Open Settings › Developer settings › Personal access tokens.', 'Create a fine-grained token for the organization.', 'Give it read access to administration and members.'],
      link: 'https://github.com/settings/personal-access-tokens/new',
      reveal: null,
    },
    {
      id: 'organization',
      label: 'Organization',
      secret: false,
      optional: false,
      format: 'text',
      suffix: '',
      choices: [],
      default: null,
      help: 'As it stands in the address: github.com/…',
      example: 'haldenmoor',
      steps: ['Open the organization in a browser.', 'Copy the part after github.com/.'],
      link: null,
      reveal: null,
    },
  ],
  needs: ['administration: read', 'members: read'],
  steps: [{ text: 'Create a fine-grained token that reads administration and members.', link: 'https://github.com/settings/personal-access-tokens/new' }],
  hosts: ['api.github.com'],
};

const githubApp: Login = {
  ...githubToken,
  id: 'classic',
  label: 'Classic token',
  summary: 'Reaches more than it needs to.',
  checks: 24,
  fields: githubToken.fields.map((field) => ({ ...field })),
  needs: ['read:org', 'repo'],
};

const generic: Login = { ...githubToken, fields: githubToken.fields.slice(0, 1), id: 'api-key', label: 'API key', summary: 'A read-only key of an administrator.', hosts: ['api.example.com'], needs: [] };

const asked = (check: string, param: string, label: string, title: string, ...logins: string[]): Question => ({ check, param, label, type: 'strings', title, logins });
const hosts = 'Hosts that may receive webhooks';
const questions: Record<string, Question[]> = {
  kustomer: [
    asked('kustomer.users.external_domain', 'domains', 'Your company’s e-mail domains', 'Users belong to the company’s domains', 'api-key'),
    asked('kustomer.webhooks.known_host', 'hosts', hosts, 'Webhooks go to known hosts', 'api-key'),
  ],
  'customer-io': [
    asked('customer-io.users.external_domain', 'domains', 'Your company’s e-mail domains', 'Members belong to the company’s domains', 'service-account', 'okta'),
    asked('customer-io.webhooks.https_known_host', 'hosts', hosts, 'Webhooks go to known hosts', 'service-account', 'okta'),
    asked('customer-io.exports.https_known_host', 'hosts', hosts, 'Exports go to known hosts', 'service-account'),
    asked('customer-io.app_webhooks.https_known_host', 'hosts', hosts, 'Webhooks go to known hosts (App API)', 'app-api-key'),
  ],
};

/** An application as its dialog sees it. */
export function application(tile: Tile, names: string[]): Application {
  const known: Record<string, Login[]> = {
    kustomer: [kustomerKey],
    'github-enterprise': [githubToken, githubApp],
    'customer-io': customerIo,
    convo,
    'office-365': office365,
    salesforce,
    'other-application': [],
    'sap-ariba': [],
    bluejeans: [],
  };
  const logins = known[tile.slug] ?? [{ ...generic, checks: tile.checks }];
  return {
    tile,
    home: `https://www.${tile.slug.replaceAll('-', '')}.com`,
    logins,
    not_offered: notOffered[tile.slug] ?? [],
    planned: tile.availability === 'planned' ? [{ label: 'OAuth client', summary: 'A client of the developer portal with the client id and its secret.' }] : [],
    ended: tile.availability === 'ended' ? 'The service ended on 29 February 2024. Make sure that accounts, recordings and integrations that were left are gone.' : null,
    left_out: tile.slug === 'sap-ariba' ? [{ id: 'sap-ariba.users.mfa', title: 'No user is without a second factor', reason: 'A person cannot see this of each user; it needs a connector that reads the users.' }] : [],
    labels: ['Default', 'Production', 'Sandbox', 'Internal', 'QA', 'Dev'],
    never: tile.slug === 'kustomer' ? [{ path: '/v1/auth/customer/settings', reason: 'Its answer holds a secret.' }] : [],
    questions: questions[tile.slug] ?? [],
    instance_names: names,
  };
}

/** Simulated tenants that can be onboarded. */
export const sandboxTenants: SandboxTenant[] = [
  { app: 'kustomer', app_name: 'Kustomer', tenant: 'risky', name: 'Halden Moor (risky)', tour: true },
  { app: 'kustomer', app_name: 'Kustomer', tenant: 'clean', name: 'Halden Moor (clean)', tour: true },
  { app: 'github-enterprise', app_name: 'GitHub Enterprise', tenant: 'risky', name: 'haldenmoor-labs (risky)', tour: true },
];
