import type { Digest, DigestDay, DigestEntry, Failure, MailSettings, MailState } from '../backend';
import { ago } from './clock';

const entry = (kind: DigestEntry['kind'], instance: string, app_name: string, instance_name: string, owner: string, more: Partial<DigestEntry>): DigestEntry => ({
  kind,
  instance,
  app_name,
  instance_name,
  owner,
  severity: null,
  count: 1,
  what: '',
  detail: '',
  ...more,
});

const OWNER = 'ada@haldenmoor.example';

function entries(): DigestEntry[] {
  return [
    entry('new_finding', 'i-kustomer-eu', 'Kustomer', 'Halden Moor EU', OWNER, { severity: 'critical', what: 'Single sign-on is not enforced' }),
    entry('new_finding', 'i-github', 'GitHub Enterprise', 'haldenmoor', OWNER, { severity: 'high', count: 4, what: 'A repository has no branch protection', detail: '4 findings' }),
    entry('ended', 'i-github', 'GitHub Enterprise', 'haldenmoor', OWNER, { count: 3, what: '3 findings were fixed' }),
    entry('health', 'i-zoom', 'Zoom', 'haldenmoor', '', {
      what: 'Down now',
      detail: 'Zoom refused the client secret. Reauthenticate with a new one.',
    }),
    entry('failed_scan', 'i-zoom', 'Zoom', 'haldenmoor', '', { count: 2, what: '2 scans failed', detail: 'Zoom refused the client secret.' }),
    entry('credential_ends', 'i-github', 'GitHub Enterprise', 'haldenmoor', OWNER, {
      what: 'The credential ends in 6 days (28 November 2026, 09:00)',
      detail: 'Make a new one and reauthenticate before then.',
    }),
  ];
}

const summary = [
  'The score is 71 %, 3 points less than in the last digest.',
  '5 findings are new (1 critical, 4 high); 3 were fixed, 0 are gone.',
  '1 instance is not up.',
  '2 scans failed.',
  '1 credential ends soon or has ended.',
];
const quietly = ['The score is 74 %, as in the last digest.', 'Nothing else to tell: no finding is new or ended, no instance is in trouble, nothing is due.'];

/** What today's digest says. */
export const digest = (): Digest => ({
  day: '2026-11-21',
  made_at: ago({ hours: 4 }),
  since: ago({ hours: 28 }),
  stored: true,
  quiet: false,
  summary,
  score: 71,
  score_before: 74,
  new: { critical: 1, high: 4, medium: 0, low: 0, info: 0 },
  unlisted: 0,
  fixed: 3,
  gone: 0,
  entries: entries(),
  mailed_at: null,
  mail_failure: null,
});

/** The one of the day before, with nothing to tell. */
export const quietDigest = (): Digest => ({
  ...digest(),
  day: '2026-11-20',
  made_at: ago({ hours: 28 }),
  since: ago({ hours: 52 }),
  quiet: true,
  summary: quietly,
  score: 74,
  score_before: 74,
  new: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
  fixed: 0,
  entries: [],
});

export const digestDay = ({ day, made_at, quiet, summary: said, mailed_at, mail_failure }: Digest): DigestDay => ({
  day,
  made_at,
  quiet,
  summary: said,
  mailed_at,
  mail_failure,
});

export const noMail = (): MailState => ({ settings: null, password_set_at: null });

/** What the console finds wrong with mail settings. */
export function mailFault(settings: MailSettings, password: boolean): Failure | null {
  const fault = (field: string, sentence: string, remedy: string): Failure => ({ code: 'E-MAIL-SETTINGS', sentence, remedy, field });
  const address = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(settings.host)) return fault('host', 'The mail server is no name of a computer.', 'Write its name alone: mail.company.example.');
  if (!address.test(settings.from)) return fault('from', `"${settings.from}" is no mail address. Nothing was sent.`, 'Write it as name@company.example, in ASCII letters.');
  if (settings.recipients.length === 0) return fault('recipients', '0 recipients are given.', 'Give 1 to 20 addresses.');
  const wrong = settings.recipients.find((one) => !address.test(one));
  if (wrong !== undefined) return fault('recipients', `"${wrong}" is no mail address. Nothing was sent.`, 'Write it as name@company.example, in ASCII letters.');
  if (settings.user !== '' && !password) return fault('password', 'The mail password is not set.', 'Type the password of this user and server in the mail settings.');
  return null;
}
