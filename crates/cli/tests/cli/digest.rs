//! The digest and its mail in the terminal.
use crate::stand::{Stand, failure, run};
use serde_json::{Value, json};
use std::process::Output;
use tokio::net::TcpSocket;

const PASSWORD: &str = "correct horse 4711";

/// A stand whose programs all live in one time zone.
struct Zoned {
    stand: Stand,
    zone: String,
}

impl Zoned {
    /// In which it is early afternoon, so that no midnight comes between two programs.
    fn early_afternoon(stand: Stand) -> Self {
        let hour = i32::from(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).hour());
        // In POSIX what is east of Greenwich is negative.
        Self { stand, zone: format!("<test>{}", hour - 13) }
    }

    fn posture(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.stand.command(arguments);
        command.env("TZ", &self.zone);
        run(command, input)
    }

    fn json(&self, arguments: &[&str], input: &str) -> Value {
        let output = self.posture(arguments, input);
        assert!(output.status.success(), "posture {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_digest_is_told_written_and_mailed_and_the_password_stays_here() {
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    let stand = Zoned::early_afternoon(stand);
    let told = stand.json(&["--json", "digest"], "");
    assert!(told["stored"] == false && told["new"]["high"].as_u64() > Some(0), "{told}");
    let text = String::from_utf8(stand.posture(&["digest"], "").stdout).unwrap();
    assert!(text.starts_with("Daily digest of ") && text.contains("New findings"), "{text}");
    let page = stand.stand.folder.path().join("digest.html");
    stand.json(&["--json", "digest", "--html", page.to_str().unwrap()], "");
    let written = std::fs::read_to_string(&page).unwrap();
    assert!(written.starts_with("<!doctype html>") && written.ends_with("</html>\n"), "{written}");
    let missing = stand.posture(&["--json", "digest", "--day", "2020-01-01"], "");
    assert_eq!((missing.status.code(), &failure(&missing)["code"]), (Some(1), &"E-NOT-FOUND".into()));
    assert_eq!(failure(&stand.posture(&["--json", "digest", "--send"], ""))["code"], "E-MAIL-NOT-SET");
    assert_eq!(stand.json(&["--json", "digest"], "")["stored"], false, "nothing was made of it");

    // A port that nobody listens on, kept so that nobody else gets it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let set = ["--json", "mail", "set", "--host", "localhost", "--port", &port, "--user", "posture", "--from", "posture@halden.example"];
    let with = |more: &[&'static str]| [&set[..], more].concat();
    let wrong = stand.posture(&with(&["--to", "nobody", "--secret-stdin"]), &format!("{PASSWORD}\n"));
    assert_eq!((&failure(&wrong)["code"], &failure(&wrong)["field"]), (&"E-MAIL-ADDRESS".into(), &"recipients".into()));
    let state = stand.json(&with(&["--to", "ada@halden.example,mei@halden.example", "--secret-stdin"]), &format!("{PASSWORD}\n"));
    assert_eq!(state["settings"]["recipients"], json!(["ada@halden.example", "mei@halden.example"]));
    assert!(state["password_set_at"].is_string() && !state.to_string().contains(PASSWORD), "{state}");
    // The next process finds it sealed as it was.
    stand.json(&with(&["--to", "ada@halden.example", "--keep-password"]), "");
    let elsewhere = stand.posture(
        &[
            "--json",
            "mail",
            "set",
            "--host",
            "mail.evil.example",
            "--user",
            "posture",
            "--from",
            "p@halden.example",
            "--to",
            "e@evil.example",
            "--keep-password",
        ],
        "",
    );
    assert_eq!(failure(&elsewhere)["code"], "E-MAIL-PASSWORD");
    assert_eq!(failure(&stand.posture(&["--json", "mail", "test"], ""))["code"], "E-MAIL-UNREACHABLE");
    assert_eq!(failure(&stand.posture(&["--json", "digest", "--send"], ""))["code"], "E-MAIL-UNREACHABLE");
    let kept = stand.json(&["--json", "digest"], "");
    assert_eq!(
        (&kept["stored"], &kept["mailed_at"], &kept["mail_failure"]["code"]),
        (&true.into(), &Value::Null, &"E-MAIL-UNREACHABLE".into())
    );
    let text = String::from_utf8(stand.posture(&["digest"], "").stdout).unwrap();
    assert!(text.contains("Not mailed: The mail server localhost takes no connection"), "{text}");
    let shown = String::from_utf8(stand.posture(&["mail"], "").stdout).unwrap();
    assert!(shown.contains("Server:     localhost") && shown.contains("TLS from the beginning") && !shown.contains(PASSWORD), "{shown}");

    assert_eq!(stand.json(&["--json", "mail", "remove"], "")["settings"], Value::Null);
    assert_eq!(failure(&stand.posture(&["--json", "mail", "test"], ""))["code"], "E-MAIL-NOT-SET");
    let acts = stand.json(&["--json", "activity"], "").to_string();
    assert!(
        acts.contains("digest not mailed") && acts.contains("mail changed") && acts.contains("mail removed") && !acts.contains(PASSWORD)
    );
}
