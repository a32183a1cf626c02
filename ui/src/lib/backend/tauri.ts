import { Channel } from '@tauri-apps/api/core';
import type { Backend, Downloaded, Failure, FieldState, Listener, Progress, RecoveryKeyShown, Sealed } from './backend';
import { commands, events } from './bindings';
import { expectAnswer, seal } from './sealed';

type Answer<T> = { status: 'ok'; data: T } | { status: 'error'; error: Failure };

/** A promise that rejects with the failure, as every other promise does. */
async function or<T>(asked: Promise<Answer<T>>): Promise<T> {
  const answer = await asked;
  if (answer.status === 'error') throw answer.error;
  return answer.data;
}

/** The same, where there is nothing to answer. */
async function done(asked: Promise<Answer<null>>): Promise<void> {
  await or(asked);
}

function channel(listener: Listener): Channel<Progress> {
  const progress = new Channel<Progress>();
  progress.onmessage = listener;
  return progress;
}

/** A typed text, sealed for the console. */
async function sealed(text: string): Promise<Sealed> {
  return seal(text, await or(commands.sealingKey()));
}

let lastCheck: Promise<unknown> = Promise.resolve();

/** Typed values arrive in the order in which they were typed, however long each takes to be sealed. */
function checkField(draft: string, field: string, value: string): Promise<FieldState> {
  const check = lastCheck.then(async () => or(commands.checkField(draft, field, await sealed(value))));
  lastCheck = check.catch(() => {});
  return check;
}

async function firstStart(...[protection, passphrase]: Parameters<Backend['firstStart']>): Promise<RecoveryKeyShown> {
  const expected = await expectAnswer();
  const typed = passphrase === null ? null : await sealed(passphrase);
  const answer = await or(commands.firstStart(protection, typed, expected.key));
  return JSON.parse(await expected.open(answer)) as RecoveryKeyShown;
}

/** The console behind the window. */
export const tauriBackend: Backend = {
  start: () => or(commands.start()),
  firstStart,
  unlock: async (passphrase) => or(commands.unlock(await sealed(passphrase))),
  recover: async (recoveryKey) => or(commands.recover(await sealed(recoveryKey))),
  lock: () => or(commands.lock()),
  setPreference: (key, value) => done(commands.setPreference(key, value)),
  seen: () => done(commands.seen()),
  openLink: (url) => done(commands.openLink(url)),

  tiles: () => or(commands.tiles()),
  application: (slug) => or(commands.application(slug)),
  openDraft: (app, login) => or(commands.openDraft(app, login)),
  checkField,
  oneTimeCode: (draft, field) => or(commands.oneTimeCode(draft, field)),
  closeDraft: (draft) => commands.closeDraft(draft),
  connect: (draft, request, progress) => or(commands.connect(draft, request, channel(progress))),
  replaceSecret: (draft, instance, progress) => done(commands.replaceSecret(draft, instance, channel(progress))),
  sandboxTenants: () => or(commands.sandboxTenants()),
  addSandbox: (tenants, progress) => done(commands.addSandbox(tenants, channel(progress))),
  removeSandbox: () => or(commands.removeSandbox()),

  instances: (sandbox) => or(commands.instances(sandbox)),
  instance: (id) => or(commands.instance(id)),
  changeInstance: (id, change) => or(commands.changeInstance(id, change)),
  deleteInstance: (id, typedName) => or(commands.deleteInstance(id, typedName)),
  scan: (instance, progress) => done(commands.scan(instance, channel(progress))),
  scanAll: (sandbox) => or(commands.scanAll(sandbox)),
  cancel: (job) => commands.cancel(job),
  jobs: () => commands.jobs(),
  onJobs(changed) {
    const heard = events.jobsChanged.listen((event) => changed(event.payload));
    return () => void heard.then((end) => end());
  },
  onTurned(turned) {
    const heard = events.turned.listen((event) => turned(event.payload));
    return () => void heard.then((end) => end());
  },
  onCredentialEnding(ending) {
    const heard = events.credentialEnding.listen((event) => ending(event.payload));
    return () => void heard.then((end) => end());
  },

  attestations: (instance) => or(commands.attestations(instance)),
  attestationsDue: (sandbox) => or(commands.attestationsDue(sandbox)),
  attest: (attestation, file) => or(commands.attest(attestation, file)),
  withdrawAttestation: (id, reason) => or(commands.withdrawAttestation(id, reason)),
  saveAttestationFile: (id) => or(commands.saveAttestationFile(id)),
  ownChecks: (instance) => or(commands.ownChecks(instance)),
  saveOwnCheck: (instance, check) => or(commands.saveOwnCheck(instance, check)),
  removeOwnCheck: (instance, check) => done(commands.removeOwnCheck(instance, check)),
  addManualInstance: (request) => or(commands.addManualInstance(request)),
  changeManualInstance: (id, request) => or(commands.changeManualInstance(id, request)),

  dismiss: (dismissal) => or(commands.dismiss(dismissal)),
  overrideCheck: (wanted) => or(commands.overrideCheck(wanted)),
  lockCheck: (wanted) => or(commands.lockCheck(wanted)),
  unmonitor: (wanted) => or(commands.unmonitor(wanted)),
  undoDecision: (id) => or(commands.undoDecision(id)),
  ignoreAccount: (wanted) => or(commands.ignoreAccount(wanted)),
  decisions: (query) => or(commands.decisions(query)),

  coverage: (slug) => or(commands.coverage(slug)),
  instanceCoverage: (id) => or(commands.instanceCoverage(id)),
  permissions: (id) => or(commands.permissions(id)),

  overview: (sandbox) => or(commands.overview(sandbox)),
  findings: (query) => or(commands.findings(query)),
  finding: (id) => or(commands.finding(id)),
  changes: (query) => or(commands.changes(query)),
  completeScans: (instance) => or(commands.completeScans(instance)),
  settingChanges: (before, after) => or(commands.settingChanges(before, after)),
  rowChanges: (before, after, dataset, slice) => or(commands.rowChanges(before, after, dataset, slice)),
  postureAt: (query) => or(commands.postureAt(query)),
  exportChanges: (query, format) => or(commands.exportChanges(query, format)),
  exportFindings: (query, format) => or(commands.exportFindings(query, format)),
  rules: (sandbox) => or(commands.rules(sandbox)),
  rule: (sandbox, id) => or(commands.rule(sandbox, id)),
  compliance: (sandbox) => or(commands.compliance(sandbox)),
  framework: (sandbox, id) => or(commands.framework(sandbox, id)),
  frameworkControl: (sandbox, framework, control) => or(commands.frameworkControl(sandbox, framework, control)),
  exportFramework: (sandbox, id, format) => or(commands.exportFramework(sandbox, id, format)),
  accounts: (instance, query) => or(commands.accounts(instance, query)),
  account: (instance, id) => or(commands.account(instance, id)),
  plugins: (instance, query) => or(commands.plugins(instance, query)),
  plugin: (instance, id) => or(commands.plugin(instance, id)),
  setInventoryThresholds: (instance, thresholds) => or(commands.setInventoryThresholds(instance, thresholds)),
  exportAccounts: (instance, query, format) => or(commands.exportAccounts(instance, query, format)),
  exportPlugins: (instance, query, format) => or(commands.exportPlugins(instance, query, format)),
  accountsEverywhere: (query) => or(commands.accountsEverywhere(query)),
  pluginsEverywhere: (query) => or(commands.pluginsEverywhere(query)),
  identities: (query) => or(commands.identities(query)),
  pluginUsers: (text, sandbox, slice) => or(commands.pluginUsers(text, sandbox, slice)),
  setAccountIdentity: (instance, account, identity) => done(commands.setAccountIdentity(instance, account, identity)),
  setPluginReviewed: (instance, plugin, reviewed) => done(commands.setPluginReviewed(instance, plugin, reviewed)),
  exportAccountsEverywhere: (query, format) => or(commands.exportAccountsEverywhere(query, format)),
  exportPluginsEverywhere: (query, format) => or(commands.exportPluginsEverywhere(query, format)),
  requests: (instance, slice) => or(commands.requests(instance, slice)),
  activity: (slice) => or(commands.activity(slice)),
  activityHead: () => or(commands.activityHead()),
  saveActivityHead: () => or(commands.saveActivityHead()),
  verifyActivity: (againstFile) => or(commands.verifyActivity(againstFile)),

  settings: () => or(commands.settings()),
  changeSettings: (settings) => or(commands.changeSettings(settings)),
  scheduleWords: (choice) => or(commands.scheduleWords(choice)),
  closeWindow: () => commands.closeWindow(),
  desktop: () => commands.desktop(),
  startAtLogin: (wanted) => or(commands.startAtLogin(wanted)),
  about: () => or(commands.about()),
  licences: () => commands.licences(),
  updateState: () => or(commands.updateState()),
  lookForUpdate: () => or(commands.lookForUpdate()),
  installUpdate(progress) {
    const downloaded = new Channel<Downloaded>();
    downloaded.onmessage = progress;
    return done(commands.installUpdate(downloaded));
  },
  cancelUpdate: () => commands.cancelUpdate(),
  startAgain: () => commands.startAgain(),
  digest: (day) => or(commands.digest(day)),
  digests: () => or(commands.digests()),
  saveDigest: (day) => or(commands.saveDigest(day)),
  sendDigest: () => or(commands.sendDigest()),
  mail: () => or(commands.mail()),
  setMail: async (settings, password) => or(commands.setMail(settings, password === null ? null : await sealed(password))),
  testMail: () => or(commands.testMail()),
  removeMail: () => done(commands.removeMail()),
  backUp: () => or(commands.backUp()),
  archiveInstance: (id) => or(commands.archiveInstance(id)),
  restore: () => or(commands.restore()),
  erase: (words) => or(commands.erase(words)),
};

export { tauriBackend as backend };
