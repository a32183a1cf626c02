import type { Backend, Digest, Failure, FieldState, Finding, Instance, Job, Listener, MailState, Preference, Settings, Start, StartState, Turn, UpdateState } from './backend';
import { application, sandboxTenants, tiles } from './invented/applications';
import { InventedAttestations } from './invented/attestations';
import { advice, coverage, permissions } from './invented/capability';
import { changesOf, completeScans, pastPosture, rowChanges, settingChanges } from './invented/changes';
import { ago } from './invented/clock';
import { InventedDecisions } from './invented/decisions';
import { InventedCompliance } from './invented/compliance';
import { digest, digestDay, mailFault, noMail, quietDigest } from './invented/digest';
import { attestedFinding, attestedPage, findingList, findingPage, findings } from './invented/findings';
import { InventedFleet } from './invented/fleet';
import { InventedInventory } from './invented/inventory';
import { datasetStates, instancePage, instances, manualInstance, roleMissing, sandboxInstance } from './invented/instances';
import { activity, activityHead, overview, requests } from './invented/overview';
import { scheduleWords, settings, settingsFault } from './invented/schedules';

/** How the invented console behaves. */
export interface Invented {
  /** Where it stands when the window opens. */
  start?: StartState;
  /** Milliseconds a step takes; 0 in tests. */
  pace?: number;
  /** Whether instances exist. */
  empty?: boolean;
  /** Whether nothing is being scanned. */
  idle?: boolean;
  /** Whether the sandbox was offered before. */
  offered?: boolean;
  keychain?: 'usable' | 'absent' | 'locked';
  preferences?: Preference[];
}

const failure = (code: string, sentence: string, remedy: string, field: string | null = null): Failure => ({ code, sentence, remedy, field });

const noKeychain = failure(
  'E-KEYCHAIN-ABSENT',
  'This computer has no keychain that answers.',
  'Choose a passphrase, or install and unlock a Secret Service such as GNOME Keyring.',
);

/** A console of invented data, "Halden Moor", that answers like the real one. */
export function mockBackend(options: Invented = {}): Backend {
  const pace = options.pace ?? 0;
  let state: StartState = options.start ?? { kind: 'ready', protection: 'keychain' };
  let offered = options.offered ?? true;
  let all: Instance[] = options.empty ? [] : instances();
  const given = new InventedAttestations(() => all);
  const controls = new InventedCompliance(() => all);
  // What was attested stands beside what was scanned, as in the console.
  const withAttested = (instance: Instance): Instance => ({ ...instance, attestations: given.counts(instance) });
  const attestedFindings = (): Finding[] => all.flatMap((instance) => given.of(instance)).filter(({ finding }) => finding !== null).map(attestedFinding);
  const findAll = (): Finding[] => [...findings(all), ...attestedFindings()];
  let found: Finding[] = findAll();
  const decided = new InventedDecisions(() => all);
  const shownFindings = (): Finding[] => found.map((finding) => decided.finding(finding));
  let jobs: Job[] = options.empty || options.idle
    ? []
    : [
        { id: 'job-1', instance: 'i-github', title: 'GitHub Enterprise, haldenmoor', done: 0.62, host: 'api.github.com', elsewhere: null },
        { id: 'job-2', instance: 'i-zoom', title: 'Zoom, haldenmoor', done: 0.24, host: 'api.zoom.us', elsewhere: 'ada, process 4242' },
      ];
  const listeners = new Set<(jobs: Job[]) => void>();
  const turnListeners = new Set<(turn: Turn) => void>();
  let chosenSettings: Settings = settings();
  let atLogin = false;
  let updating: UpdateState = { kind: 'not_looked', host: 'updates.example.com' };
  let told: Digest[] = options.empty ? [] : [digest(), quietDigest()];
  let mailing: MailState = noMail();
  const preferences = new Map((options.preferences ?? []).map(({ key, value }) => [key, value]));
  const drafts = new Map<string, { app: string; login: string; values: Map<string, string> }>();
  const cancelled = new Set<string>();
  /** The login option that an instance was connected with, by its id; the recommended one where none was chosen. */
  const chosen = new Map<string, string>();
  const inventory = new InventedInventory();
  const fleet = new InventedFleet(inventory, () => all, (instance, account) => decided.ignoredBy(instance, account));
  let next = 1;

  const wait = (share = 1) => new Promise<void>((done) => setTimeout(done, pace * share));
  const start = (): Start => ({
    state,
    data_folder: '~/.local/share/com.postureconsole.desktop',
    keychain:
      options.keychain === 'absent' || options.keychain === 'locked' ? { kind: options.keychain, failure: noKeychain } : { kind: 'usable' },
    version: '0.1.0',
    preferences: [...preferences].map(([key, value]) => ({ key, value })),
    sandbox_offered: offered,
  });
  const setJobs = (now: Job[]) => {
    jobs = now;
    for (const listener of listeners) listener(jobs);
  };
  /** As the console computes it: from the schedule, where it has one: what is attested has none, and a simulated tenant no default. */
  const withNext = (instance: Instance): Instance => {
    const idle = (instance.sandbox && instance.schedule.kind === 'default') || instance.health === 'manual';
    return { ...instance, next_scan: idle ? null : (scheduleWords(instance.schedule, chosenSettings.schedule).next[0] ?? null) };
  };
  const shown = (instance: Instance): Instance => withNext(withAttested(instance));
  const known = <T>(value: T | undefined): T => {
    if (value === undefined) throw failure('E-NOT-FOUND', 'It is no longer there.', 'Go back and look at the list again.');
    return value;
  };
  const appOf = (slug: string) => {
    const tile = known(tiles(all).find((candidate) => candidate.slug === slug));
    const names = all.filter((instance) => instance.app === slug).map((instance) => instance.name);
    return application(tile, names);
  };

  function judge(draft: string, field: string, value: string): FieldState {
    const { app, login, values } = known(drafts.get(draft));
    const asked = known(known(appOf(app).logins.find(({ id }) => id === login)).fields.find(({ id }) => id === field));
    if (value.trim() === '') {
      values.delete(field);
      return { kind: 'empty' };
    }
    if (asked.format === 'jwt' && !/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(value.trim())) {
      return { kind: 'wrong', sentence: 'This does not look like a Kustomer API key: a key has three parts with dots between them and starts with eyJ.' };
    }
    if (asked.format === 'token' && !/^(github_pat_|ghp_|sa_live_)\w{20,}$/.test(value.trim())) {
      return { kind: 'wrong', sentence: `This does not look like ${asked.label}: it looks like ${asked.example}.` };
    }
    if (asked.format === 'dns_label') {
      const label = value.trim().replace(/^https?:\/\//, '').replace(/\.kustomerapp\.com.*$/, '').toLowerCase();
      if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label)) {
        return { kind: 'wrong', sentence: 'An organization name has letters, digits and hyphens, as in “haldenmoor”.' };
      }
      values.set(field, label);
      return { kind: 'right', value: label, note: label === value ? '' : 'The name was taken from the address.' };
    }
    if (asked.format === 'private_key' && !/^-----BEGIN [A-Z ]*PRIVATE KEY-----\s[\s\S]+-----END [A-Z ]*PRIVATE KEY-----\s*$/.test(value)) {
      return { kind: 'wrong', sentence: value.includes('BEGIN CERTIFICATE') ? 'This is a certificate. The private key that belongs to it is asked for here.' : 'This is no private key: it begins with -----BEGIN PRIVATE KEY-----.' };
    }
    if (asked.format === 'key_file' && !(value.trim().startsWith('{') && value.includes('private_key'))) {
      return { kind: 'wrong', sentence: 'This is not the whole key file: it has no private_key.' };
    }
    if (asked.format === 'okta_domain') {
      const host = value.trim().toLowerCase().replace(/^https:\/\//, '').replace(/\/.*$/, '');
      const whole = host.includes('.') ? host : `${host}.okta.com`;
      if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?\.(okta\.com|okta-emea\.com|oktapreview\.com)$/.test(whole)) {
        return { kind: 'wrong', sentence: 'This is not a domain of Okta’s own. Give the organization’s name at okta.com here: haldenmoor.' };
      }
      if (whole.includes('-admin.')) {
        return { kind: 'wrong', sentence: `This is the address of the admin console. The organization is ${whole.replace(/-admin\..*$/, '')}.` };
      }
      values.set(field, whole);
      return { kind: 'right', value: whole, note: '' };
    }
    if (asked.format === 'mfa_key') {
      const key = value.replaceAll(/\s/g, '').toUpperCase();
      if (/^\d{6}$/.test(key)) {
        return { kind: 'wrong', sentence: 'This is a code of six digits, which lasts half a minute. The key behind it is wanted: letters and digits, shown once in Okta.' };
      }
      if (!/^[A-Z2-7]{16,}$/.test(key)) {
        return { kind: 'wrong', sentence: 'This does not look like an MFA key: base32 has only A to Z and 2 to 7.' };
      }
      values.set(field, key);
      return { kind: 'right', value: null, note: `${key.length} characters, base32` };
    }
    if (asked.format === 'certificate_and_key') {
      if (!value.includes('BEGIN CERTIFICATE') || !value.includes('PRIVATE KEY')) {
        return { kind: 'wrong', sentence: 'Both are needed, in PEM: a certificate and its private key.' };
      }
      values.set(field, value);
      return { kind: 'right', value: null, note: 'Certificate and key' };
    }
    values.set(field, value);
    return { kind: 'right', value: asked.secret ? null : value, note: asked.format === 'jwt' ? 'EU pod, expires 14 Jan 2027' : '' };
  }

  async function run(job: Job, app: string, progress: Listener, partial: boolean): Promise<void> {
    setJobs([...jobs, job]);
    const host = job.host;
    const application = appOf(app);
    const login = chosen.get(job.instance) ?? application.logins[0]?.id ?? '';
    const list = datasetStates(application, login, partial);
    const reached = list.filter(({ logins }) => logins.includes(login));
    const readable = reached.filter((dataset) => dataset.state === 'complete').length;
    const unread = list.filter((dataset) => dataset.state !== 'complete').reduce((sum, dataset) => sum + dataset.checks, 0);
    const stop = () => {
      if (!cancelled.has(job.id)) return;
      setJobs(jobs.filter(({ id }) => id !== job.id));
      const stopped = failure('E-CANCELLED', 'Stopped at your request.', 'Scan again to go on from where it stopped.');
      progress({ kind: 'failed', failure: stopped, kept: 'The instance and 412 rows are kept to resume from.' });
      throw stopped;
    };
    progress({ kind: 'step', step: 'permissions', state: 'running', detail: '', milliseconds: 0 });
    await wait();
    progress({ kind: 'permissions', datasets: list, checks: 23 - unread, all_checks: 23, advice: { ...advice(app, list), spare: [], silent: 'What is granted and not needed is known after the first complete scan.' } });
    progress({
      kind: 'step',
      step: 'permissions',
      state: readable < reached.length ? 'warned' : 'done',
      detail: `${readable} of ${reached.length} datasets can be read`,
      milliseconds: 1240,
    });
    progress({ kind: 'step', step: 'scan', state: 'running', detail: '', milliseconds: 0 });
    for (const [index, dataset] of list.entries()) {
      for (const share of dataset.rows > 100 ? [0.2, 0.48, 0.8] : [0.5]) {
        progress({
          kind: 'dataset',
          id: dataset.id,
          title: dataset.title,
          state: 'reading',
          rows: Math.round(dataset.rows * share),
          expected: dataset.rows > 100 ? dataset.rows : null,
          cause: null,
        });
        const done = (index + share) / list.length;
        progress({ kind: 'share', done, host, requests: 6 + Math.round(done * 15) });
        setJobs(jobs.map((other) => (other.id === job.id ? { ...job, done } : other)));
        await wait();
        stop();
      }
      progress({ kind: 'dataset', id: dataset.id, title: dataset.title, state: dataset.state, rows: dataset.rows, expected: null, cause: dataset.cause });
    }
    progress({ kind: 'step', step: 'scan', state: 'done', detail: '650 rows', milliseconds: 34_000 });
    progress({ kind: 'step', step: 'judge', state: 'running', detail: '', milliseconds: 0 });
    await wait();
    progress({ kind: 'step', step: 'judge', state: 'done', detail: '22 checks', milliseconds: 41 });
    setJobs(jobs.filter(({ id }) => id !== job.id));
    progress({
      kind: 'finished',
      instance: job.instance,
      outcome: {
        opened: 9,
        still_open: 0,
        fixed: 0,
        gone: 0,
        not_rechecked: 0,
        verdicts: { pass: 12, fail: 9, not_applicable: 0, not_evaluated: partial ? 2 : 1, manual: 0, observed: 0 },
      },
    });
  }

  /** The stages of a sign-in through somebody else. */
  async function stages(strategy: string, host: string, job: string, progress: Listener): Promise<void> {
    const stage = async (name: string, title: string, at: string, until: string | null = null) => {
      progress({ kind: 'sign_in', stage: name, title, host: at, until });
      await wait();
    };
    const later = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    if (strategy === 'okta') {
      const okta = 'haldenmoor.okta.com';
      await stage('organization', 'finding the organization', okta);
      await stage('who_signs_in', 'finding where the user signs in', okta);
      await stage('start', 'the application’s sign-in page', host);
      await stage('password', 'user and password', okta);
      await stage('one_time_code', 'the one-time code', okta);
      await stage('one_time_code', 'waiting for the next one-time code', '', later(pace === 0 ? 0 : 4));
      if (pace > 0) await new Promise((done) => setTimeout(done, 4000));
      await stage('application', 'the way back to the application', host);
    }
    if (strategy === 'authorization_code' || strategy === 'device_code') {
      await stage('browser', 'signing in in the browser', 'login.salesforce.com');
      const code = strategy === 'device_code' ? 'WDJB-MJHT' : null;
      progress({ kind: 'visit', address: code ? 'https://login.salesforce.com/setup/connect' : 'https://login.salesforce.com/services/oauth2/authorize?client_id=3MVG9', code, until: later(900) });
      for (let step = 0; step < 20 && !cancelled.has(job); step += 1) await wait();
      if (cancelled.has(job)) throw failure('E-CANCELLED', 'Stopped at your request.', 'Connect again when you want to.');
    }
    if (strategy === 'entra_browser' || strategy === 'entra_device_code') {
      await stage('browser', 'signing in in the browser', 'login.microsoftonline.com');
      const code = strategy === 'entra_device_code' ? 'H7KM2QXTD' : null;
      progress({ kind: 'visit', address: code ? 'https://microsoft.com/devicelogin' : 'https://login.microsoftonline.com/haldenmoor.example/oauth2/v2.0/authorize?client_id=11111111', code, until: later(900) });
      for (let step = 0; step < 20 && !cancelled.has(job); step += 1) await wait();
      if (cancelled.has(job)) throw failure('E-CANCELLED', 'Stopped at your request.', 'Connect again when you want to.');
    }
    if (strategy === 'client_credentials' || strategy.startsWith('entra_')) await stage('token', 'exchanging the credential for a token', host);
  }

  /** Format, host and sign-in; rejects when the invented key holds the word "wrong". */
  async function signIn(values: Map<string, string>, host: string, progress: Listener, strategy = 'bearer', job = ''): Promise<void> {
    progress({ kind: 'step', step: 'format', state: 'done', detail: 'EU pod, expires 14 Jan 2027', milliseconds: 0 });
    progress({ kind: 'step', step: 'host', state: 'running', detail: host, milliseconds: 0 });
    await wait();
    const secret = [...values.values()].join(' ');
    if (secret.includes('untrusted')) {
      progress({ kind: 'step', step: 'host', state: 'failed', detail: host, milliseconds: 84 });
      throw failure(
        'E-TLS-UNKNOWN-CA',
        `The connection to ${host} is not trusted. Its certificate was issued by “HM Corporate Proxy CA 2”, which this computer does not know.`,
        'Add that CA’s certificate under Network; the key was not sent.',
        'extra_roots_pem',
      );
    }
    progress({ kind: 'step', step: 'host', state: 'done', detail: host, milliseconds: 84 });
    progress({ kind: 'step', step: 'sign_in', state: 'running', detail: '', milliseconds: 0 });
    await wait();
    if (strategy === 'okta' && secret.includes('refused')) {
      progress({ kind: 'sign_in', stage: 'password', title: 'user and password', host: 'haldenmoor.okta.com', until: null });
      throw failure(
        'E-SIGN-IN-REFUSED',
        'Signing in failed at user and password: Okta does not accept them (E0000004, oaeX8Dbi1TT3S).',
        'Sign in to Okta by hand as this user. Nothing is tried a second time, so that the account is not locked.',
        'password',
      );
    }
    await stages(strategy, host, job, progress);
    if (secret.includes('wrong')) {
      progress({ kind: 'step', step: 'sign_in', state: 'failed', detail: '', milliseconds: 131 });
      throw failure(
        'E-AUTH-REFUSED',
        'Kustomer refused the key (401). It may have expired, or belong to another region.',
        'Choose another region, or create a new key.',
        'api_key',
      );
    }
    progress({ kind: 'step', step: 'sign_in', state: 'done', detail: 'Machine user posture-reader', milliseconds: 131 });
  }

  return {
    async start() {
      return start();
    },
    async firstStart(protection) {
      await wait();
      if (protection === 'keychain' && start().keychain.kind !== 'usable') throw noKeychain;
      state = { kind: 'ready', protection };
      offered = false;
      return { groups: ['K7QM', '2XTD', 'H9PA', 'WB4R', 'N6YE', 'C3VF', 'J8LS', 'Z5GU'] };
    },
    async unlock(passphrase) {
      await wait();
      if (passphrase.includes('wrong')) {
        throw failure('E-PASSPHRASE', 'The passphrase is not the one that was set.', 'Type it again, or use the recovery key.', 'passphrase');
      }
      state = { kind: 'ready', protection: 'passphrase' };
      return start();
    },
    async recover(recoveryKey) {
      await wait();
      if (recoveryKey.replaceAll(/[^A-Z0-9]/gi, '').length < 32) {
        throw failure('E-RECOVERY-KEY', 'The recovery key has eight groups of four characters; this has fewer.', 'Type all eight groups.', 'recovery_key');
      }
      state = { kind: 'ready', protection: 'keychain' };
      return start();
    },
    async lock() {
      state = { kind: 'locked', protection: 'passphrase' };
      return start();
    },
    async setPreference(key, value) {
      preferences.set(key, value);
    },
    async seen() {},
    async openLink(url) {
      if (!url.startsWith('https://')) throw failure('E-LINK', `${url} is not a page of this application.`, 'Open it by hand if you trust it.');
    },

    async tiles() {
      return tiles(all);
    },
    async application(slug) {
      return appOf(slug);
    },
    async openDraft(app, login) {
      const id = `draft-${next++}`;
      drafts.set(id, { app, login, values: new Map() });
      return id;
    },
    async checkField(draft, field, value) {
      return judge(draft, field, value);
    },
    async oneTimeCode(draft, field) {
      const key = known(drafts.get(draft)).values.get(field);
      if (key === undefined) return null;
      // Not the real code, which only the console makes; one that moves on in the same way.
      const step = Math.floor(Date.now() / 30_000);
      const code = String((step * 7919 + key.length * 104_729) % 1_000_000).padStart(6, '0');
      return { code, seconds_left: 30 - (Math.floor(Date.now() / 1000) % 30), period: 30 };
    },
    async closeDraft(draft) {
      drafts.delete(draft);
    },
    async connect(draft, request, progress) {
      const { values } = known(drafts.get(draft));
      const app = appOf(request.app);
      const region = app.logins[0]?.fields.flatMap(({ choices }) => choices).find((choice) => request.inputs.some(({ value }) => value === choice.value));
      const host = region?.host ?? 'api.github.com';
      const login = known(app.logins.find((candidate) => candidate.id === request.login));
      const adding: Job = { id: `job-${next++}`, instance: '', title: `${app.tile.name}, ${request.name}`, done: 0, host, elsewhere: null };
      setJobs([...jobs, adding]);
      try {
        await signIn(values, host, progress, login.strategy, adding.id);
      } finally {
        setJobs(jobs.filter((one) => one.id !== adding.id));
      }
      const id = `i-${next++}`;
      const invented = sandboxInstance(request.app, app.tile.name, request.name);
      all = [
        ...all,
        { ...invented, id, label: request.label, owner: request.owner, sandbox: false, health: 'unhealthy', cause: roleMissing, last_scan: ago({}) },
      ];
      chosen.set(id, login.id);
      await run({ id: `job-${next++}`, instance: id, title: `${app.tile.name}, ${request.name}`, done: 0, host, elsewhere: null }, request.app, progress, true);
      found = findAll();
      return id;
    },
    async replaceSecret(draft, instance, progress) {
      const { app, login, values } = known(drafts.get(draft));
      const { strategy } = known(appOf(app).logins.find((candidate) => candidate.id === login));
      const job = `job-${next++}`;
      const replaced = known(all.find((one) => one.id === instance));
      setJobs([...jobs, { id: job, instance, title: `${replaced.app_name}, ${replaced.name}`, done: 0, host: 'api.prod2.kustomerapp.com', elsewhere: null }]);
      try {
        await signIn(values, 'api.prod2.kustomerapp.com', progress, strategy, job);
      } finally {
        setJobs(jobs.filter((one) => one.id !== job));
      }
      all = all.map((other) => (other.id === instance ? { ...other, health: 'up', cause: null } : other));
      if (replaced.health !== 'up') {
        const turn: Turn = { instance, app_name: replaced.app_name, name: replaced.name, at: ago({}), before: replaced.health, after: 'up', cause: null };
        for (const listener of turnListeners) listener(turn);
      }
    },
    async sandboxTenants() {
      return sandboxTenants;
    },
    async addSandbox(tenants, progress) {
      offered = true;
      for (const { app, tenant } of tenants) {
        const tenantChosen = known(sandboxTenants.find((candidate) => candidate.app === app && candidate.tenant === tenant));
        const instance = sandboxInstance(app, tenantChosen.app_name, tenantChosen.name);
        await run({ id: `job-${next++}`, instance: instance.id, title: `${tenantChosen.app_name}, ${tenantChosen.name}`, done: 0, host: 'api.kustomerapp.com', elsewhere: null }, app, progress, false);
        all = [...all.filter(({ id }) => id !== instance.id), instance];
      }
      found = findAll();
    },
    async removeSandbox() {
      const gone = all.filter(({ sandbox }) => sandbox).length;
      all = all.filter(({ sandbox }) => !sandbox);
      found = findAll();
      return { scans: gone, rows: gone * 650, findings: gone * 16, evidence: gone * 40, attestations: 0 };
    },

    async instances(sandbox) {
      return all.filter((instance) => sandbox === 'with' || (sandbox === 'only') === instance.sandbox).map(shown);
    },
    async instance(id) {
      const page = instancePage(shown(known(all.find((instance) => instance.id === id))), all, chosen.get(id));
      const product = given.product(id);
      return product ? { ...page, inputs: Object.entries(product).map(([field, value]) => ({ field, value })) } : page;
    },
    async changeInstance(id, change) {
      scheduleWords(change.schedule, chosenSettings.schedule);
      all = all.map((instance) => (instance.id === id ? { ...instance, name: change.name, label: change.label, owner: change.owner, schedule: change.schedule } : instance));
      return { ...instancePage(shown(known(all.find((instance) => instance.id === id))), all, chosen.get(id)), route: change.route, answers: change.answers };
    },
    async deleteInstance(id, typedName) {
      const instance = known(all.find((candidate) => candidate.id === id));
      if (typedName !== instance.name) {
        throw failure('E-NAME-DIFFERS', `The name typed is not “${instance.name}”.`, 'Type the name exactly as it stands.', 'typed_name');
      }
      all = all.filter((candidate) => candidate.id !== id);
      found = findAll();
      return { scans: 5, rows: 650, findings: 9, evidence: 40, attestations: 0 };
    },
    async scan(instance, progress) {
      const scanned = known(all.find(({ id }) => id === instance));
      await run({ id: `job-${next++}`, instance, title: `${scanned.app_name}, ${scanned.name}`, done: 0, host: 'api.prod2.kustomerapp.com', elsewhere: null }, scanned.app, progress, scanned.health === 'unhealthy');
      all = all.map((other) => (other.id === instance ? { ...other, last_scan: ago({}) } : other));
    },
    async scanAll(sandbox) {
      const idle = all.filter((one) => (sandbox === 'with' || (sandbox === 'only') === one.sandbox) && one.health !== 'manual');
      const busy = idle.filter((one) => jobs.some((job) => job.instance === one.id));
      const asked = idle.filter((one) => !busy.includes(one));
      await Promise.all(
        asked.map((one) =>
          run({ id: `job-${next++}`, instance: one.id, title: `${one.app_name}, ${one.name}`, done: 0, host: 'api.example.com', elsewhere: null }, one.app, () => {}, one.health === 'unhealthy'),
        ),
      );
      // The token of the one that is Down is refused again.
      const failed = asked.filter((one) => one.health === 'down').length;
      all = all.map((other) => (asked.some((one) => one.id === other.id && one.health !== 'down') ? { ...other, last_scan: ago({}) } : other));
      return { complete: asked.length - failed, failed, busy: busy.length, cancelled: 0 };
    },
    async cancel(job) {
      cancelled.add(job);
      if (job === 'job-1') setJobs(jobs.filter(({ id }) => id !== job));
    },
    async jobs() {
      return jobs;
    },
    onJobs(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    onTurned(turned) {
      turnListeners.add(turned);
      return () => turnListeners.delete(turned);
    },
    // Nothing invented nears its end while somebody looks.
    onCredentialEnding: () => () => {},

    async attestations(instance) {
      return given.list(given.of(known(all.find(({ id }) => id === instance))));
    },
    async attestationsDue(sandbox) {
      return given.due(sandbox);
    },
    async attest(attestation, file) {
      await wait(0.2);
      const check = given.attest(attestation, file);
      found = findAll();
      return check;
    },
    async withdrawAttestation(id, reason) {
      const check = given.withdraw(id, reason);
      found = findAll();
      return check;
    },
    async saveAttestationFile() {
      return '~/network-settings.pdf';
    },
    async ownChecks(instance) {
      return given.own(instance);
    },
    async saveOwnCheck(instance, check) {
      return given.saveOwn(instance, check);
    },
    async removeOwnCheck(instance, check) {
      given.removeOwn(instance, check);
      found = findAll();
    },
    async addManualInstance(request) {
      const app = appOf(request.app);
      const instance = manualInstance(`i-${next++}`, request.app, app.tile.name, request);
      all = [...all, instance];
      given.setProduct(instance.id, { product: request.product, console_url: request.console_url });
      return withAttested(instance);
    },
    async changeManualInstance(id, request) {
      all = all.map((one) => (one.id === id ? { ...one, name: request.name, label: request.label, owner: request.owner } : one));
      given.setProduct(id, { product: request.product, console_url: request.console_url });
      return withAttested(known(all.find((one) => one.id === id)));
    },

    async dismiss(dismissal) {
      await wait(0.2);
      return decided.dismiss(dismissal, shownFindings());
    },
    async overrideCheck(wanted) {
      return decided.override(wanted);
    },
    async lockCheck(wanted) {
      return decided.lock(wanted);
    },
    async unmonitor(wanted) {
      return decided.unmonitor(wanted);
    },
    async undoDecision(id) {
      return decided.undo(id);
    },
    async ignoreAccount(wanted) {
      return decided.ignore(wanted);
    },
    async decisions(query) {
      return decided.list(query);
    },

    async coverage(slug) {
      return coverage(appOf(slug).tile, null);
    },
    async instanceCoverage(id) {
      return coverage(appOf(known(all.find((one) => one.id === id)).app).tile, id);
    },
    async permissions(id) {
      const instance = known(all.find((one) => one.id === id));
      const application = appOf(instance.app);
      const login = chosen.get(id) ?? application.logins[0]?.id ?? '';
      return permissions(id, instance.app, datasetStates(application, login, instance.health === 'unhealthy'));
    },

    async overview(sandbox) {
      return overview(all.map(shown), shownFindings(), sandbox);
    },
    async findings(query) {
      await wait(0.2);
      return findingList(shownFindings(), query);
    },
    async finding(id) {
      const finding = decided.finding(known(found.find((one) => one.id === id)));
      const check = all.flatMap((instance) => given.of(instance)).find((one) => one.finding === id);
      return check ? attestedPage(finding, check) : decided.page(findingPage(finding));
    },
    async changes(query) {
      await wait(0.2);
      return changesOf(all.map(shown), shownFindings(), query);
    },
    async completeScans(instance) {
      return completeScans(known(all.find(({ id }) => id === instance)));
    },
    async settingChanges(before, after) {
      return settingChanges(before, after);
    },
    async rowChanges(_before, _after, dataset, slice) {
      return rowChanges(dataset, slice);
    },
    async postureAt(query) {
      await wait(0.2);
      return pastPosture(all.map(shown), found, query);
    },
    async exportChanges(query, format) {
      return { path: `~/changes.${format}`, findings: changesOf(all.map(shown), shownFindings(), query).total };
    },
    async exportFindings(query, format) {
      const name = { csv: 'findings.csv', json: 'findings.json', html: 'findings.html', ocsf: 'findings-ocsf.json', oscal: 'findings-oscal.json' }[format];
      return { path: `~/${name}`, findings: findingList(shownFindings(), query).total };
    },
    async rules(sandbox) {
      return controls.rules(sandbox === 'only');
    },
    async rule(sandbox, id) {
      return known(controls.rule(sandbox === 'only', id));
    },
    async compliance(sandbox) {
      return controls.frameworks(sandbox === 'only');
    },
    async framework(sandbox, id) {
      return known(controls.framework(sandbox === 'only', id));
    },
    async frameworkControl(sandbox, framework, control) {
      return known(controls.control(sandbox === 'only', framework, control));
    },
    async exportFramework(sandbox, id, format) {
      return { path: `~/${id}.${format}`, controls: known(controls.framework(sandbox === 'only', id)).controls.length };
    },
    async accounts(instance, query) {
      const list = inventory.accounts(known(all.find(({ id }) => id === instance)), query);
      return { ...list, rows: list.rows.map((row) => ({ ...row, ignored: decided.ignoredBy(instance, row.id) })) };
    },
    async account(instance, id) {
      const page = known(inventory.account(known(all.find((one) => one.id === instance)), id));
      return { ...page, account: { ...page.account, ignored: decided.ignoredBy(instance, id) } };
    },
    async plugins(instance, query) {
      return inventory.plugins(known(all.find(({ id }) => id === instance)), query);
    },
    async plugin(instance, id) {
      return known(inventory.plugin(known(all.find((one) => one.id === instance)), id));
    },
    async setInventoryThresholds(instance, thresholds) {
      const wrong = Object.entries(thresholds).find(([, days]) => !Number.isInteger(days) || days < 1 || days > 3650);
      if (wrong) throw failure('E-THRESHOLD', 'A threshold is a number of days from 1 to 3650.', 'Correct the number.', wrong[0]);
      return inventory.set(instance, thresholds);
    },
    async exportAccounts(instance, query, format) {
      return { path: `~/accounts.${format}`, items: inventory.accounts(known(all.find(({ id }) => id === instance)), query).head.total };
    },
    async exportPlugins(instance, query, format) {
      return { path: `~/plugins.${format}`, items: inventory.plugins(known(all.find(({ id }) => id === instance)), query).head.total };
    },
    async accountsEverywhere(query) {
      await wait(0.2);
      return fleet.accounts(query);
    },
    async pluginsEverywhere(query) {
      await wait(0.2);
      return fleet.plugins(query);
    },
    async identities(query) {
      await wait(0.2);
      return fleet.identities(query);
    },
    async pluginUsers(text, sandbox, slice) {
      return fleet.users(text, sandbox, slice);
    },
    async setAccountIdentity(instance, account, identity) {
      known(inventory.account(known(all.find((one) => one.id === instance)), account));
      fleet.give(instance, account, identity);
    },
    async setPluginReviewed(instance, plugin, reviewed) {
      known(inventory.plugin(known(all.find((one) => one.id === instance)), plugin));
      fleet.review(instance, plugin, reviewed);
    },
    async exportAccountsEverywhere(query, format) {
      return { path: `~/accounts.${format}`, items: fleet.accounts(query).total };
    },
    async exportPluginsEverywhere(query, format) {
      return { path: `~/plugins.${format}`, items: fleet.plugins(query).total };
    },
    async requests(instance, slice) {
      return requests(instance, slice);
    },
    async activity(slice) {
      return activity(slice);
    },
    async activityHead() {
      return activityHead();
    },
    async saveActivityHead() {
      return '~/posture-console-activity-head.json';
    },
    async verifyActivity(againstFile) {
      await wait();
      const now = activityHead();
      const sentence = againstFile
        ? `The head of 21 Nov is among the ${now.acts} acts; none of those before it was changed or removed.`
        : `Each of the ${now.acts} acts links to the one before it.`;
      return { now, holds: true, sentence };
    },

    async settings() {
      return chosenSettings;
    },
    async changeSettings(changed) {
      scheduleWords(changed.schedule, chosenSettings.schedule);
      const fault = settingsFault(changed);
      if (fault) throw fault;
      chosenSettings = changed;
      return chosenSettings;
    },
    async scheduleWords(choice) {
      return scheduleWords(choice, chosenSettings.schedule);
    },
    async closeWindow() {},
    async desktop() {
      return { stays: chosenSettings.keep_running, starts_at_login: atLogin };
    },
    async startAtLogin(wanted) {
      atLogin = wanted;
      return { stays: chosenSettings.keep_running, starts_at_login: atLogin };
    },
    async about() {
      return { applications: 70, catalog_folder: null, catalog_place: '~/.config/posture-console/catalog', schema: 5 };
    },
    async licences() {
      return [
        { name: 'rustls', version: '0.23.46', licence: 'Apache-2.0 OR ISC OR MIT' },
        { name: 'svelte', version: '5.57.3', licence: 'MIT' },
        { name: 'tauri', version: '2.12.5', licence: 'Apache-2.0 OR MIT' },
      ];
    },
    async updateState() {
      return updating;
    },
    async lookForUpdate() {
      await wait();
      updating = { kind: 'newer', host: 'updates.example.com', version: '0.2.0', notes: 'Findings across instances.\nSaved views.' };
      return updating;
    },
    async installUpdate(progress) {
      updating = { kind: 'downloading', version: '0.2.0' };
      for (let part = 1; part <= 4; part += 1) {
        await wait();
        progress({ bytes: part * 8_000_000, of: 32_000_000 });
      }
      updating = { kind: 'installed', version: '0.2.0' };
    },
    async cancelUpdate() {},
    async startAgain() {},
    async digest(day) {
      await wait();
      const found = day === null ? (told[0] ?? { ...quietDigest(), stored: false }) : told.find((one) => one.day === day);
      if (!found) throw failure('E-NOT-FOUND', `There is no digest of ${day ?? 'today'}.`, 'Choose one of the list: a hundred days are kept.');
      return found;
    },
    async digests() {
      await wait();
      return told.map(digestDay);
    },
    async saveDigest(day) {
      await wait();
      return `~/posture-digest-${day ?? told[0]?.day ?? '2026-11-21'}.html`;
    },
    async sendDigest() {
      await wait();
      if (mailing.settings === null) {
        throw failure('E-MAIL-NOT-SET', 'No mail server is set, so nothing was sent.', 'Set it in Settings, Daily digest, or with `posture mail set`.');
      }
      const sent: Digest = { ...(told[0] ?? digest()), mailed_at: new Date().toISOString(), mail_failure: null };
      told = [sent, ...told.slice(1)];
      return sent;
    },
    async mail() {
      await wait();
      return mailing;
    },
    async setMail(set, password) {
      await wait();
      const same = mailing.settings?.host === set.host && mailing.settings.port === set.port && mailing.settings.user === set.user;
      const fault = mailFault(set, (password ?? '') !== '' || (same && mailing.password_set_at !== null));
      if (fault) throw fault;
      mailing = { settings: set, password_set_at: set.user === '' ? null : password === null ? mailing.password_set_at : new Date().toISOString() };
      return mailing;
    },
    async testMail() {
      await wait();
      return { recipients: mailing.settings?.recipients.length ?? 0, refused: [] };
    },
    async removeMail() {
      await wait();
      mailing = noMail();
    },
    async backUp() {
      await wait();
      const opens =
        'Its keys are not in it: it opens on this computer, for the user whose keychain holds them; elsewhere the recovery key opens everything but the credentials, which are then entered again.';
      return { path: '~/posture-backup-2026-11-22.tar', bytes: 48_300_000, opens };
    },
    async archiveInstance(id) {
      await wait();
      return { path: `~/posture-archive-${id}.json`, findings: 12 };
    },
    async restore() {
      await wait();
      state = { kind: 'ready', protection: 'keychain' };
      offered = true;
      return start();
    },
    async erase(words) {
      await wait();
      if (words.trim() !== 'erase everything') throw failure('E-ERASE-WORDS', 'Nothing was erased: the words are not right.', 'Type "erase everything".');
      state = { kind: 'first_start' };
      offered = false;
      return { folder: '~/.local/share/posture-console', left: [], start: start() };
    },
  };
}

/** In a browser the address says how the invented console begins: `?start=first_start`, `locked`, `blocked`, `empty`. */
function fromAddress(): Invented {
  const asked = new URLSearchParams(location.search);
  const kind = asked.get('start');
  const preferences = ['theme', 'density'].flatMap((key) => {
    const value = asked.get(key);
    return value === null ? [] : [{ key, value: JSON.stringify(value) }];
  });
  const common: Invented = { idle: asked.get('jobs') === 'none', pace: Number(asked.get('pace') ?? 350), preferences, keychain: asked.get('keychain') === 'absent' ? 'absent' : 'usable' };
  switch (kind) {
    case 'first_start':
      return { ...common, start: { kind: 'first_start' }, empty: true, offered: false };
    case 'locked':
      return { ...common, start: { kind: 'locked', protection: 'passphrase' } };
    case 'blocked':
      return {
        ...common,
        start: {
          kind: 'blocked',
          failure: failure(
            'E-KEYCHAIN-LOST',
            'The keychain no longer holds the key of the database. Everything stored is whole, but sealed.',
            'Give the recovery key that was shown at first start, or bring the keychain back.',
          ),
          recovery: true,
        },
      };
    case 'empty':
      return { ...common, empty: true };
    default:
      return common;
  }
}

export const backend: Backend = mockBackend(fromAddress());
