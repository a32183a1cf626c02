import type { Coverage, CoverageState, CoveringCheck, DatasetState, PermissionAdvice, Permissions, Tile } from '../backend';
import { ago } from './clock';

type Facts = [id: string, domain: string, title: string, asks: string, state: CoverageState, by: string[], reason?: string, source?: string];

const identity = 'Identity and access';
const logging = 'Logging and monitoring';
const controls: Facts[] = [
  ['CCC-SaaS-01', 'Change and configuration', 'Configuration can be queried', 'Security settings can be read by a program.', 'not_covered', [], 'Nobody has looked at this yet.'],
  ['IAM-SaaS-04', identity, 'Single sign-on is supported', 'Users can sign in through the company’s identity provider.', 'checked', ['SAML SSO is on']],
  ['IAM-SaaS-12', identity, 'A second factor', 'Users prove who they are with more than a password.', 'attested', ['Two-factor authentication is required of every user']],
  ['IAM-SaaS-20', identity, 'Idle sessions end', 'A session that nobody uses ends.', 'checked', ['Sessions end after twelve hours', 'Idle sessions end']],
  ['LOG-SaaS-02', logging, 'What a log entry says', 'Each entry says who did what, when and from where.', 'not_covered', [], 'The audit log does not name the address a change came from.', 'https://developer.kustomer.com/kustomer-api-docs/reference/auditlogs'],
  ['LOG-SaaS-03', logging, 'Logs can be fetched', 'Logs can be delivered to the company’s own systems.', 'login_lacks', ['Exports of the log are watched'], 'The login option of this instance does not reach what its checks rest on. Service account does.'],
];

/** A capability sheet; of an instance, what its login option does not reach is told. */
export function coverage(tile: Tile, instance: string | null): Coverage {
  const manual = tile.availability !== 'offered';
  const list = controls.map(([id, domain, title, asks, state, by, reason = '', source = '']) => {
    const now: CoverageState = manual && state !== 'not_covered' ? 'attested' : state === 'login_lacks' && instance === null ? 'checked' : state;
    const named: CoveringCheck[] = by.map((check, index) => ({ id: `${tile.slug}.${id}.${index}`, title: check, reached: now !== 'login_lacks' }));
    const told = now === 'not_covered' || now === 'login_lacks';
    return { id, domain, title, asks, state: now, checks: now === 'attested' ? [] : named, attested: now === 'attested' ? named : [], reason: told ? reason : '', source: told ? source : '' };
  });
  const count = (state: CoverageState) => list.filter((control) => control.state === state).length;
  return {
    app: tile.slug,
    app_name: tile.name,
    instance,
    controls: list,
    counts: { checked: count('checked'), attested: count('attested'), login_lacks: count('login_lacks'), not_covered: count('not_covered') },
  };
}

/** What follows from datasets that cannot be read. */
export function advice(app: string, datasets: DatasetState[]): PermissionAdvice {
  const missing = datasets.filter(({ cause }) => cause?.kind === 'scope_missing');
  const github = app === 'github-enterprise';
  return {
    later: github ? 4 : 0,
    lost: missing.map(({ id, title }) => ({ id: `${app}.${id}.watched`, title: 'Failed sign-ins are looked at', severity: 'medium', datasets: [title] })),
    grants: missing.map(({ title, needs, checks, cause }) => ({ scope: needs[0] ?? '', any_of: needs, datasets: [title], checks, said: cause?.sentence ?? '' })),
    granted: github ? { told_by: 'header', scopes: ['admin:org', 'delete_repo', 'repo'], at: ago({ hours: 2 }) } : { told_by: '', scopes: [], at: null },
    spare: github
      ? [
          { scope: 'admin:org', instead: ['read:org'], sentence: 'read:org would do instead of admin:org.' },
          { scope: 'delete_repo', instead: [], sentence: 'delete_repo is granted, and nothing that is read needs it.' },
        ]
      : [],
    silent: github ? '' : 'Kustomer does not tell which scopes this credential holds, so nothing can be said of those that are not needed.',
  };
}

/** The permissions of an instance as of its last scan. */
export function permissions(instance: string, app: string, datasets: DatasetState[]): Permissions {
  const told = advice(app, datasets);
  return { instance, as_of: ago({ hours: 2 }), datasets, checks: 23 - told.lost.length - told.later, all_checks: 23, advice: told };
}
