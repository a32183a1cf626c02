// The types of the window's commands and events, as Rust declares them in crates/console/src/screen.
// This file is generated; change the Rust types, not this.

/** What went wrong, in one clear sentence with what to do; the same in window and terminal. */
export type Failure = {
  /** Stable code: `E-TLS-UNKNOWN-CA`. */
  code: string;
  /** What happened and why. */
  sentence: string;
  /** What to do. */
  remedy: string;
  /** The field of the dialog it belongs to, if it belongs to one. */
  field: string | null;
};

/** How bad a failed check is. */
export type Severity =
  | 'info'
  | 'low'
  | 'medium'
  | 'high'
  | 'critical';

/** Open findings by severity. */
export type SeverityCounts = {
  critical: number;
  high: number;
  medium: number;
  low: number;
  info: number;
};

/** Why something was not read or not judged. */
export type Cause = {
  /** The kind, as in the catalog: `scope_missing`. */
  kind: string;
  /** One sentence. */
  sentence: string;
  /** What to do; empty when nothing can be done. */
  remedy: string;
};

/** A page asked of a long list. */
export type Slice = {
  /** Rows before it. */
  offset: number;
  /** Rows of it, at most 500. */
  limit: number;
};

/** Where the console stands when it is opened. */
export type Start = {
  /** What the window shows first. */
  state: StartState;
  /** Folder that holds everything. */
  data_folder: string;
  /** Whether the system's keychain can be used; when not, why. */
  keychain: Keychain;
  /** Version of this program. */
  version: string;
  /** Theme, density and the like; the window's own words. */
  preferences: Preference[];
  /** Whether the sandbox was offered before and can be offered again from Settings only. */
  sandbox_offered: boolean;
};

/** What the window shows first. */
export type StartState =
  | { kind: 'first_start' }
  | { kind: 'locked' }
  | { kind: 'ready'; protection: Protection }
  | { kind: 'blocked'; failure: Failure; recovery: boolean };

/** What holds the keys. */
export type Protection =
  | 'keychain'
  | 'passphrase';

/** Whether the system's keychain can be used. */
export type Keychain =
  | { kind: 'usable' }
  | { kind: 'absent'; failure: Failure }
  | { kind: 'locked'; failure: Failure };

/** A remembered choice of the window. */
export type Preference = {
  /** `theme`. */
  key: string;
  /** JSON text. */
  value: string;
};

/** The recovery key, shown once. */
export type RecoveryKeyShown = {
  /** Groups of letters and digits. */
  groups: string[];
};

/** A tile of *Add Application*. */
export type Tile = {
  /** `kustomer`. */
  slug: string;
  /** "Kustomer". */
  name: string;
  /** "Kustomer, LLC". */
  vendor: string;
  /** `customer-service`. */
  category: string;
  /** `config`, `risky_accounts`, `third_party_plugins`, `identity`. */
  features: string[];
  /** `contract`, `recorded`, `facts` or `manual`. */
  verified: string;
  /** How many checks it has. */
  checks: number;
  /** How many instances are onboarded, without sandboxes. */
  instances: number;
};

/** An application, for its dialog. */
export type Application = {
  /** Its tile. */
  tile: Tile;
  /** The product's home page. */
  home: string;
  /** Ways to sign in, the recommended one first. */
  logins: Login[];
  /** Labels an instance can carry. */
  labels: string[];
  /** Requests that are never made, with the reason. */
  never: Never[];
  /** Lists and thresholds without a default, asked for in the dialog; all may be left empty. */
  questions: Question[];
  /** Names of instances that exist. */
  instance_names: string[];
};

/** One way to sign in. */
export type Login = {
  /** `api-key`. */
  id: string;
  /** "API Key". */
  label: string;
  /** What the administrator needs to have. */
  summary: string;
  /** How many checks it reaches. */
  checks: number;
  /** What is asked for. */
  fields: Field[];
  /** Roles or scopes the credential should hold. */
  needs: string[];
  /** How to obtain the credential. */
  steps: GuideStep[];
  /** Every host that may receive the values, as templates. */
  hosts: string[];
};

/** A field of the dialog. */
export type Field = {
  /** `api_key`. */
  id: string;
  /** "API Key". */
  label: string;
  /** Sealed, never shown again. */
  secret: boolean;
  /** Connect may be pressed without it. */
  optional: boolean;
  /** `text`, `jwt`, `token`, `dns_label`, `host`, `choice`, `list`. */
  format: string;
  /** Shown inside the field at its end: `.kustomerapp.com`. */
  suffix: string;
  /** For choices. */
  choices: Choice[];
  /** Offered at first. */
  default: string | null;
  /** One line under the field. */
  help: string;
  /** An example of the right shape. */
  example: string;
  /** Where to find the value. */
  steps: string[];
  /** A page of the vendor that helps. */
  link: string | null;
};

/** One value of a choice. */
export type Choice = {
  /** `us`. */
  value: string;
  /** "US". */
  label: string;
  /** The host it means, if it means one. */
  host: string | null;
  /** Offered only behind "More". */
  hidden: boolean;
};

/** A step of a guide. */
export type GuideStep = {
  /** The sentence. */
  text: string;
  /** A page it speaks of. */
  link: string | null;
};

/** A request that is never made. */
export type Never = {
  /** `/v1/auth/customer/settings`. */
  path: string;
  /** Why. */
  reason: string;
};

/** A list or threshold that only the administrator knows. */
export type Question = {
  /** The check that asks. */
  check: string;
  /** The parameter. */
  param: string;
  /** "Your company's e-mail domains". */
  label: string;
  /** `int`, `string`, `strings`, `bool`. */
  type: string;
  /** The check's title: what stays Not evaluated without an answer. */
  title: string;
};

/** What a typed value came to. */
export type FieldState =
  | { kind: 'empty' }
  | { kind: 'right'; value: string | null; note: string }
  | { kind: 'wrong'; sentence: string };

/** How requests leave this computer. */
export type RouteChoice = {
  /** `system`, `environment`, `manual` or `none`. */
  proxy: string;
  /** For `manual`: `http://proxy.example:3128`, without user information. */
  proxy_url: string;
  /** Certificates of the corporate CA, PEM; may be empty. */
  extra_roots_pem: string;
};

/** Everything of *Add Instance* that is not secret. */
export type AddInstance = {
  /** The application. */
  app: string;
  /** The login option. */
  login: string;
  /** The instance's name, unique among the application's instances. */
  name: string;
  /** `Default`, `Production`, `Sandbox`, `Internal`, `QA`, `Dev`. */
  label: string;
  /** Who answers for it; may be empty. */
  owner: string;
  /** Fields that are not secret, by id. */
  inputs: Input[];
  /** Answers to questions. */
  answers: Answer[];
  /** How requests leave this computer. */
  route: RouteChoice;
};

/** A field's value. */
export type Input = {
  field: string;
  value: string;
};

/** The answer to a [`Question`]: for `strings`, separated by commas, spaces or new lines. */
export type Answer = {
  check: string;
  param: string;
  value: string;
};

/** A simulated tenant that can be onboarded. */
export type SandboxTenant = {
  /** `kustomer`. */
  app: string;
  /** "Kustomer". */
  app_name: string;
  /** `risky`. */
  tenant: string;
  /** "Halden Moor (risky)". */
  name: string;
};

/** A simulated tenant that was chosen. */
export type TenantChoice = {
  app: string;
  tenant: string;
};

/** An onboarded tenant, as a row of *Applications*. */
export type Instance = {
  /** Stable id. */
  id: string;
  /** The application. */
  app: string;
  /** Its name. */
  app_name: string;
  /** The instance's name. */
  name: string;
  /** `Default`, `Production`, … */
  label: string;
  /** Who answers for it. */
  owner: string;
  /** Simulated on this computer. */
  sandbox: boolean;
  /** Whether it can be used. */
  health: Health;
  /** Why it is not Up. */
  cause: Cause | null;
  /** What share passed; `None` before the first complete scan. */
  score: Score | null;
  /** Open findings. */
  open: SeverityCounts;
  /** When the last complete scan ended. */
  last_scan: string | null;
  /** Share of the running scan, 0 to 1. */
  scanning: number | null;
  /** A cut scan that can be resumed. */
  resumable: boolean;
};

/** Health of an instance. */
export type Health =
  | 'up'
  | 'unhealthy'
  | 'down'
  | 'unknown'
  | 'scanning';

/** Three parts that add up to 1, weighted by severity. Not applicable is outside; what was not evaluated never raises it. */
export type Score = {
  /** 0 to 100: the passed share, rounded down. */
  value: number;
  /** Share passed. */
  passed: number | null;
  /** Share failed. */
  failed: number | null;
  /** Share not evaluated. */
  not_evaluated: number | null;
};

/** The page of one instance. */
export type InstancePage = {
  /** Its row. */
  instance: Instance;
  /** Its application, as the dialog sees it. */
  application: Application;
  /** The login option it uses. */
  login: string;
  /** Fields that are not secret. */
  inputs: Input[];
  /** Secret fields: name and when they were set. Never a value. */
  secrets: SealedField[];
  /** Hosts that may receive its credentials. */
  hosts: string[];
  /** How its requests leave this computer. */
  route: RouteChoice;
  /** Each kind of scan. */
  features: FeatureHealth[];
  /** Each dataset of the last complete scan. */
  datasets: DatasetState[];
  /** Each check of the last complete scan. */
  checks: CheckState[];
  /** The latest scans, newest first, at most 20. */
  scans: ScanRow[];
  /** Thresholds in force. */
  answers: Answer[];
};

/** A secret that is set. */
export type SealedField = {
  /** The field. */
  field: string;
  /** When it was set. */
  set_at: string;
};

/** Health of a kind of scan. */
export type FeatureHealth = {
  /** `config`. */
  feature: string;
  /** `ok`, `unhealthy`, `auth_required`, `scanning`, `unknown`. */
  state: string;
  /** Why, in words; empty when OK. */
  detail: string;
  /** How many checks passed, failed, were not evaluated, do not apply. */
  counts: VerdictCounts;
};

/** Verdicts by kind. */
export type VerdictCounts = {
  pass: number;
  fail: number;
  not_applicable: number;
  not_evaluated: number;
  manual: number;
  observed: number;
};

/** What became of a dataset. */
export type DatasetState = {
  /** `auth-settings`. */
  id: string;
  /** "Sign-in settings". */
  title: string;
  /** `complete`, `partial` or `unavailable`. */
  state: string;
  /** Why it is not complete. */
  cause: Cause | null;
  /** Rows kept. */
  rows: number;
  /** Any one of these roles makes it readable. */
  needs: string[];
  /** Checks that rest on it. */
  checks: number;
};

/** What a check came to. */
export type CheckState = {
  /** `kustomer.auth.sso_enabled`. */
  id: string;
  /** "SAML SSO is on". */
  title: string;
  /** How bad a failure is. */
  severity: Severity;
  /** `config`. */
  feature: string;
  /** The worst of its rows: `fail`, `not_evaluated`, `manual`, `observed`, `pass`, `not_applicable`. */
  verdict: string;
  /** Its rows. */
  counts: VerdictCounts;
  /** The cause or reason, when the verdict has one. */
  cause: Cause | null;
};

/** A scan. */
export type ScanRow = {
  /** Its id. */
  id: string;
  /** `running`, `complete`, `cut`, `cancelled`, `failed`. */
  state: string;
  /** When it began. */
  started_at: string;
  /** When it ended. */
  finished_at: string | null;
  /** Why it did not complete. */
  failure: Cause | null;
  /** Requests made. */
  requests: number;
};

/** What may be changed of an instance without its secrets. */
export type InstanceChange = {
  /** New name. */
  name: string;
  /** New label. */
  label: string;
  /** New owner. */
  owner: string;
  /** New route. */
  route: RouteChoice;
  /** New answers to questions and thresholds. */
  answers: Answer[];
};

/** What a deletion took away. */
export type Deleted = {
  scans: number;
  rows: number;
  findings: number;
  evidence: number;
};

/** Which findings are asked for. Empty lists do not filter. */
export type FindingFilter = {
  /** Instance ids. */
  instances: string[];
  /** Application slugs. */
  apps: string[];
  /** Severities. */
  severities: Severity[];
  /** States. */
  states: FindingState[];
  /** Check ids. */
  checks: string[];
  /** `config`, … */
  features: string[];
  /** Part of title, resource, instance or check, without case. */
  text: string;
  /** `without` (default), `only` or `with` sandbox instances. */
  sandbox: SandboxScope;
  /** Only those not re-checked by the last scan. */
  not_rechecked: boolean;
};

/** Whether simulated tenants are looked at. */
export type SandboxScope =
  | 'without'
  | 'only'
  | 'with';

/** State of a finding. */
export type FindingState =
  | 'open'
  | 'fixed'
  | 'gone';

/** The order of findings. */
export type FindingSort =
  | 'severity'
  | 'title'
  | 'resource'
  | 'instance'
  | 'first_seen'
  | 'last_seen';

/** A page of findings asked for. */
export type FindingQuery = {
  /** Which. */
  filter: FindingFilter;
  /** In which order. */
  sort: FindingSort;
  /** Worst, latest or last letter first. */
  descending: boolean;
  /** Which part. */
  slice: Slice;
};

/** A page of findings. */
export type FindingList = {
  /** How many fulfil the filter. */
  total: number;
  /** How many there are open without the filter (same sandbox scope). */
  open: number;
  /** By severity, of those that fulfil the filter. */
  counts: SeverityCounts;
  /** The rows asked for. */
  rows: Finding[];
};

/** A finding as a row. */
export type Finding = {
  /** Stable id. */
  id: string;
  /** Its instance. */
  instance: string;
  /** The instance's name. */
  instance_name: string;
  /** The application. */
  app: string;
  /** Its name. */
  app_name: string;
  /** Simulated on this computer. */
  sandbox: boolean;
  /** The check. */
  check: string;
  /** "Single sign-on is off". */
  title: string;
  /** What it was found on; empty for the tenant itself. */
  resource: string;
  /** How bad it is. */
  severity: Severity;
  /** `config`, … */
  feature: string;
  /** Whether it is open. */
  state: FindingState;
  /** When it was first found. */
  first_seen: string;
  /** When it was last found. */
  last_seen: string;
  /** When it was fixed or gone. */
  ended_at: string | null;
  /** Since when it was not re-checked, if the last scan could not. */
  not_rechecked_since: string | null;
  /** It appeared after the last visit. */
  new: boolean;
};

/** A finding with everything behind it. */
export type FindingPage = {
  /** Its row. */
  finding: Finding;
  /** The practice: "SAML SSO is on". */
  practice: string;
  /** `fail`, `pass`, `not_applicable`, `not_evaluated`, `manual`, `observed`. */
  verdict: string;
  /** Why it was not evaluated or does not apply. */
  cause: Cause | null;
  /** What it is. */
  current: string;
  /** What it should be. */
  recommended: string;
  /** Why it matters. */
  why: string;
  /** What to do. */
  steps: string[];
  /** The vendor's console page. */
  link: ConsoleLink | null;
  /** What the verdict rests on. */
  evidence: Evidence[];
  /** What happened to it, newest first. */
  history: HistoryEvent[];
  /** Framework and references: "NIST 800-53", ["IA-2"]. */
  frameworks: FrameworkReference[];
  /** SSCF controls. */
  sscf: string[];
  /** The document the practice comes from. */
  source: string;
};

/** A page of the vendor's console. */
export type ConsoleLink = {
  /** "Settings › Security › Authentication". */
  title: string;
  /** Empty when there is only a place to name. */
  url: string;
};

/** A row of a dataset that a verdict rests on. */
export type Evidence = {
  /** The dataset. */
  dataset: string;
  /** Its title. */
  title: string;
  /** The row's name; empty for an object. */
  label: string;
  /** Fields that were read and their values, as JSON text. */
  fields: EvidenceField[];
  /** SHA-256 of the canonical row. */
  hash: string;
  /** When it was read. */
  collected_at: string;
  /** The request that gave it. */
  request: Request | null;
};

/** A field and its value. */
export type EvidenceField = {
  /** `attributes.saml.enabled`. */
  path: string;
  /** JSON text, at most 2,000 characters. */
  value: string;
};

/** A request that was made. Never its query, body or credential. */
export type Request = {
  /** When it was sent. */
  at: string;
  /** The instance. */
  instance: string;
  /** `dataset`, `continuation` or `sign_in_hop`. */
  class: string;
  /** The host. */
  host: string;
  /** `GET`. */
  method: string;
  /** `/v1/users`. */
  path: string;
  /** The status; `None` when there was no answer. */
  status: number | null;
  /** Bytes of the answer. */
  bytes: number | null;
  /** How long it took. */
  milliseconds: number;
  /** `answered`, `refused`, `failed`, `cancelled`. */
  outcome: string;
};

/** A page of requests. */
export type RequestList = {
  total: number;
  rows: Request[];
};

/** What happened to a finding. */
export type HistoryEvent = {
  /** When. */
  at: string;
  /** `opened`, `still_open`, `reopened`, `fixed`, `gone`, `not_rechecked`. */
  kind: string;
  /** In words: "Opened: SAML off". */
  sentence: string;
};

/** References of a framework. */
export type FrameworkReference = {
  /** "NIST 800-53". */
  framework: string;
  /** `IA-2`. */
  references: string[];
};

/** Formats of an export. */
export type ExportFormat =
  | 'csv'
  | 'json';

/** What was written. */
export type Exported = {
  /** Where to. */
  path: string;
  /** How many findings. */
  findings: number;
};

/** The dashboard, from what is stored; needs no network. */
export type Overview = {
  /** Whether it shows simulated tenants alone, because there is nothing else yet or it was asked for. */
  sandbox: boolean;
  /** Over all instances shown; `None` before the first complete scan. */
  score: Score | null;
  /** Open findings. */
  open: SeverityCounts;
  /** Of those, found since the last visit. */
  new: SeverityCounts;
  /** Open findings that the last scan could not re-check. */
  not_rechecked: number;
  /** Open findings per day, oldest first, at most 30 days; days without a scan have `None`. */
  trend: TrendDay[];
  /** What happened since the last visit. */
  since: Since;
  /** Instances, lowest score first. */
  instances: Instance[];
  /** When the window was last used. */
  last_visit: string | null;
};

/** One day of the trend. */
export type TrendDay = {
  /** `2026-11-21`. */
  day: string;
  /** Open findings at its end. */
  open: number | null;
  /** Of those, critical and high. */
  critical_high: number | null;
};

/** What happened since the last visit. */
export type Since = {
  newly_failing: number;
  fixed: number;
  gone: number;
  not_rechecked: number;
};

/** An act of the administrator or of the console. */
export type Act = {
  at: string;
  who: string;
  what: string;
  detail: string;
};

/** A page of acts, newest first. */
export type ActList = {
  total: number;
  rows: Act[];
};

/** One event of a job, in the order in which they happen. */
export type Progress =
  | { kind: 'step'; step: Step; state: StepState; detail: string; milliseconds: number }
  | { kind: 'permissions'; datasets: DatasetState[]; checks: number; all_checks: number }
  | { kind: 'dataset'; id: string; title: string; state: string; rows: number; expected: number | null; cause: Cause | null }
  | { kind: 'share'; done: number | null; host: string; requests: number }
  | { kind: 'finished'; instance: string; outcome: Outcome }
  | { kind: 'failed'; failure: Failure; kept: string };

/** The steps of Connect and of a scan. */
export type Step =
  | 'format'
  | 'host'
  | 'sign_in'
  | 'permissions'
  | 'scan'
  | 'judge';

/** How a step stands. */
export type StepState =
  | 'running'
  | 'done'
  | 'warned'
  | 'failed';

/** What a scan changed. */
export type Outcome = {
  opened: number;
  still_open: number;
  fixed: number;
  gone: number;
  not_rechecked: number;
  verdicts: VerdictCounts;
};

/** A job under way. */
export type Job = {
  /** Its id, for cancelling. */
  id: string;
  /** The instance; empty while one is being added. */
  instance: string;
  /** "Kustomer, Halden Moor EU". */
  title: string;
  /** 0 to 1. */
  done: number | null;
  /** The host being talked to. */
  host: string;
};

/** The jobs under way changed. */
export type JobsChanged = Job[];
