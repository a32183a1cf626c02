import { createContext } from 'svelte';
import type * as T from './bindings';

export type * from './bindings';

/** Hears of a running job, event by event. */
export type Listener = (event: T.Progress) => void;

/**
 * Everything the window can ask of the console. Each promise rejects with a `Failure` and nothing else.
 * Screens take it from the context, so that tests and a browser can run them on invented data.
 */
export interface Backend {
  start(): Promise<T.Start>;
  firstStart(protection: T.Protection, passphrase: string | null): Promise<T.RecoveryKeyShown>;
  unlock(passphrase: string): Promise<T.Start>;
  recover(recoveryKey: string): Promise<T.Start>;
  lock(): Promise<T.Start>;
  setPreference(key: string, value: string): Promise<void>;
  /** Marks the present time as the last visit. */
  seen(): Promise<void>;
  /** Opens the system browser; refused for hosts that the catalog does not link to. */
  openLink(url: string): Promise<void>;

  tiles(): Promise<T.Tile[]>;
  application(slug: string): Promise<T.Application>;
  /** Begins a dialog; what is typed into secret fields is held by it, on the other side, until it is closed. */
  openDraft(app: string, login: string): Promise<string>;
  checkField(draft: string, field: string, value: string): Promise<T.FieldState>;
  /** The one-time code that a secret field of the draft makes now; `null` while it holds no right key. */
  oneTimeCode(draft: string, field: string): Promise<T.OneTimeCode | null>;
  closeDraft(draft: string): Promise<void>;
  /** Stores nothing before sign-in succeeded. Answers the instance's id. */
  connect(draft: string, request: T.AddInstance, progress: Listener): Promise<string>;
  replaceSecret(draft: string, instance: string, progress: Listener): Promise<void>;
  sandboxTenants(): Promise<T.SandboxTenant[]>;
  /** An empty list remembers "not now". */
  addSandbox(tenants: T.TenantChoice[], progress: Listener): Promise<void>;
  removeSandbox(): Promise<T.Deleted>;

  instances(sandbox: T.SandboxScope): Promise<T.Instance[]>;
  instance(id: string): Promise<T.InstancePage>;
  changeInstance(id: string, change: T.InstanceChange): Promise<T.InstancePage>;
  deleteInstance(id: string, typedName: string): Promise<T.Deleted>;
  scan(instance: string, progress: Listener): Promise<void>;
  /** Answers when the last scan has ended; none of them failing fails it. */
  scanAll(sandbox: T.SandboxScope): Promise<T.ScannedMany>;
  cancel(job: string): Promise<void>;
  jobs(): Promise<T.Job[]>;
  /** Calls back with every change of the jobs under way; the answer ends it. */
  onJobs(changed: (jobs: T.Job[]) => void): () => void;
  /** Calls back when the health of an instance became another; the answer ends it. */
  onTurned(turned: (turn: T.Turn) => void): () => void;
  /** Calls back when the credential of an instance nears its end, once for each of the days at which that is told; the answer ends it. */
  onCredentialEnding(ending: (ending: T.CredentialNearsEnd) => void): () => void;

  /** The manual checks of an instance, what is due first. */
  attestations(instance: string): Promise<T.AttestationList>;
  /** Manual checks of all instances that are due or will be soon; the counts are of all. */
  attestationsDue(sandbox: T.SandboxScope): Promise<T.AttestationList>;
  attest(attestation: T.NewAttestation, file: T.FileToAttach | null): Promise<T.ManualCheck>;
  /** Only the last one of a check; the one before it then holds again. */
  withdrawAttestation(id: string, reason: string): Promise<T.ManualCheck>;
  /** Where it was written; `null` when the save dialog was cancelled. */
  saveAttestationFile(id: string): Promise<string | null>;
  ownChecks(instance: string): Promise<T.OwnCheck[]>;
  saveOwnCheck(instance: string, check: T.OwnCheckDraft): Promise<T.OwnCheck>;
  removeOwnCheck(instance: string, check: string): Promise<void>;
  /** Adds an instance that nobody signs in to, of an application without login options. */
  addManualInstance(request: T.ManualInstance): Promise<T.Instance>;
  changeManualInstance(id: string, request: T.ManualInstance): Promise<T.Instance>;

  /** Until a day, in one transaction; what cannot be dismissed is told. */
  dismiss(dismissal: T.NewDismissal): Promise<T.Dismissed>;
  /** Judged at once by what was read last, as are the next three. */
  overrideCheck(wanted: T.NewOverride): Promise<T.Decision>;
  lockCheck(wanted: T.NewLock): Promise<T.Decision>;
  unmonitor(wanted: T.NewUnmonitor): Promise<T.Decision>;
  undoDecision(id: string): Promise<T.Decision>;
  /** For 7 or 30 days. */
  ignoreAccount(wanted: T.NewIgnore): Promise<T.Decision>;
  /** Newest first. */
  decisions(query: T.DecisionQuery): Promise<T.DecisionList>;

  /** What looks at each control of an application. */
  coverage(slug: string): Promise<T.Coverage>;
  /** The same with the login option of an instance. */
  instanceCoverage(id: string): Promise<T.Coverage>;
  /** What the credential of an instance could read in the last complete scan; asks nobody. */
  permissions(id: string): Promise<T.Permissions>;

  overview(sandbox: T.SandboxScope): Promise<T.Overview>;
  findings(query: T.FindingQuery): Promise<T.FindingList>;
  finding(id: string): Promise<T.FindingPage>;
  /** What became of findings between two moments. */
  changes(query: T.ChangeQuery): Promise<T.Changes>;
  /** Newest first. */
  completeScans(instance: string): Promise<T.ScanMark[]>;
  /** What differs between the rows of two scans of one instance, by dataset. */
  settingChanges(before: string, after: string): Promise<T.SettingChanges>;
  rowChanges(before: string, after: string, dataset: string, slice: T.Slice): Promise<T.RowChangeList>;
  /** How things stood at the end of a past day. */
  postureAt(query: T.PastQuery): Promise<T.PastPosture>;
  /** `null` when the save dialog was cancelled. */
  exportChanges(query: T.ChangeQuery, format: T.ExportFormat): Promise<T.ChangesExported | null>;
  /** `null` when the save dialog was cancelled. */
  exportFindings(query: T.FindingQuery, format: T.FindingFormat): Promise<T.Exported | null>;
  /** One rule for each control of the SSCF, over all instances. */
  rules(sandbox: T.SandboxScope): Promise<T.RuleList>;
  rule(sandbox: T.SandboxScope, id: string): Promise<T.RulePage>;
  /** Every framework that checks refer to. */
  compliance(sandbox: T.SandboxScope): Promise<T.FrameworkList>;
  framework(sandbox: T.SandboxScope, id: string): Promise<T.FrameworkPage>;
  frameworkControl(sandbox: T.SandboxScope, framework: string, control: string): Promise<T.ControlPage>;
  /** `null` when the save dialog was cancelled. */
  exportFramework(sandbox: T.SandboxScope, id: string, format: T.ComplianceFormat): Promise<T.ComplianceExported | null>;
  /** Accounts of an instance, as the last complete scan found them. */
  accounts(instance: string, query: T.InventoryQuery): Promise<T.AccountList>;
  account(instance: string, id: string): Promise<T.AccountPage>;
  plugins(instance: string, query: T.InventoryQuery): Promise<T.PluginList>;
  plugin(instance: string, id: string): Promise<T.PluginPage>;
  /** From when on something is a risk; applied to what was read at once. */
  setInventoryThresholds(instance: string, thresholds: T.InventoryThresholds): Promise<T.InventoryThresholds>;
  /** `null` when the save dialog was cancelled. */
  exportAccounts(instance: string, query: T.InventoryQuery, format: T.ExportFormat): Promise<T.InventoryExported | null>;
  exportPlugins(instance: string, query: T.InventoryQuery, format: T.ExportFormat): Promise<T.InventoryExported | null>;
  /** Accounts of all instances, each as the last complete scan of its instance found it. */
  accountsEverywhere(query: T.FleetQuery): Promise<T.FleetAccounts>;
  pluginsEverywhere(query: T.FleetQuery): Promise<T.FleetPlugins>;
  /** Accounts that belong together: by their address, or because somebody said so. */
  identities(query: T.IdentityQuery): Promise<T.IdentityList>;
  /** Who granted or installed plugins, worst first. */
  pluginUsers(text: string, sandbox: T.SandboxScope, slice: T.Slice): Promise<T.PluginUserList>;
  /** Says whose an account is: the key of an identity, an empty one for nobody else's, `null` for what its address says. */
  setAccountIdentity(instance: string, account: string, identity: string | null): Promise<void>;
  setPluginReviewed(instance: string, plugin: string, reviewed: boolean): Promise<void>;
  /** `null` when the save dialog was cancelled. */
  exportAccountsEverywhere(query: T.FleetQuery, format: T.ExportFormat): Promise<T.InventoryExported | null>;
  exportPluginsEverywhere(query: T.FleetQuery, format: T.ExportFormat): Promise<T.InventoryExported | null>;
  requests(instance: string | null, slice: T.Slice): Promise<T.RequestList>;
  activity(slice: T.Slice): Promise<T.ActList>;
  activityHead(): Promise<T.ActivityHead>;
  /** Where it was written; `null` when the save dialog was cancelled. */
  saveActivityHead(): Promise<string | null>;
  /** Reads the chain of acts again, against a head that was saved if so asked; `null` when the open dialog was cancelled. */
  verifyActivity(againstFile: boolean): Promise<T.ActivityProof | null>;

  settings(): Promise<T.Settings>;
  changeSettings(settings: T.Settings): Promise<T.Settings>;
  /** Rejects with the field `pattern` when the pattern is wrong. */
  scheduleWords(choice: T.ScheduleChoice): Promise<T.ScheduleWords>;
  /** As by its frame: the console ends, or stays in the tray where the settings say so. */
  closeWindow(): Promise<void>;
  /** What this computer's desktop offers and does. */
  desktop(): Promise<T.Desktop>;
  startAtLogin(wanted: boolean): Promise<T.Desktop>;
  about(): Promise<T.About>;
  licences(): Promise<T.Licence[]>;
  /** Asks nobody. */
  updateState(): Promise<T.UpdateState>;
  lookForUpdate(): Promise<T.UpdateState>;
  /** Downloads and installs the version that was found last; the console has to be started again then. */
  installUpdate(progress: (downloaded: T.Downloaded) => void): Promise<void>;
  cancelUpdate(): Promise<void>;
  startAgain(): Promise<void>;
  /** The digest of a day; with `null` that of today, or what it would say if it were made now. */
  digest(day: string | null): Promise<T.Digest>;
  digests(): Promise<T.DigestDay[]>;
  /** Where the page was written; `null` when the save dialog was cancelled. */
  saveDigest(day: string | null): Promise<string | null>;
  /** Mails the digest of today, which is made if it is not yet. */
  sendDigest(): Promise<T.Digest>;
  mail(): Promise<T.MailState>;
  /** Without a password the one that is sealed stays, if server and user do; rejects with the field that is wrong. */
  setMail(settings: T.MailSettings, password: string | null): Promise<T.MailState>;
  testMail(): Promise<T.MailSent>;
  removeMail(): Promise<void>;
  /** `null` when the save dialog was cancelled. */
  backUp(): Promise<T.BackedUp | null>;
  /** All that is known of an instance, as a file to keep; `null` when the save dialog was cancelled. */
  archiveInstance(id: string): Promise<T.Exported | null>;
  /** Where the console stands with the restored data; `null` when the open dialog was cancelled. */
  restore(): Promise<T.Start | null>;
  /** Destroys every key and removes everything that is stored, once the words `erase everything` are given. */
  erase(words: string): Promise<T.Erased>;
}

/** Takes and gives the backend of this window. */
export const [useBackend, provideBackend] = createContext<Backend>();

/** What was thrown, as the `Failure` it should be; anything else is a fault of the window itself. */
export function asFailure(thrown: unknown): T.Failure {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'sentence' in thrown) {
    const failure = thrown as Partial<T.Failure>;
    return {
      code: String(failure.code),
      sentence: String(failure.sentence),
      remedy: failure.remedy ?? '',
      field: failure.field ?? null,
    };
  }
  return {
    code: 'E-WINDOW',
    sentence: 'The window and the console behind it did not understand each other.',
    remedy: 'Close the window and open it again. What is stored is not touched.',
    field: null,
  };
}
