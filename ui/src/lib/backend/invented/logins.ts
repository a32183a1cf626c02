import type { Field, Login, NotOffered } from '../backend';

/** Login options of the applications that are signed in to through somebody else. */

const field = (given: Partial<Field> & Pick<Field, 'id' | 'label'>): Field => ({
  secret: false,
  optional: false,
  format: 'text',
  suffix: '',
  choices: [],
  default: null,
  help: '',
  example: '',
  steps: [],
  link: null,
  reveal: null,
  ...given,
});

const region = field({
  id: 'region',
  label: 'Region',
  format: 'choice',
  choices: [
    { value: 'auto', label: 'Auto', host: 'us.fly.customer.io', hidden: false },
    { value: 'us', label: 'US', host: 'us.fly.customer.io', hidden: false },
    { value: 'eu', label: 'EU', host: 'eu.fly.customer.io', hidden: false },
  ],
  default: 'auto',
  help: 'Auto asks Customer.io where you are.',
  steps: ['Leave it at Auto unless you know better.'],
});

const oktaFields: Field[] = [
  field({
    id: 'user',
    label: 'User',
    format: 'email',
    help: 'An Okta user who administers the application.',
    example: 'posture.reader@haldenmoor.example',
    steps: ['Create an Okta user for this console alone.', 'Make it an administrator of the application.'],
  }),
  field({ id: 'password', label: 'Password', secret: true, format: 'password', help: 'The Okta password of this user.', steps: ['Set it in Okta and keep it in your password manager.'] }),
  field({
    id: 'okta_domain',
    label: 'Okta Domain',
    format: 'okta_domain',
    suffix: '.okta.com',
    help: 'The name, or the address that you sign in to Okta at.',
    example: 'haldenmoor',
    steps: ['Sign in to Okta.', 'Copy the part of the address before .okta.com, without -admin.'],
  }),
  field({
    id: 'okta_custom_domain',
    label: 'Custom Okta domain',
    format: 'okta_custom_domain',
    optional: true,
    reveal: 'Sign-in goes through a domain of our own',
    help: 'The password is sent there. Give it only if the address is yours.',
    example: 'login.haldenmoor.example',
    steps: ['Look at the address of the page on which you type your Okta password.'],
  }),
  field({
    id: 'mfa_key',
    label: 'MFA Secret Key',
    secret: true,
    format: 'mfa_key',
    help: 'The key behind the codes of Google Authenticator.',
    example: 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP',
    steps: [
      'Sign in to Okta as that user. Open Settings › Security methods.',
      'Set up Google Authenticator and choose Can’t scan?',
      'Copy the key that Okta shows into the field and into your phone.',
      'Compare the two codes, then finish in Okta.',
    ],
    link: 'https://help.okta.com/eu/en-us/content/topics/end-user/ga-enroll.htm',
  }),
];

const serviceAccount: Login = {
  id: 'service-account',
  label: 'Service account',
  summary: 'A read-only token of a service account.',
  discover: { field: 'region', open: 'auto', tries: ['us', 'eu'] },
  strategy: 'client_credentials',
  checks: 21,
  fields: [
    field({
      id: 'token',
      label: 'Service Account Token',
      secret: true,
      format: 'token',
      help: 'Starts with sa_live_.',
      example: 'sa_live_…',
      steps: ['Open Account Settings › API Credentials › Service Accounts.', 'Create a service account and tick Read-only.', 'Create a token, and copy it at once.'],
      link: 'https://fly.customer.io/settings/api_credentials',
    }),
    region,
  ],
  needs: ['read_only'],
  steps: [{ text: 'Create a read-only service account in Customer.io and give it a token.', link: 'https://fly.customer.io/settings/api_credentials' }],
  hosts: ['{region}'],
};

const customerOkta: Login = {
  id: 'okta',
  label: 'Log in with Okta',
  summary: 'An Okta user with Google Authenticator.',
  discover: { field: 'region', open: 'auto', tries: ['us', 'eu'] },
  strategy: 'okta',
  checks: 20,
  fields: [...oktaFields, region],
  needs: [],
  steps: [{ text: 'Create an Okta user for this console alone, with Google Authenticator as its only second factor.', link: null }],
  hosts: ['{okta_domain}', '{okta_custom_domain}', 'fly.customer.io', '{region}'],
};

const appApiKey: Login = {
  id: 'app-api-key',
  label: 'App API key',
  summary: 'One workspace only.',
  discover: null,
  strategy: 'bearer',
  checks: 2,
  fields: [
    field({ id: 'token', label: 'App API Key', secret: true, help: 'It sees webhooks, workspaces and senders.', steps: ['Open Account Settings › API Credentials › App API Keys.'] }),
    region,
  ],
  needs: [],
  steps: [{ text: 'Create an App API key of one workspace.', link: 'https://fly.customer.io/settings/api_credentials' }],
  hosts: ['api.customer.io', 'api-eu.customer.io'],
};

export const customerIo: Login[] = [serviceAccount, customerOkta, appApiKey];

export const convo: Login[] = [
  {
    ...customerOkta,
    checks: 12,
    discover: null,
    fields: [
      ...oktaFields,
      field({ id: 'account_id', label: 'Convo Account ID', format: 'pattern', optional: true, help: 'Stands in the address of Network Settings.', example: 'acc-1024' }),
    ],
    hosts: ['{okta_domain}', '{okta_custom_domain}', 'app.convo.com'],
  },
];

const entraFields: Field[] = [
  field({
    id: 'tenant',
    label: 'Tenant',
    format: 'entra_tenant',
    help: 'Directory (tenant) ID, or one of its domains.',
    example: 'haldenmoor.onmicrosoft.com',
    steps: ['Open the Overview page of the app registration.', 'Copy Directory (tenant) ID.'],
  }),
  field({ id: 'client_id', label: 'Client ID', format: 'guid', help: 'Application (client) ID.', example: '11111111-2222-4333-8444-555555555555', steps: ['Copy Application (client) ID from the same page.'] }),
];
const entra = (id: string, label: string, summary: string, strategy: string, more: Field[]): Login => ({
  id,
  label,
  summary,
  discover: null,
  strategy,
  checks: 30,
  fields: [...entraFields, ...more],
  needs: ['Policy.Read.All', 'Directory.Read.All', 'AuditLog.Read.All'],
  steps: [{ text: 'Register a client application in Microsoft Entra ID.', link: 'https://learn.microsoft.com/en-us/entra/identity-platform/quickstart-register-app' }],
  hosts: ['login.microsoftonline.com', 'graph.microsoft.com'],
});

export const office365: Login[] = [
  entra('certificate', 'Certificate', 'A registered application that signs with a certificate.', 'entra_certificate', [
    field({ id: 'pem', label: 'Certificate and private key', secret: true, format: 'certificate_and_key', help: 'PEM, one below the other.', example: '-----BEGIN CERTIFICATE-----' }),
  ]),
  entra('secret', 'Client secret', 'A registered application with a secret.', 'entra_secret', [
    field({ id: 'client_secret', label: 'Client Secret', secret: true, help: 'The Value, not the Secret ID.' }),
  ]),
  entra('browser', 'Sign in in the browser', 'You sign in yourself, with every factor.', 'entra_browser', []),
  entra('device-code', 'Device code', 'You type a code at Microsoft’s page.', 'entra_device_code', []),
];

const key = (id: string, label: string, format: string, example: string, help: string): Field => field({ id, label, secret: true, format, example, help, steps: ['Download it once, and keep it nowhere else.'] });
const domain = field({ id: 'domain', label: 'My Domain', format: 'vendor_host', suffix: '.my.salesforce.com', example: 'haldenmoor', help: 'The name before .my.salesforce.com.', steps: ['Open Setup › My Domain.'] });
const consumerKey = field({ id: 'client_id', label: 'Consumer Key', example: '3MVG9…', help: 'Of the app’s page.', steps: ['Open Setup › App Manager › your app › Manage Consumer Details.'] });
const salesforceLogin = (id: string, label: string, summary: string, strategy: string, fields: Field[]): Login => ({
  id,
  label,
  summary,
  discover: null,
  strategy,
  checks: 62,
  fields,
  needs: ['ViewSetup', 'ViewHealthCheck'],
  steps: [{ text: 'Make an app for this console alone.', link: null }],
  hosts: ['login.salesforce.com', 'test.salesforce.com', '*.my.salesforce.com'],
});

/** Six ways to sign in, among them all that ask for a key or a file of several lines. */
export const salesforce: Login[] = [
  salesforceLogin('jwt', 'Signed by a certificate', 'An app that signs in as one user with its private key.', 'assertion', [
    consumerKey,
    field({ id: 'user', label: 'User', format: 'email', example: 'posture.reader@haldenmoor.example' }),
    key('private_key', 'Private key', 'private_key', '-----BEGIN PRIVATE KEY-----', 'PEM or JWK, RSA of 2048 bits or more.'),
  ]),
  salesforceLogin('key-file', 'Key file', 'A file that the vendor gave you.', 'assertion', [
    key('file', 'Key file', 'key_file', '{ "client_email": …, "private_key": … }', 'The JSON file as it was downloaded.'),
  ]),
  salesforceLogin('client', 'Client credentials', 'An app with its consumer secret, running as one user.', 'client_credentials', [
    domain,
    consumerKey,
    field({ id: 'client_secret', label: 'Consumer Secret', secret: true }),
  ]),
  salesforceLogin('browser', 'Sign in in the browser', 'You sign in yourself, with every factor, at an app of your own.', 'authorization_code', [domain, consumerKey]),
  salesforceLogin('browser-sandbox', 'Sign in in the browser, sandbox organization', 'As in the browser, at test.salesforce.com.', 'authorization_code', [consumerKey]),
  salesforceLogin('device', 'Device code', 'You type a short code at the vendor’s page, on any device.', 'device_code', [consumerKey]),
];

export const notOffered: Record<string, NotOffered[]> = {
  salesforce: [
    {
      label: 'User name with password and security token',
      reason: 'The vendor ends this way of signing in, and a second factor stops it.',
      instead: 'Take the certificate; nobody has to be there for it.',
    },
  ],
  'office-365': [
    {
      label: 'Azure AD user with MFA secret key',
      reason: 'Microsoft documents no way to sign in with a password and a one-time code without its own page.',
      instead: 'Take a certificate; it reads the same settings.',
    },
  ],
};
