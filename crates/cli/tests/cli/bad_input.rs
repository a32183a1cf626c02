//! What goes wrong outside, as the real program tells it: an exact code, sentence and remedy for each, and nothing stored
//! that should not be.
use crate::stand;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sandbox::{Fault, OverlayChange};
use stand::{COMPANY, PASSPHRASE, Promise, Stand, command_in, command_within, database, failure, files, run, script_in_namespace};
use std::{
    io::{Seek, SeekFrom, Write},
    process::Output,
};

/// What is told: code, sentence, remedy.
struct Told<'a>(&'a str, &'a str, &'a str);

fn tells(what: &str, output: &Output, told: &Told<'_>) {
    assert_eq!(output.status.code(), Some(1), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    let failure = failure(output);
    let heard = [&failure["code"], &failure["sentence"], &failure["remedy"]].map(|text| text.as_str().unwrap().to_owned());
    assert_eq!(heard, [told.0, told.1, told.2], "{what}");
    assert_eq!(output.stdout, b"", "{what}: nothing but the failure is said");
}

/// Adds an instance in a way that fails, and looks whether anything stayed behind.
struct Adding<'a> {
    stand: &'a Stand,
    promise: Promise,
}

impl Adding<'_> {
    fn refused(&mut self, what: &str, arguments: &[&str], input: &str, told: &Told<'_>) {
        let before = files(&self.stand.data().join("vault"));
        let asked = self.stand.vendor.log().len();
        let output = self.stand.posture(arguments, input);
        tells(what, &output, told);
        assert_eq!(files(&self.stand.data().join("vault")), before, "{what}: the vault is as it was");
        assert_eq!(
            self.stand.json(&["--json", "instance", "list", "--sandbox"], ""),
            serde_json::json!([]),
            "{what}: no instance was stored"
        );
        assert_eq!(self.stand.json(&["--json", "requests"], "")["total"], 0, "{what}: no request was stored");
        if !matches!(
            told.0,
            "E-KEY-REFUSED"
                | "E-NOT-JSON"
                | "E-TOO-LARGE"
                | "E-TOO-DEEP"
                | "E-CONNECTION-CUT"
                | "E-REDIRECTED"
                | "E-VENDOR-ERROR"
                | "E-SCOPE-MISSING"
                | "E-PLAN-LACKS"
        ) {
            assert_eq!(self.stand.vendor.log().len(), asked, "{what}: nothing was sent");
        }
        self.promise.holds();
    }

    /// With the stand's own arguments, after these replacements (an empty value takes the argument out).
    fn refused_with(&mut self, what: &str, replace: &[(&str, &str)], input: &str, told: &Told<'_>) {
        let mut arguments = self.stand.add_arguments();
        for (name, value) in replace {
            let at = arguments.iter().position(|argument| argument == name);
            match (at, value.is_empty()) {
                (Some(at), true) => drop(arguments.drain(at..at + 2)),
                (Some(at), false) => arguments[at + 1] = (*value).to_owned(),
                (None, _) => arguments.extend([(*name).to_owned(), (*value).to_owned()]),
            }
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.refused(what, &arguments, input, told);
    }

    /// While every answer to the sign-in goes wrong.
    fn refused_while(&mut self, what: &str, fault: Fault, told: &Told<'_>) {
        let tenant = self.stand.tenant();
        self.stand.change(OverlayChange::Fault {
            tenant: tenant.clone(),
            answer: Some("current-token".into()),
            fault,
            times: None,
            from_page: None,
        });
        let key = format!("{}\n", self.stand.key);
        self.refused_with(what, &[], &key, told);
        self.stand.change(OverlayChange::Clear { tenant: Some(tenant) });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_right_is_refused_and_nothing_is_stored() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    let mut adding = Adding { stand: &stand, promise: Promise::begin("bad-input") };
    adding.refused_with(
        "a malformed key",
        &[],
        "not-a-key\n",
        &Told(
            "E-KEY-MALFORMED",
            "This does not look like the key: it has three parts divided by dots, and 1 was found. Copy it whole. Nothing was sent.",
            "Copy API Key whole and paste it again.",
        ),
    );
    let cut = &stand.key[..stand.key.rfind('.').unwrap() + 1];
    adding.refused_with(
        "a key without its signature",
        &[],
        &format!("{cut}\n"),
        &Told(
            "E-KEY-MALFORMED",
            "This does not look like the key: one of its three parts is empty. Copy it whole. Nothing was sent.",
            "Copy API Key whole and paste it again.",
        ),
    );
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let european = format!(
        "{}.{}.{}",
        part(r#"{"alg":"RS256","typ":"JWT"}"#),
        part(r#"{"orgName":"halden-moor","iss":"https://api.prod2.kustomerapp.com"}"#),
        part("no signature of this vendor")
    );
    adding.refused_with(
        "a key of another region",
        &[("--set", ""), ("--set", "region=us")],
        &format!("{european}\n"),
        &Told(
            "E-KEY-REFUSED",
            "Kustomer refused the key (401). It may have expired, or belong to another region: this key was made for EU.",
            "Choose EU, or create a new key.",
        ),
    );
    let expired = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(335 * 24);
    adding.refused_with(
        "an expired key",
        &[],
        &format!("{}\n", stand.expired_key),
        &Told(
            "E-KEY-REFUSED",
            &format!("Kustomer refused the key (401). It expired on {}.", expired.strftime("%-d %b %Y")),
            "Create a new key.",
        ),
    );
    adding.refused_with(
        "nothing on standard input",
        &[],
        "",
        &Told("E-SECRET-MISSING", "Standard input holds no line for API Key.", "Write one line per secret field, in this order: API Key."),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_out_that_does_not_lead_there_is_told_and_nothing_is_stored() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    let key = format!("{}\n", stand.key);
    let mut adding = Adding { stand: &stand, promise: Promise::begin("bad-input") };
    // A port that was free a moment ago; nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    adding.refused_with(
        "a proxy that is down",
        &[("--proxy", &format!("http://{closed}"))],
        &key,
        &Told(
            "E-PROXY-UNREACHABLE",
            &format!("The proxy {closed} cannot be reached: it refuses connections. halden-moor.api.kustomerapp.com was not asked and the key was not sent."),
            "Check the proxy's address under Network, or choose another way out.",
        ),
    );
    adding.refused_with(
        "an authority that nobody here knows",
        &[("--ca", "")],
        &key,
        &Told(
            "E-TLS-UNKNOWN-CA",
            &format!("The connection to halden-moor.api.kustomerapp.com is not trusted. Its certificate was issued by \"{COMPANY} authority\", which this computer does not know; the key was not sent."),
            "If your company inspects connections, add that authority's certificate file under Network. Otherwise do not go on: somebody may be in between.",
        ),
    );
    adding.refused_with(
        "a password in the proxy's address",
        &[("--proxy", "http://ada:secret@proxy.example:3128")],
        &key,
        &Told(
            "E-PROXY-URL",
            "The proxy's address holds a user name or a password, which would be stored in clear.",
            "Write it as http://proxy.example:3128.",
        ),
    );
    adding.refused_with(
        "a proxy's address that is none",
        &[("--proxy", "proxy.example")],
        &key,
        &Told("E-PROXY-URL", "The proxy's address is not a URL.", "Write it as http://proxy.example:3128."),
    );
    let no_pem = stand.folder.path().join("passphrase");
    adding.refused_with(
        "a CA file that is no PEM",
        &[("--ca", no_pem.to_str().unwrap())],
        &key,
        &Told("E-CA-FILE", "The corporate CA is not a PEM certificate.", "Paste the text that begins with -----BEGIN CERTIFICATE-----."),
    );
    let hollow = stand.folder.path().join("hollow.pem");
    std::fs::write(&hollow, "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n").unwrap();
    adding.refused_with(
        "a CA file that holds no certificate",
        &[("--ca", hollow.to_str().unwrap())],
        &key,
        &Told(
            "E-ROUTE-INVALID",
            "A certificate file under Network cannot be read. Nothing was sent.",
            "Add the authority's certificate as a PEM file.",
        ),
    );
    let absent = stand.folder.path().join("absent.pem");
    adding.refused_with(
        "a CA file that is not there",
        &[("--ca", absent.to_str().unwrap())],
        &key,
        &Told(
            "E-CA-FILE",
            &format!("{} could not be read: No such file or directory (os error 2).", absent.display()),
            "Give the path of a PEM file.",
        ),
    );
    // Straight to the vendor's name where no name service can be asked: without any network, so that nothing leaves this
    // computer wherever the test runs.
    let mut arguments = stand.add_arguments();
    let proxy = arguments.iter().position(|argument| argument == "--proxy").unwrap();
    arguments[proxy + 1] = "none".into();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let alone = script_in_namespace("-n", stand.folder.path(), &stand.data(), "exec \"$@\"", &arguments);
    let output = run(alone, &key);
    tells(
        "a host that is not found",
        &output,
        &Told(
            "E-HOST-NOT-FOUND",
            "halden-moor.api.kustomerapp.com was not found: the name service does not know it. The key was not sent.",
            "Check the name in the instance's fields, and that this computer is connected. Behind a company network, set the proxy under Network.",
        ),
    );
    assert_eq!(stand.json(&["--json", "instance", "list", "--sandbox"], ""), serde_json::json!([]));
    adding.promise.holds();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_none_is_told_and_nothing_is_stored() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    let mut adding = Adding { stand: &stand, promise: Promise::begin("bad-input") };
    let again = "Scan again. If it happens again, send us the shape of the answer: posture schema prints it without values.";
    let elsewhere = "Check the host in the instance's fields. A sign-in page of a network or proxy in between also looks like this.";
    let told = |code, sentence, remedy| Told(code, sentence, remedy);
    let cases = [
        (
            "HTML instead of JSON",
            Fault::Html,
            told("E-NOT-JSON", "halden-moor.api.kustomerapp.com answered with a web page instead of JSON.", elsewhere),
        ),
        (
            "half a JSON",
            Fault::HalfJson,
            told(
                "E-NOT-JSON",
                "halden-moor.api.kustomerapp.com answered with JSON that breaks off in the middle instead of JSON.",
                elsewhere,
            ),
        ),
        (
            "a body without an end",
            Fault::EndlessBody,
            told("E-TOO-LARGE", "halden-moor.api.kustomerapp.com answered with more than 32 MiB; reading stopped there.", again),
        ),
        (
            "JSON 100,000 levels deep",
            Fault::DeepJson { depth: 100_000 },
            told(
                "E-TOO-DEEP",
                "halden-moor.api.kustomerapp.com answered with JSON nested more than 127 levels deep; it was not read.",
                again,
            ),
        ),
        (
            "a connection that ends in the middle",
            Fault::Cut,
            told(
                "E-CONNECTION-CUT",
                "The connection to halden-moor.api.kustomerapp.com ended before the answer was complete.",
                "Scan again. If it happens again, check the connection and the proxy.",
            ),
        ),
        (
            "a redirect",
            Fault::Redirect { location: "https://www.kustomerapp.com/".into() },
            told(
                "E-REDIRECTED",
                "halden-moor.api.kustomerapp.com answered with a redirect (302) instead of data. It was not followed.",
                elsewhere,
            ),
        ),
        (
            "an error of the vendor",
            Fault::Status { status: 500, retry_after: None },
            told(
                "E-VENDOR-ERROR",
                "Kustomer answered with an error of its own (500).",
                "Look at the vendor's status page and scan again later.",
            ),
        ),
        (
            "a role that is missing",
            Fault::Status { status: 403, retry_after: None },
            told(
                "E-SCOPE-MISSING",
                "The key in use could not be read. The key may not read it (403).",
                "Create a new key that may read it, and replace the stored one.",
            ),
        ),
        (
            "a plan that lacks it",
            Fault::Status { status: 402, retry_after: None },
            told(
                "E-PLAN-LACKS",
                "The key in use could not be read. The organization's Kustomer plan does not include it (402).",
                "Ask Kustomer which plan includes it.",
            ),
        ),
    ];
    for (what, fault, told) in cases {
        adding.refused_while(what, fault, &told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_do_not_fit_are_told_and_nothing_is_stored() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    let key = format!("{}\n", stand.key);
    let mut adding = Adding { stand: &stand, promise: Promise::begin("bad-input") };
    let arguments = ["--json", "instance", "add", "kustomr", "--name", "Halden Moor", "--secret-stdin"];
    adding.refused(
        "an unknown application",
        &arguments,
        &key,
        &Told("E-APP-UNKNOWN", "The catalog has no application kustomr.", "See Add Application, or `posture apps`."),
    );
    let cases = [
        (
            "an unknown region",
            [("--set", "region=mars")],
            Told("E-FIELD-MALFORMED", "Choose one of US, EU, India. Nothing was sent.", "Region looks like this: US."),
        ),
        (
            "an organization's name with a dot too many",
            [("--set", "organization=halden.moor.example")],
            Told(
                "E-FIELD-MALFORMED",
                "This is another host. Write only the name before \".api.kustomerapp.com\" or \".kustomerapp.com\". Nothing was sent.",
                "Organization name looks like this: halden-moor.",
            ),
        ),
        (
            "an unknown label",
            [("--label", "Prod")],
            Told("E-LABEL", "There is no label Prod.", "Use one of Default, Production, Sandbox, Internal, QA, Dev."),
        ),
        (
            "a name of spaces",
            [("--name", "  ")],
            Told("E-NAME", "An instance needs a name of 1 to 80 characters.", "Name it as your colleagues call it: \"Halden Moor EU\"."),
        ),
        (
            "a threshold that is not there",
            [("--answer", "kustomer.users.external_domain.domain=haldenmoor.example")],
            Told(
                "E-PARAM-UNKNOWN",
                "kustomer.users.external_domain has no threshold domain.",
                "See the thresholds of the instance's settings.",
            ),
        ),
    ];
    for (what, replace, told) in cases {
        adding.refused_with(what, &replace, &key, &told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_meets_later_is_told() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    let mut promise = Promise::begin("bad-input");
    let instance = stand.add();
    let before = files(&stand.data().join("vault"));
    let arguments = stand.add_arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let asked = stand.vendor.log().len();
    tells(
        "a name that is taken",
        &stand.posture(&arguments, &format!("{}\n", stand.key)),
        &Told("E-NAME-TAKEN", "There is already an instance named Halden Moor.", "Choose another name."),
    );
    assert_eq!(stand.vendor.log().len(), asked, "nothing was sent");
    assert_eq!(files(&stand.data().join("vault")), before, "nothing was sealed");
    promise.holds();
    for command in [
        &["scan", "Nobody"][..],
        &["instance", "test", "Nobody"],
        &["instance", "show", "Nobody"],
        &["instance", "delete", "Nobody", "--yes"],
        &["schema", "Nobody"],
    ] {
        let output = stand.posture(&[&["--json"], command].concat(), "");
        tells(
            "an unknown instance",
            &output,
            &Told("E-NOT-FOUND", "There is no instance Nobody.", "See `posture instance list --sandbox`."),
        );
        promise.holds();
    }

    // A list that does not end: the scan does, says so, and nothing of it counts as read whole.
    stand.change(OverlayChange::Fault {
        tenant: stand.tenant(),
        answer: Some("teams".into()),
        fault: Fault::EndlessPages,
        times: None,
        from_page: None,
    });
    stand.json(&["--json", "scan", "Halden Moor"], "");
    stand.change(OverlayChange::Clear { tenant: Some(stand.tenant()) });
    let page = stand.json(&["--json", "instance", "show", "Halden Moor"], "");
    let teams = page["datasets"].as_array().unwrap().iter().find(|dataset| dataset["id"] == "teams").unwrap();
    assert_eq!(teams["state"], "partial");
    assert_eq!(
        teams["cause"]["sentence"],
        "Teams could be read in part only. halden-moor.api.kustomerapp.com sends page after page without an end; reading stopped after 11 pages."
    );
    assert!(stand.vendor.log().iter().filter(|request| request.path == "/v1/teams").count() < 30, "it was not asked for ever");
    assert_eq!(instance["name"], "Halden Moor");
    promise.holds();

    // The key is taken back: the scan says so, and what was found before stays.
    let findings = stand.json(&["--json", "findings"], "")["total"].clone();
    stand.change(OverlayChange::Revoke { tenant: stand.tenant() });
    let output = stand.posture(&["--json", "scan", "Halden Moor"], "");
    tells_scan(
        &output,
        &Told(
            "E-KEY-REFUSED",
            "Kustomer refused the key (401). It may have expired, or belong to another region than EU.",
            "Choose US or India, if your Kustomer organization lies there, or create a new key.",
        ),
    );
    assert_eq!(stand.json(&["--json", "findings"], "")["total"], findings);
    promise.holds();
}

/// A scan says its outcomes on standard output as well.
fn tells_scan(output: &Output, told: &Told<'_>) {
    assert_eq!(output.status.code(), Some(1));
    let failure = failure(output);
    assert_eq!([&failure["code"], &failure["sentence"], &failure["remedy"]], [told.0, told.1, told.2]);
}

const NEWER: Told<'_> = Told(
    "E-DB-NEWER",
    "The database was written by a newer version of Posture Console (schema 99) that this version (schema 8) cannot read.",
    "Install the newest version of Posture Console.",
);
const DAMAGED: Told<'_> = Told(
    "E-DB-DAMAGED",
    "The database file is damaged and cannot be read.",
    "Close Posture Console, move the database file away or restore it from a backup, and start again. Instances are then added anew.",
);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_read_is_told_and_left_alone() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let mut promise = Promise::begin("bad-input");
    let commands = [&["--json", "findings"][..], &["--json", "instance", "list"], &["--json", "scan", "--all"]];
    let whole = files(&stand.data());
    let restore = || {
        for (path, bytes) in &whole {
            std::fs::write(stand.data().join(path), bytes).unwrap();
        }
    };

    database(&stand.data()).execute_batch("UPDATE meta SET schema = 99, oldest_reader = 99").unwrap();
    let newer = std::fs::read(stand.data().join("posture.db")).unwrap();
    for command in commands {
        tells("a database from a newer version", &stand.posture(command, ""), &NEWER);
        promise.holds();
    }
    assert_eq!(std::fs::read(stand.data().join("posture.db")).unwrap(), newer, "it was not written to");
    restore();

    let path = stand.data().join("posture.db");
    let length = std::fs::metadata(&path).unwrap().len();
    // A bit of every page but the first: which pages a command reads is the database's business.
    let behind: Vec<u64> = (1..length / 4096).map(|page| page * 4096 + 64).collect();
    assert!(behind.len() > 10);
    for (what, places) in [("damaged at its beginning", &[64][..]), ("damaged behind its first page", &behind)] {
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        for at in places {
            file.seek(SeekFrom::Start(*at)).unwrap();
            file.write_all(&[0xA5; 16]).unwrap();
        }
        drop(file);
        tells(what, &stand.posture(&["--json", "findings"], ""), &DAMAGED);
        restore();
        promise.holds();
    }
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(7).unwrap();
    tells("cut to a few bytes", &stand.posture(&["--json", "findings"], ""), &DAMAGED);
    restore();
    promise.holds();

    std::fs::write(stand.folder.path().join("passphrase"), "another horse battery staple").unwrap();
    tells(
        "a wrong passphrase",
        &stand.posture(&["--json", "findings"], ""),
        &Told(
            "E-PASSPHRASE",
            "The passphrase is not right.",
            "Type it again. If it is forgotten, the recovery key opens the database; credentials must then be entered anew.",
        ),
    );
    std::fs::write(stand.folder.path().join("passphrase"), PASSPHRASE).unwrap();
    promise.holds();

    std::fs::rename(stand.data().join("vault"), stand.folder.path().join("vault-away")).unwrap();
    tells(
        "a database whose keys are gone",
        &stand.posture(&["--json", "init", "--protection", "passphrase"], ""),
        &Told(
            "E-DB-KEYS-MISSING",
            "There is a database in the data folder, but the files with its keys are missing.",
            "Restore the folder \"vault\" from a backup, or move the database away to begin anew.",
        ),
    );
    std::fs::remove_dir_all(stand.data().join("vault")).ok();
    std::fs::rename(stand.folder.path().join("vault-away"), stand.data().join("vault")).unwrap();
    promise.holds();
    assert!(stand.json(&["--json", "findings"], "")["total"].as_u64().unwrap() > 0, "restored, it opens again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_what_was_stored_is_unharmed() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let mut promise = Promise::begin("bad-input");
    let findings = stand.json(&["--json", "findings", "--limit", "500"], "");
    // A disk of 6 MiB in the data folder's place, with what was stored on it and hardly anything free: too little to open the
    // database for writing, and too little for what a scan reads.
    for free in ["16k", "64k"] {
        let script = format!(
            "rm -rf \"$DATA.kept\" \"$DATA.after\"; cp -a \"$DATA\" \"$DATA.kept\"; mount -t tmpfs -o size=6m tmpfs \"$DATA\"; cp -a \"$DATA.kept/.\" \"$DATA\"; \
             dd if=/dev/zero of=\"$DATA/filler\" bs=4k 2>/dev/null || true; truncate -s -{free} \"$DATA/filler\"; \
             set +e; \"$@\"; code=$?; rm \"$DATA/filler\"; cp -a \"$DATA\" \"$DATA.after\"; exit $code"
        );
        let output = run(script_in_namespace("-m", stand.folder.path(), &stand.data(), &script, &["--json", "scan", "--all"]), "");
        tells_scan(
            &output,
            &Told(
                "E-DISK-FULL",
                "The disk is full: nothing more could be written to the database.",
                "Free some space on the disk that holds the data folder and try again. What was stored before is unharmed.",
            ),
        );
        let after = stand.data().with_extension("after");
        let kept = run(command_in(stand.folder.path(), &after, &["--json", "findings", "--limit", "500"]), "");
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&kept.stdout).unwrap(), findings, "what was found before is still there");
        // With room again, the next scan completes.
        let scanned = run(command_in(stand.folder.path(), &after, &["--json", "scan", "--all"]), "");
        assert!(scanned.status.success(), "{}", String::from_utf8_lossy(&scanned.stderr));
        promise.holds();
    }

    let script = "mkdir \"$DATA.new\"; mount -t tmpfs -o size=4k tmpfs \"$DATA.new\"; exec \"$1\" --passphrase-fd 3 --data-folder \"$DATA.new\" --json init --protection passphrase";
    let output = run(script_in_namespace("-m", stand.folder.path(), &stand.data(), script, &[]), "");
    tells(
        "no room for a new database",
        &output,
        &Told(
            "E-DISK-FULL",
            "The disk is full: nothing more could be written to the vault.",
            "Free some space on the disk that holds the data folder and try again. What was stored before is unharmed.",
        ),
    );
    promise.holds();
}

#[test]
fn a_keychain_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
    let data = folder.path().join("data");
    let mut promise = Promise::begin("bad-input");
    let absent = Told(
        "E-KEYCHAIN-ABSENT",
        "This system offers no keychain.",
        "Start a keychain service such as GNOME Keyring or KWallet and start Posture Console again, or choose to protect the data by a passphrase.",
    );
    for address in [None, Some("unix:path=/nonexistent/bus")] {
        let mut command = command_in(folder.path(), &data, &["--json", "init"]);
        command.env("XDG_RUNTIME_DIR", folder.path()).env_remove("DBUS_SESSION_BUS_ADDRESS");
        if let Some(address) = address {
            command.env("DBUS_SESSION_BUS_ADDRESS", address);
        }
        tells("no keychain", &run(command, ""), &absent);
        assert!(!data.join("posture.db").exists() && !data.join("vault").join("vault.json").exists(), "nothing was created");
        promise.holds();
    }
    // A bus with a Secret Service whose keyring nobody has unlocked.
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let mut command = std::process::Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", "exec \"$0\" --data-folder \"$DATA\" --json init"]).arg(env!("CARGO_BIN_EXE_posture"));
    command.env("DATA", &data).env("HOME", &home).env("XDG_DATA_HOME", &home).env("XDG_RUNTIME_DIR", &home).env_remove("DISPLAY");
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    tells(
        "a locked keychain",
        &run(command, ""),
        &Told(
            "E-KEYCHAIN-LOCKED",
            "The system's keychain is locked or refused access.",
            "Unlock the keychain, usually by signing in to the desktop, and try again.",
        ),
    );
    assert!(!data.join("posture.db").exists(), "nothing was created");
    promise.holds();

    std::fs::write(folder.path().join("passphrase"), "short").unwrap();
    tells(
        "a short passphrase",
        &run(command_in(folder.path(), &data, &["--json", "init", "--protection", "passphrase"]), ""),
        &Told(
            "E-PASSPHRASE-SHORT",
            "The passphrase is shorter than 12 characters.",
            "Choose a longer one; several words are easy to remember.",
        ),
    );
    promise.holds();
    tells(
        "a descriptor that is not open",
        &run(command_within(folder.path(), &data, "exec 3<&-; ", &["--json", "init", "--protection", "passphrase"]), ""),
        &Told(
            "E-SECRET-UNREADABLE",
            "The secret could not be read from file descriptor 3: No such device or address (os error 6).",
            "Run the command in a terminal, or use --secret-stdin or --passphrase-fd.",
        ),
    );
    promise.holds();
    tells(
        "no database yet",
        &run(command_in(folder.path(), &folder.path().join("nothing"), &["--json", "findings"]), ""),
        &Told("E-NOT-STARTED", "There is no database yet.", "Run `posture init`, or open the console once."),
    );
    promise.holds();
}

#[test]
fn a_manifest_that_is_not_right_is_told_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
    let mut promise = Promise::begin("bad-input");
    let remedy = "Mend the line that is named; nothing of this application is used until then.";
    let clash = "A manifest is not right. kustomer/app.toml:1: the application \"kustomer\" is there already; give the folder another name, or write extends = \"kustomer\" to add checks to it";
    let cases = [
        ("kustomer", "slug = \"kustomer\"\nname = \"Ours\"\n", "", clash.to_owned()),
        ("ours", "extends = \"kustomer\"\n", "[[check]]\nid = \"ours.users.any\"\nbogus = 1\n", "A manifest is not right. ours/checks.toml:1: [[check]] lacks `feature`: one of config, risky_accounts, third_party_plugins, identity (and 11 more)".to_owned()),
        ("ours", "slug = \"ours\"\nname = \n", "", "A manifest is not right. ours/app.toml:2: this is not TOML: string values must be quoted, expected literal string".to_owned()),
    ];
    for (number, (name, app, checks, sentence)) in cases.iter().enumerate() {
        let own = folder.path().join(format!("catalog-{number}"));
        std::fs::create_dir_all(own.join(name)).unwrap();
        std::fs::write(own.join(name).join("app.toml"), app).unwrap();
        if !checks.is_empty() {
            std::fs::write(own.join(name).join("checks.toml"), checks).unwrap();
        }
        let arguments = ["--json", "--catalog-folder", own.to_str().unwrap(), "catalog"];
        let output = run(command_in(folder.path(), &folder.path().join("data"), &arguments), "");
        tells("a bad manifest", &output, &Told("E-MANIFEST", sentence, remedy));
        promise.holds();
    }
}
