/**
 * How a client application is registered in Microsoft Entra ID ("Azure AD" in the reference product's words), for each way
 * to sign in that this console has. The facts are from Microsoft's pages that each part links to.
 */

/** A way to sign in, as `Login.strategy` names it. */
export type EntraWay = 'entra_secret' | 'entra_certificate' | 'entra_browser' | 'entra_device_code';

/** One part of the guide. */
export interface Part {
  id: string;
  title: string;
  /** Before the steps: what the part is for. */
  text: string;
  steps: string[];
  link: { url: string; title: string } | null;
}

const learn = 'https://learn.microsoft.com/en-us/entra';

/** The ways in the order in which they are recommended. */
export const ways: { id: EntraWay; name: string; when: string }[] = [
  { id: 'entra_certificate', name: 'Certificate', when: 'Scans run unattended, and no secret ever travels: the private key only signs.' },
  { id: 'entra_secret', name: 'Client secret', when: 'Scans run unattended, with a secret that ends after at most 24 months.' },
  { id: 'entra_browser', name: 'Browser', when: 'You sign in yourself, with every factor that your organization asks for.' },
  { id: 'entra_device_code', name: 'Device code', when: 'Where no browser can be opened on this computer. Many organizations block it.' },
];

const register: Part = {
  id: 'register',
  title: 'Register the application',
  text: 'The registration is the identity that this console signs in with. It belongs to your tenant alone.',
  steps: [
    'Sign in to the Microsoft Entra admin center (entra.microsoft.com) as an Application Administrator, or as a Global Administrator if you also want to grant consent.',
    'Open Entra ID › App registrations and choose New registration.',
    'Name it so that colleagues know what it is for, such as “Posture Console, read only”.',
    'Under Supported account types take accounts in this organizational directory only.',
    'Leave Redirect URI empty for now and choose Register.',
    'Copy the Application (client) ID and the Directory (tenant) ID from the Overview page into the dialog. Neither is a secret.',
  ],
  link: { url: `${learn}/identity-platform/quickstart-register-app`, title: 'Register an application' },
};

const certificate: Part = {
  id: 'certificate',
  title: 'Give it a certificate',
  text: 'Microsoft keeps the certificate, this computer the private key. The key signs a short statement at each sign-in and is never sent.',
  steps: [
    'Have a key pair made for this console alone: RSA of 2,048 bits or more, with an end date that your rules allow. A self-signed certificate will do.',
    'Open Certificates & secrets › Certificates › Upload certificate and give it the certificate without its key (.cer, .pem or .crt).',
    'Put the certificate and its private key, both in PEM and one below the other, into the dialog. Take a key that has no passphrase.',
    'Delete the file with the key, or keep it where keys are kept: this console has its own sealed copy.',
  ],
  link: { url: `${learn}/identity-platform/certificate-credentials`, title: 'Certificate credentials' },
};

const secret: Part = {
  id: 'secret',
  title: 'Give it a client secret',
  text: 'A secret is a password of the application. Whoever has it can read what the application may read.',
  steps: [
    'Open Certificates & secrets › Client secrets › New client secret.',
    'Describe it, and choose the shortest life that you are willing to renew.',
    'Copy the Value at once: it is shown only there. The Secret ID beside it is a name, and does not work.',
    'Put it into the dialog, and write down its end date: an ended secret stops every scan (AADSTS7000222).',
  ],
  link: { url: `${learn}/identity-platform/v2-oauth2-client-creds-grant-flow`, title: 'Client credentials' },
};

const publicClient: Part = {
  id: 'public-client',
  title: 'Let it sign you in',
  text: 'An application on a desktop keeps no secret, so it is registered as a public client.',
  steps: [
    'Open Authentication and add the platform Mobile and desktop applications.',
    'Enter http://localhost as a custom redirect URI. The port is chosen anew at each sign-in and need not be named. Do not add it under Single-page application: what that gives ends after a day.',
    'Under Advanced settings set Allow public client flows to Yes and save: device code does not work without it.',
    'Leave it without a secret: a public client can keep none. If Microsoft asks for one all the same (AADSTS7000218), public client flows are still off.',
  ],
  link: { url: `${learn}/identity-platform/reply-url`, title: 'Redirect URIs' },
};

const applicationPermissions: Part = {
  id: 'permissions',
  title: 'Grant it what it reads',
  text: 'The dialog lists the permissions under “It needs to hold”, each of them a read. Add these and no others.',
  steps: [
    'Open API permissions › Add a permission and choose the API that the list names, mostly Microsoft Graph.',
    'Choose Application permissions, because nobody is signed in while a scan runs. Tick what the list names.',
    'Remove User.Read if it was put there from the start: it is not needed.',
    'Choose Grant admin consent for your organization. For most of these permissions a Global Administrator or Privileged Role Administrator has to do it.',
    'Wait some minutes before Connect. Microsoft issues a token even where consent is missing, so the console compares what the token holds with the list and says what lacks.',
  ],
  link: { url: `${learn}/identity/enterprise-apps/grant-admin-consent`, title: 'Grant admin consent' },
};

const delegatedPermissions: Part = {
  ...applicationPermissions,
  steps: [
    'Open API permissions › Add a permission and choose the API that the list names, mostly Microsoft Graph.',
    'Choose Delegated permissions, because the console reads as the user who signs in. Tick what the list names, and offline_access, without which you would sign in again every hour.',
    'Choose Grant admin consent for your organization, or let an administrator consent at the first sign-in.',
    'Sign in as a user who may see the settings: Global Reader is enough for most. What the user may not read, the console cannot read either.',
  ],
};

/** The parts of the guide for one way, in the order in which they are done. */
export function parts(way: EntraWay): Part[] {
  switch (way) {
    case 'entra_certificate':
      return [register, certificate, applicationPermissions];
    case 'entra_secret':
      return [register, secret, applicationPermissions];
    case 'entra_browser':
    case 'entra_device_code':
      return [register, publicClient, delegatedPermissions];
  }
}

/** The way that a login option takes, if it is one of these. */
export function wayOf(strategy: string): EntraWay | null {
  return ways.find(({ id }) => id === strategy)?.id ?? null;
}

/** Why an Azure AD user with password and MFA secret key cannot be given. */
export const notOffered = [
  'Microsoft has one documented way to hand over a user name and a password (the “resource owner password” grant). It fails for every account with a second factor, for federated users and where security defaults are on, and Microsoft advises against it.',
  'The other way would be to operate Microsoft’s sign-in page as if this program were a person. It is not documented, it breaks on number matching, passkeys and Conditional Access, and it would keep password and second factor of an administrator in one place.',
  'A registered application reads the same settings, holds only the permissions that are listed, and can be withdrawn without touching any person’s account. If you have to be present, choose the browser.',
];
