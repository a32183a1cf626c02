//! What can be typed. Secrets are never among it: they come by prompt, `--secret-stdin` or `--passphrase-fd`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// SaaS security posture, read from your own workstation.
#[derive(Debug, Parser)]
#[command(
    name = "posture",
    version,
    propagate_version = true,
    after_help = "Exit codes: 0 fine, 1 failed, 2 usage, 3 findings at or above --fail-on, or a log of acts that does not hold.\n\nExamples:\n  posture sandbox scan                      try it without any credential\n  posture instance add kustomer --name \"Halden Moor EU\" --set region=eu\n  posture scan --all --fail-on high\n  posture findings --severity critical,high --json"
)]
pub struct Arguments {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Folder that holds the database and the sealed files, instead of this user's data folder.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_folder: Option<PathBuf>,
    /// Folder with applications and checks of your own, in the catalog's shape, instead of `catalog` in this user's folder of settings.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub catalog_folder: Option<PathBuf>,
    /// Read the passphrase from this open file descriptor (Unix), for data that a passphrase protects.
    #[arg(long, global = true, value_name = "FD")]
    pub passphrase_fd: Option<i32>,
    /// Say more on standard error; twice for everything. Never a secret.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the applications of the catalog.
    #[command(after_help = "Example:\n  posture apps --json")]
    Apps,
    /// Say of each application what it is verified against, how it is signed in to, and how many checks are built and left out; or
    /// of one application each check, and what is left out with the reason.
    #[command(
        after_help = "Examples:\n  posture catalog\n  posture catalog kustomer\n  posture catalog kustomer --coverage\n  posture catalog --json"
    )]
    Catalog {
        /// Only this application, with its checks.
        app: Option<String>,
        /// Say of each control of the SSCF whether it is checked, attested or not covered, and why.
        #[arg(long, requires = "app")]
        coverage: bool,
        /// End with exit code 1 when an application that is signed in to leaves out too many of its checks.
        #[arg(long, conflicts_with = "coverage")]
        check: bool,
    },
    /// Create the database and its protection.
    #[command(after_help = "Examples:\n  posture init\n  posture init --protection passphrase --passphrase-fd 3 3< secret-file")]
    Init {
        /// What holds the keys.
        #[arg(long, value_enum, default_value = "keychain")]
        protection: ProtectionChoice,
    },
    /// Open the database with its recovery key where the keychain lost its own or the passphrase is forgotten, and protect it anew.
    #[command(
        after_help = "The recovery key is asked for, or read from standard input. Credentials are entered again afterwards (Reauthenticate).\n\nExamples:\n  posture recover\n  posture recover --protection passphrase --secret-stdin < recovery-key"
    )]
    Recover {
        /// What is to hold the keys from now on.
        #[arg(long, value_enum, default_value = "keychain")]
        protection: ProtectionChoice,
        /// Read the recovery key from standard input: one line.
        #[arg(long)]
        secret_stdin: bool,
    },
    /// Onboard, list, show, test and delete instances.
    #[command(subcommand)]
    Instance(InstanceCommand),
    /// Scan instances; a cut scan is resumed.
    #[command(after_help = "Examples:\n  posture scan \"Halden Moor EU\"\n  posture scan --all --fail-on high\n  posture scan --due")]
    Scan {
        /// Instances, by id or name.
        #[arg(required_unless_present_any = ["all", "due"], conflicts_with_all = ["all", "due"])]
        instances: Vec<String>,
        /// Every instance that is not a sandbox.
        #[arg(long)]
        all: bool,
        /// What the schedule asks for now, several at once; for the system's own scheduler, while no window is open.
        #[arg(long, conflicts_with_all = ["all", "fail_on"])]
        due: bool,
        /// End with exit code 3 when open findings of this severity or above remain.
        #[arg(long, value_enum)]
        fail_on: Option<SeverityChoice>,
    },
    /// Show when instances are scanned by themselves, or set it for one of them.
    #[command(
        after_help = "Schedules are kept by the open window, and by `posture scan --due`.\n\nExamples:\n  posture schedule\n  posture schedule \"Halden Moor EU\" --set \"0 6 * * 1-5\"\n  posture schedule \"Halden Moor EU\" --set off"
    )]
    Schedule {
        /// The instance, by id or name; all of them when left out.
        instance: Option<String>,
        /// `default`, `off`, or a crontab pattern of five parts in this computer's time zone.
        #[arg(long, value_name = "PATTERN", requires = "instance")]
        set: Option<String>,
    },
    /// Say what there is to tell of today: new and ended findings, health, scans, credentials, manual checks.
    #[command(
        after_help = "The digest is made once a day by the open window, or by `posture scan --due`; before that, this is what it would say now.\n\nExamples:\n  posture digest\n  posture digest --day 2026-11-22 --html digest.html\n  posture digest --send"
    )]
    Digest {
        /// The day, as 2026-11-22, instead of today.
        #[arg(long, value_name = "DAY")]
        day: Option<String>,
        /// Write it as a page to this file; `-` for standard output.
        #[arg(long, value_name = "FILE")]
        html: Option<String>,
        /// Mail that of today now, made if it is not yet; see `posture mail`.
        #[arg(long, conflicts_with = "day")]
        send: bool,
    },
    /// Show, set, test or remove the mail that the daily digest goes by.
    #[command(after_help = "Example:\n  posture mail")]
    Mail {
        #[command(subcommand)]
        command: Option<MailCommand>,
    },
    /// List findings, or show one with its evidence.
    #[command(
        after_help = "Examples:\n  posture findings --severity critical,high\n  posture findings --show 3f6c… --json\n  posture findings --at 2026-11-01"
    )]
    Findings {
        #[command(flatten)]
        filter: FilterArguments,
        /// Rows to leave out at the beginning.
        #[arg(long, default_value_t = 0)]
        offset: u32,
        /// Rows to print, at most 500.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Show this finding whole.
        #[arg(long, value_name = "ID")]
        show: Option<String>,
        /// As things stood at the end of this day, by this computer's calendar.
        #[arg(long, value_name = "DAY", conflicts_with = "show")]
        at: Option<String>,
        /// End with exit code 3 when open findings of this severity or above are among them.
        #[arg(long, value_enum)]
        fail_on: Option<SeverityChoice>,
    },
    /// Tell what became of findings between two moments, and with --settings what changed in the applications.
    #[command(
        after_help = "Examples:\n  posture changes --from 7d\n  posture changes --from last-scan --settings --instance \"Halden Moor EU\"\n  posture changes --from 2026-11-01 --to 2026-11-07 --kind newly-failing --output changes.csv"
    )]
    Changes(ChangesArguments),
    /// Write findings to a file.
    #[command(
        after_help = "Examples:\n  posture export --format csv --output findings.csv\n  posture export --format json --output - --severity high\n  posture export --format html --output findings.html --state open,fixed\n  posture export --format ocsf --ocsf-version 1.8.0 --lines --output -\n  posture export --format oscal --output assessment-results.json"
    )]
    Export {
        #[command(flatten)]
        filter: FilterArguments,
        /// The file's format: for spreadsheets, for programs, a page for auditors and paper, OCSF 2003 events, OSCAL assessment results.
        #[arg(long, value_enum, default_value = "csv")]
        format: FindingFormatChoice,
        /// The version of OCSF.
        #[arg(long, value_enum, default_value = "1.5.0")]
        ocsf_version: OcsfVersionChoice,
        /// Write OCSF as one event per line.
        #[arg(long)]
        lines: bool,
        /// The file; `-` for standard output.
        #[arg(long, short)]
        output: String,
    },
    /// List the rules, one for each control of the SSCF, with what their checks came to on all instances; or one with its checks.
    #[command(after_help = "Examples:\n  posture rules\n  posture rules IAM-SaaS-12\n  posture rules --json")]
    Rules {
        /// Only this rule, with its checks: `IAM-SaaS-12`.
        rule: Option<String>,
        /// Simulated tenants alone.
        #[arg(long)]
        sandbox: bool,
    },
    /// Say how far checks reach into frameworks and what they came to there; list one framework's controls, or write them to a file.
    #[command(
        after_help = "Examples:\n  posture compliance\n  posture compliance nist_800_53\n  posture compliance nist_800_53 \"AC-6(5)\"\n  posture compliance soc2 --html soc2.html"
    )]
    Compliance(ComplianceArguments),
    /// List the accounts of an instance with their risks, show one with its evidence, or write them to a file.
    #[command(
        after_help = "Examples:\n  posture accounts \"Halden Moor EU\" --risk no_mfa,dormant\n  posture accounts \"Halden Moor EU\" --unknown no_mfa --json\n  posture accounts \"Halden Moor EU\" --output accounts.csv"
    )]
    Accounts(InventoryArguments),
    /// List the 3rd party plugins of an instance with their risks, show one with its evidence, or write them to a file.
    #[command(
        after_help = "Examples:\n  posture plugins \"Halden Moor EU\" --risk can_write,gen_ai\n  posture plugins \"Halden Moor EU\" --kind webhook --json\n  posture plugins --everywhere --not-reviewed"
    )]
    Plugins(InventoryArguments),
    /// Who has accounts, over all instances.
    #[command(subcommand)]
    Identities(IdentitiesCommand),
    /// Say that a plugin was reviewed: it counts as such while its rights stay the same.
    #[command(after_help = "Example:\n  posture review \"Halden Moor EU\" 12")]
    Review {
        /// The instance, by id or name.
        instance: String,
        /// The plugin's id in the last complete scan; see `posture plugins`.
        plugin: String,
        /// Take it back.
        #[arg(long)]
        undo: bool,
    },
    /// Show or set from when on an account or plugin of an instance is a risk. What is not given stays.
    #[command(after_help = "Example:\n  posture thresholds \"Halden Moor EU\" --dormant-days 30")]
    Thresholds {
        /// The instance, by id or name.
        instance: String,
        /// An account that was not used for so many days is dormant.
        #[arg(long, value_name = "DAYS")]
        dormant_days: Option<u32>,
        /// What ends within so many days is expiring.
        #[arg(long, value_name = "DAYS")]
        expiring_days: Option<u32>,
        /// A credential that was not changed for so many days is not rotated.
        #[arg(long, value_name = "DAYS")]
        rotation_days: Option<u32>,
        /// A plugin that was not used for so many days is unused.
        #[arg(long, value_name = "DAYS")]
        unused_days: Option<u32>,
    },
    /// List the requests that were made: host, method, path, status. Never query, body or credential.
    #[command(after_help = "Example:\n  posture requests --instance \"Halden Moor EU\" --json")]
    Requests {
        /// Only of this instance, by id or name.
        #[arg(long)]
        instance: Option<String>,
        /// Rows to leave out at the beginning.
        #[arg(long, default_value_t = 0)]
        offset: u32,
        /// Rows to print, at most 500.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// List what was done, by whom and when, with what was before and after; or prove that nothing of it was changed or removed.
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  posture activity --json\n  posture activity head --output /mnt/safe/head.json\n  posture activity verify --head /mnt/safe/head.json"
    )]
    Activity {
        #[command(subcommand)]
        command: Option<ActivityCommand>,
        /// Rows to leave out at the beginning.
        #[arg(long, default_value_t = 0)]
        offset: u32,
        /// Rows to print, at most 500.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Say what the credential of an instance can read, what to grant for the rest, and what it holds without need.
    #[command(after_help = "Examples:\n  posture permissions \"Halden Moor EU\"\n  posture permissions \"Halden Moor EU\" --now --json")]
    Permissions {
        /// The instance, by id or name.
        instance: String,
        /// Sign in and ask now, instead of telling from the last complete scan. Stores nothing but the request log and what the vendor
        /// says that the credential holds.
        #[arg(long)]
        now: bool,
    },
    /// Read each dataset once and print the shape of the answers: names and types, no values.
    #[command(after_help = "Example:\n  posture schema \"Halden Moor EU\" --json")]
    Schema {
        /// The instance, by id or name.
        instance: String,
    },
    /// Manual checks: what is due, attesting, withdrawing. Attested is never scanned, and never counts as passed.
    #[command(subcommand)]
    Attestation(AttestationCommand),
    /// Decide of findings, checks and accounts, list decisions, and take them back. Dismissing, locking and not monitoring
    /// make nothing passed; an override judges by another value.
    #[command(subcommand)]
    Decide(DecideCommand),
    /// Manual checks of your own, of any instance.
    #[command(subcommand)]
    Check(CheckCommand),
    /// Simulated tenants on this computer.
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Write everything that is stored to one file. It is encrypted, and the keychain's keys are not in it.
    #[command(after_help = "Example:\n  posture backup --output /mnt/safe/posture.tar")]
    Backup {
        /// The file; one that is there is replaced once the new one is complete.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Replace everything that is stored by a backup. What is there now is kept in a folder beside it.
    #[command(
        after_help = "Close the window first. Without the keys of the backup the window asks for its recovery key.\n\nExample:\n  posture restore /mnt/safe/posture.tar"
    )]
    Restore {
        /// The file that `posture backup` wrote.
        backup: PathBuf,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Erase everything that Posture Console keeps of you on this computer: keys first, then files. Removing the package does not.
    #[command(after_help = "Close the window first. Backups, exports and a catalog folder of your own stay.\n\nExample:\n  posture erase")]
    Erase {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  posture completions bash > /etc/bash_completion.d/posture")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff).
    #[command(hide = true)]
    Man,
}

#[derive(Debug, Subcommand)]
pub enum ActivityCommand {
    /// Write the head of the chain of acts: kept elsewhere, it proves later that nothing up to it was changed or removed.
    #[command(after_help = "Example:\n  posture activity head --output /mnt/safe/head.json")]
    Head {
        /// The file; `-` for standard output.
        #[arg(long, short, default_value = "-")]
        output: String,
    },
    /// Read the chain of acts again; exit code 3 when it does not hold.
    #[command(after_help = "Examples:\n  posture activity verify\n  posture activity verify --head /mnt/safe/head.json --json")]
    Verify {
        /// The file of an exported head that must be in the chain.
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
    },
    /// Write every act, oldest first, with its number and its link to a file.
    #[command(after_help = "Example:\n  posture activity export --format json --output acts.json")]
    Export {
        /// The file's format.
        #[arg(long, value_enum, default_value = "csv")]
        format: FormatChoice,
        /// The file; `-` for standard output.
        #[arg(long, short)]
        output: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum InstanceCommand {
    /// Sign in, store the instance and scan it for the first time. Nothing is stored when sign-in fails.
    #[command(
        after_help = "Secrets are asked for, or read from standard input: one line per secret field, in the order `posture catalog` lists them.\n\nExamples:\n  posture instance add kustomer --name \"Halden Moor EU\" --set region=eu\n  pass kustomer | posture instance add kustomer --name EU --set region=eu --secret-stdin\n  posture instance add other-application --name Perplexity --set console_url=https://www.perplexity.ai/settings"
    )]
    Add(AddArguments),
    /// List instances with health, score and open findings.
    List {
        /// Simulated tenants too.
        #[arg(long)]
        sandbox: bool,
    },
    /// Show an instance whole: fields, hosts, what was read, each check's verdicts, its last scans.
    #[command(after_help = "Example:\n  posture instance show \"Halden Moor EU\" --json")]
    Show {
        /// The instance, by id or name.
        instance: String,
    },
    /// Sign in and say what the credential may read. Stores nothing.
    Test {
        /// The instance, by id or name.
        instance: String,
    },
    /// Delete an instance: its key first, then everything read with it.
    Delete {
        /// The instance, by id or name.
        instance: String,
        /// Keep its findings, accounts, plugins and acts in this file, as JSON that anybody can read who has it.
        #[arg(long, value_name = "FILE")]
        archive: Option<PathBuf>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct AddArguments {
    /// The application: `kustomer`.
    pub app: String,
    /// The instance's name.
    #[arg(long)]
    pub name: String,
    /// The login option; the recommended one when left out.
    #[arg(long)]
    pub login: Option<String>,
    /// Default, Production, Sandbox, Internal, QA or Dev.
    #[arg(long, default_value = "Default")]
    pub label: String,
    /// Who answers for it.
    #[arg(long, default_value = "")]
    pub owner: String,
    /// A field that is not secret: `region=eu`.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// A threshold or list of a check: `kustomer.users.external_domain.domains=haldenmoor.example`.
    #[arg(long = "answer", value_name = "CHECK.PARAM=VALUE", value_parser = pair)]
    pub answer: Vec<(String, String)>,
    /// Proxy: `system`, `environment`, `none`, or its URL.
    #[arg(long, default_value = "system")]
    pub proxy: String,
    /// Certificates of a corporate CA, PEM.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Read secrets from standard input, one line each.
    #[arg(long)]
    pub secret_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub enum AttestationCommand {
    /// List the manual checks of an instance, or of all instances those that are due or will be soon.
    #[command(after_help = "Examples:\n  posture attestation list\n  posture attestation list --instance \"Halden Moor EU\" --json")]
    List {
        /// Only of this instance, by id or name; then also those that are not due.
        #[arg(long)]
        instance: Option<String>,
        /// Simulated tenants too.
        #[arg(long, conflicts_with = "instance")]
        sandbox: bool,
    },
    /// Attest a manual check. "not-met" opens a finding, which a later "met" fixes.
    #[command(
        after_help = "Examples:\n  posture attestation give \"Halden Moor EU\" kustomer.users.mfa --answer met --note \"Okta requires it for the group Support.\"\n  posture attestation give Perplexity own.3f6c… --answer not-met --note \"Seen in the admin page.\" --file page.png --media-type image/png --valid-until 2027-05-31"
    )]
    Give(GiveArguments),
    /// Withdraw the last attestation of a check; the one before it holds again, if there is one.
    #[command(after_help = "Example:\n  posture attestation withdraw 12 --reason \"It was the wrong tenant.\"")]
    Withdraw {
        /// The attestation's id; see `posture attestation list`.
        attestation: String,
        /// Why it does not hold.
        #[arg(long)]
        reason: String,
    },
    /// Write the file of an attestation. It is never opened here.
    #[command(after_help = "Example:\n  posture attestation file 12 --output page.png")]
    File {
        /// The attestation's id.
        attestation: String,
        /// The file; `-` for standard output.
        #[arg(long, short)]
        output: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum DecideCommand {
    /// Accept the risk of findings until a day; they return then, or earlier if the value changes. In the score they still count as
    /// failed.
    #[command(
        after_help = "Example:\n  posture decide dismiss 12 14 --until 2027-02-21 --reason \"The vendor mends it in January.\" --approver \"Mei Laurent\""
    )]
    Dismiss {
        /// Ids of findings; see `posture findings`.
        #[arg(required = true)]
        findings: Vec<String>,
        #[command(flatten)]
        grounds: GroundsArguments,
    },
    /// Judge a check by another value than the recommended one, within its bounds.
    #[command(
        after_help = "Example:\n  posture decide override \"Halden Moor EU\" kustomer.users.dormant days=30 --reason \"Our policy says 30 days.\""
    )]
    Override {
        /// The instance, by id or name.
        instance: String,
        /// The check's id.
        check: String,
        /// Parameter and value.
        #[arg(value_parser = pair, value_name = "PARAMETER=VALUE")]
        value: (String, String),
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lock a setting to its present value, so that any change is a finding; of a list, which rows there are.
    #[command(
        after_help = "Examples:\n  posture decide lock \"Halden Moor EU\" kustomer.auth.sso_enabled --row \"\"\n  posture decide lock \"Halden Moor EU\" kustomer.users.dormant"
    )]
    Lock {
        /// The instance, by id or name.
        instance: String,
        /// The check's id.
        check: String,
        /// The key of the row whose values are locked; empty for the tenant itself. Left out, which rows there are is locked.
        #[arg(long)]
        row: Option<String>,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Stop monitoring a check of an instance until a day, and attest why that is right. It never counts as passed.
    #[command(
        after_help = "Example:\n  posture decide unmonitor \"Halden Moor EU\" kustomer.auth.sso_enabled --until 2027-02-21 --reason \"Sign-on is monitored at the identity provider.\""
    )]
    Unmonitor {
        /// The instance, by id or name.
        instance: String,
        /// The check's id.
        check: String,
        #[command(flatten)]
        grounds: GroundsArguments,
    },
    /// Leave an account out of the counters for a week or a month; its risks stay shown.
    #[command(after_help = "Example:\n  posture decide ignore \"Halden Moor EU\" 7 --days 30")]
    Ignore {
        /// The instance, by id or name.
        instance: String,
        /// The account's id; see `posture accounts`.
        account: String,
        /// 7 or 30.
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Take a decision back.
    #[command(after_help = "Example:\n  posture decide undo 3")]
    Undo {
        /// The decision's id; see `posture decide list`.
        decision: String,
    },
    /// List the decisions in force, newest first.
    #[command(after_help = "Examples:\n  posture decide list\n  posture decide list --ended --json")]
    List {
        /// Only of this instance, by id or name.
        #[arg(long)]
        instance: Option<String>,
        /// Those that have ended instead.
        #[arg(long)]
        ended: bool,
        /// Decisions to leave out at the beginning.
        #[arg(long, default_value_t = 0)]
        offset: u32,
        /// Decisions to print, at most 500.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}

#[derive(Debug, Args)]
pub struct GroundsArguments {
    /// Why.
    #[arg(long)]
    pub reason: String,
    /// Who approved it.
    #[arg(long, default_value = "")]
    pub approver: String,
    /// The last day on which it holds: `2027-02-21`; at most 365 days from now.
    #[arg(long, value_name = "DAY")]
    pub until: String,
}

#[derive(Debug, Args)]
pub struct GiveArguments {
    /// The instance, by id or name.
    pub instance: String,
    /// The check: `kustomer.users.mfa`; see `posture attestation list --instance`.
    pub check: String,
    /// What was seen.
    #[arg(long, value_enum)]
    pub answer: AnswerChoice,
    /// What was seen, in words.
    #[arg(long)]
    pub note: String,
    /// Who attests it, instead of this user.
    #[arg(long, default_value = "")]
    pub who: String,
    /// The last day on which it holds: `2027-11-21`; at most three years from now.
    #[arg(long, value_name = "DAY")]
    pub valid_until: Option<String>,
    /// Days before the end at which it is due soon; 30 when left out.
    #[arg(long, value_name = "DAYS")]
    pub remind_days: Option<u32>,
    /// A file to keep with it, at most 10 MiB, encrypted in the database.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// The file's media type: `application/pdf`.
    #[arg(long, default_value = "application/octet-stream", requires = "file")]
    pub media_type: String,
}

#[derive(Debug, Subcommand)]
pub enum CheckCommand {
    /// List the checks of your own of an instance.
    #[command(after_help = "Example:\n  posture check list Perplexity --json")]
    List {
        /// The instance, by id or name.
        instance: String,
    },
    /// Add a check of your own to an instance.
    #[command(
        after_help = "Example:\n  posture check add Perplexity --title \"Single sign-on is required\" --severity high --step \"Open Settings › Security.\" --recommended required"
    )]
    Add {
        /// The instance, by id or name.
        instance: String,
        #[command(flatten)]
        text: CheckText,
    },
    /// Write a check of your own anew; what it was stays in its history.
    #[command(after_help = "Example:\n  posture check change Perplexity own.3f6c… --title \"Single sign-on is on\" --severity high")]
    Change {
        /// The instance, by id or name.
        instance: String,
        /// The check's id.
        check: String,
        #[command(flatten)]
        text: CheckText,
    },
    /// Remove a check of your own; what was attested of it stays.
    #[command(after_help = "Example:\n  posture check remove Perplexity own.3f6c…")]
    Remove {
        /// The instance, by id or name.
        instance: String,
        /// The check's id.
        check: String,
    },
}

#[derive(Debug, Args)]
pub struct CheckText {
    /// The practice, as a statement that is true when it is met.
    #[arg(long)]
    pub title: String,
    /// How bad it is when it is not met.
    #[arg(long, value_enum)]
    pub severity: SeverityChoice,
    /// Why it matters.
    #[arg(long, default_value = "")]
    pub why: String,
    /// How to look; once per step.
    #[arg(long)]
    pub step: Vec<String>,
    /// What it should be.
    #[arg(long, default_value = "")]
    pub recommended: String,
}

#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Onboard and scan the simulated tenants in a scratch database that is removed afterwards.
    #[command(after_help = "Example:\n  posture sandbox scan --app kustomer --tenant risky --json")]
    Scan {
        /// Only tenants of this application.
        #[arg(long)]
        app: Option<String>,
        /// Only this tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// Every tenant of every application; without it, and without the two above, the few of the tour.
        #[arg(long, conflicts_with_all = ["app", "tenant"])]
        all: bool,
        /// End with exit code 3 when open findings of this severity or above remain.
        #[arg(long, value_enum)]
        fail_on: Option<SeverityChoice>,
    },
    /// Add simulated tenants to this database as sandbox instances and scan them; those that are there are scanned again.
    #[command(after_help = "Example:\n  posture sandbox add --app kustomer --tenant risky")]
    Add {
        /// Only tenants of this application.
        #[arg(long)]
        app: Option<String>,
        /// Only this tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// Every tenant of every application; without it, and without the two above, the few of the tour.
        #[arg(long, conflicts_with_all = ["app", "tenant"])]
        all: bool,
    },
    /// Delete every sandbox instance and what was read with it.
    #[command(after_help = "Example:\n  posture sandbox remove")]
    Remove,
    /// Serve the simulated tenants until interrupted; sandbox instances of this data folder use this server meanwhile.
    Up,
    /// Change what the running sandbox (`posture sandbox up`) answers.
    #[command(
        after_help = "Examples:\n  posture sandbox set kustomer/risky auth-settings data.attributes.saml.enabled=true\n  posture sandbox set kustomer/risky '{\"change\":\"revoke\",\"tenant\":\"kustomer/risky\"}'\n  posture sandbox set convo/risky '{\"change\":\"lock_user\",\"tenant\":\"convo/risky\"}'\n\nChanges as JSON, each with \"tenant\":\n  revoke, restore             the credential is refused, and accepted again\n  set, remove                 \"answer\", \"field\", and for set \"value\"\n  latency                     \"milliseconds\", perhaps \"answer\"\n  fault, mend                 \"fault\":{\"kind\":…}, perhaps \"answer\", \"times\", \"from_page\"\n  budget                      \"limit\", \"window_seconds\"\n  expire                      tokens and sessions issued so far are refused\n  grant                       \"scope\" that the token endpoint grants\n  change_password             \"password\" of the Okta user\n  change_mfa_key              \"mfa_key\" of the Okta user\n  lock_user                   the Okta user is locked out; \"shown\":true says so\n  expire_password, unassign, deny   the Okta user's password has expired, the application is not for this user, a policy refuses\n  drop_factor                 \"factor\" that the Okta user has no more: google, okta_verify, push, sms, call\n  skew_clock                  \"seconds\" that the vendor's clocks go ahead\n  clear                       every change is taken back"
    )]
    Set {
        /// Application and tenant: `kustomer/risky`.
        tenant: String,
        /// The dataset or path whose answer changes; or a whole change as JSON.
        answer: String,
        /// The field and its new value.
        #[arg(value_name = "FIELD=VALUE")]
        assignment: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Set server, sender and recipients; the password comes by prompt or `--secret-stdin`.
    #[command(
        after_help = "Nothing is sent without TLS. Without a user no login is asked for.\n\nExample:\n  posture mail set --host mail.company.example --user posture --from posture@company.example --to ada@company.example"
    )]
    Set {
        /// The mail server.
        #[arg(long)]
        host: String,
        /// Its port; without it 465, or 587 with `--tls starttls`.
        #[arg(long)]
        port: Option<u16>,
        /// When the connection becomes one with TLS.
        #[arg(long, value_enum, default_value = "implicit")]
        tls: TlsChoice,
        /// Whom to log in as.
        #[arg(long, default_value = "")]
        user: String,
        /// Whom the mail is from.
        #[arg(long, value_name = "ADDRESS")]
        from: String,
        /// Whom it is for.
        #[arg(long, value_name = "ADDRESS", required = true, value_delimiter = ',')]
        to: Vec<String>,
        /// A PEM file with the certificate of your company's authority.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// Read the password from standard input.
        #[arg(long, conflicts_with = "keep_password")]
        secret_stdin: bool,
        /// Keep the password that is sealed, for the same server, port and user.
        #[arg(long)]
        keep_password: bool,
    },
    /// Send a mail that says that it is a test.
    Test,
    /// Forget server, recipients and password; nothing is mailed any more.
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsChoice {
    Implicit,
    Starttls,
}

/// Which findings.
#[derive(Debug, Args)]
pub struct FilterArguments {
    /// Only of these instances, by id or name.
    #[arg(long, value_delimiter = ',')]
    pub instance: Vec<String>,
    /// Only of these applications.
    #[arg(long, value_delimiter = ',')]
    pub app: Vec<String>,
    /// Only of these severities.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub severity: Vec<SeverityChoice>,
    /// Only in these states.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "open")]
    pub state: Vec<StateChoice>,
    /// Only of these checks.
    #[arg(long, value_delimiter = ',')]
    pub check: Vec<String>,
    /// Only with this in title, resource, instance or check.
    #[arg(long, default_value = "")]
    pub text: String,
    /// Simulated tenants alone.
    #[arg(long)]
    pub sandbox: bool,
    /// Only of instances with these owners.
    #[arg(long, value_delimiter = ',')]
    pub owner: Vec<String>,
    /// Only of checks that name one of these controls: `nist_800_53/IA-2`, or `cis_v8` for any of that framework.
    #[arg(long, value_delimiter = ',')]
    pub framework: Vec<String>,
    /// Only those first found at most so many days ago.
    #[arg(long, value_name = "DAYS")]
    pub found_within: Option<u32>,
    /// Only those first found more than so many days ago.
    #[arg(long, value_name = "DAYS")]
    pub older_than: Option<u32>,
}

#[derive(Debug, Args)]
pub struct ChangesArguments {
    /// From when on: `last-visit`, `last-scan`, `7d`, the beginning of a day like 2026-11-01, or the number of a complete scan.
    #[arg(long, default_value = "last-visit", value_name = "MOMENT")]
    pub from: String,
    /// Up to when: `now`, `7d`, the end of a day, or the number of a complete scan.
    #[arg(long, default_value = "now", value_name = "MOMENT")]
    pub to: String,
    /// Only of these instances, by id or name.
    #[arg(long, value_delimiter = ',')]
    pub instance: Vec<String>,
    /// Only these changes; all are counted.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub kind: Vec<ChangeChoice>,
    /// Only of these severities.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub severity: Vec<SeverityChoice>,
    /// Simulated tenants alone.
    #[arg(long)]
    pub sandbox: bool,
    /// Also every setting that differs between the scans at the two ends.
    #[arg(long)]
    pub settings: bool,
    /// Findings to leave out at the beginning.
    #[arg(long, default_value_t = 0)]
    pub offset: u32,
    /// Findings to print, at most 500.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Write all findings with what became of them to this file instead; `-` for standard output.
    #[arg(long, short, value_name = "FILE", conflicts_with = "settings")]
    pub output: Option<String>,
    /// The file's format.
    #[arg(long, value_enum, default_value = "csv")]
    pub format: FormatChoice,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ChangeChoice {
    NewlyFailing,
    Fixed,
    Gone,
    NotRechecked,
    StillFailing,
    Dismissed,
}

#[derive(Debug, Args)]
pub struct ComplianceArguments {
    /// The framework: `sscf`, `nist_800_53`, `cis_v8`, `soc2`, `iso_27001`, `cis_github`; all of them when left out.
    pub framework: Option<String>,
    /// Only this control, with its checks.
    #[arg(conflicts_with_all = ["csv", "html"])]
    pub control: Option<String>,
    /// Write every control, those that are not covered among them, as a table to this file; `-` for standard output.
    #[arg(long, value_name = "FILE", requires = "framework", conflicts_with = "html")]
    pub csv: Option<String>,
    /// The same as a page for auditors and paper.
    #[arg(long, value_name = "FILE", requires = "framework")]
    pub html: Option<String>,
    /// Simulated tenants alone.
    #[arg(long)]
    pub sandbox: bool,
}

#[derive(Debug, Args)]
pub struct InventoryArguments {
    /// The instance, by id or name.
    #[arg(required_unless_present = "everywhere")]
    pub instance: Option<String>,
    /// Those of all instances together.
    #[arg(long, conflicts_with_all = ["instance", "show"])]
    pub everywhere: bool,
    #[command(flatten)]
    pub further: EverywhereArguments,
    /// Only those that have any of these risks: `no_mfa`, `can_write`.
    #[arg(long, value_delimiter = ',')]
    pub risk: Vec<String>,
    /// Only those of which it is not known whether they have any of these risks; with --risk, either.
    #[arg(long, value_delimiter = ',')]
    pub unknown: Vec<String>,
    /// Only of these kinds: `guest`, `webhook`.
    #[arg(long, value_delimiter = ',')]
    pub kind: Vec<String>,
    /// Only with this in a name, identifier, address, role, publisher, user or scope.
    #[arg(long, default_value = "")]
    pub text: String,
    /// Rows to leave out at the beginning.
    #[arg(long, default_value_t = 0)]
    pub offset: u32,
    /// Rows to print, at most 500.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Show this one whole; its id is that of the last complete scan.
    #[arg(long, value_name = "ID", conflicts_with_all = ["output", "risk", "unknown", "kind", "text"])]
    pub show: Option<String>,
    /// Write all that the filter leaves to this file instead; `-` for standard output.
    #[arg(long, short)]
    pub output: Option<String>,
    /// The file's format.
    #[arg(long, value_enum, default_value = "csv", requires = "output")]
    pub format: FormatChoice,
}

/// What can be asked of all instances together.
#[derive(Debug, Args)]
pub struct EverywhereArguments {
    /// Only accounts of this identity: an address, or a key of `posture identities list`.
    #[arg(long, value_name = "KEY", requires = "everywhere")]
    pub identity: Option<String>,
    /// Only plugins that were reviewed and still have the rights of that time.
    #[arg(long, requires = "everywhere", conflicts_with = "not_reviewed")]
    pub reviewed: bool,
    /// Only plugins that were not, or that have other rights now.
    #[arg(long, requires = "everywhere")]
    pub not_reviewed: bool,
    /// Only plugins whose name or publisher names generative AI.
    #[arg(long, requires = "everywhere")]
    pub gen_ai: bool,
    /// Only plugins that this user granted or installed.
    #[arg(long, requires = "everywhere")]
    pub user: Option<String>,
    /// Simulated tenants alone.
    #[arg(long, requires = "everywhere")]
    pub sandbox: bool,
}

#[derive(Debug, Subcommand)]
pub enum IdentitiesCommand {
    /// List who has accounts, over all instances: accounts of one address are one identity.
    #[command(after_help = "Examples:\n  posture identities list --several\n  posture identities list --risk no_mfa --json")]
    List {
        /// Only with this in a name or address.
        #[arg(long, default_value = "")]
        text: String,
        /// Only those with an account that has any of these risks: `no_mfa`.
        #[arg(long, value_delimiter = ',')]
        risk: Vec<String>,
        /// Only those that are known to be a person.
        #[arg(long, conflicts_with = "non_human")]
        human: bool,
        /// Only those that are known to be no person.
        #[arg(long)]
        non_human: bool,
        /// Only those with accounts in more than one instance.
        #[arg(long)]
        several: bool,
        /// Simulated tenants alone.
        #[arg(long)]
        sandbox: bool,
        /// Rows to leave out at the beginning.
        #[arg(long, default_value_t = 0)]
        offset: u32,
        /// Rows to print, at most 500.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Say whose an account is, where its address does not, or says it wrongly.
    #[command(
        after_help = "Examples:\n  posture identities set \"Halden Moor EU\" 17 --as ada@halden.example\n  posture identities set \"Halden Moor EU\" 17 --alone"
    )]
    Set {
        /// The instance, by id or name.
        instance: String,
        /// The account's id in the last complete scan; see `posture accounts`.
        account: String,
        /// It belongs to this identity.
        #[arg(long = "as", value_name = "KEY", required_unless_present_any = ["alone", "by_address"], conflicts_with_all = ["alone", "by_address"])]
        identity: Option<String>,
        /// It belongs to nobody else.
        #[arg(long, conflicts_with = "by_address")]
        alone: bool,
        /// It belongs to whom its address names; the correction is taken back.
        #[arg(long)]
        by_address: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ProtectionChoice {
    Keychain,
    Passphrase,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SeverityChoice {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AnswerChoice {
    Met,
    NotMet,
    NotApplicable,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StateChoice {
    Open,
    Fixed,
    Gone,
    Dismissed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindingFormatChoice {
    Csv,
    Json,
    Html,
    Ocsf,
    Oscal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OcsfVersionChoice {
    #[value(name = "1.5.0")]
    V1_5_0,
    #[value(name = "1.8.0")]
    V1_8_0,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FormatChoice {
    Csv,
    Json,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
