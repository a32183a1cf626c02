//! What may not be sent is not sent: a real instance does not trust a sandbox, a sandbox instance reaches nothing but its
//! sandbox, a scan asks for what its catalog declares, and a folder of a user's own can widen none of it.
use crate::stand;

use serde_json::Value;
use stand::{Promise, Stand, add_through, command_in, failure, files, run, script_in_namespace};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    process::Child,
};

/// A program that is ended with the test, as Ctrl-C would.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// `posture sandbox up`, and what it says of itself.
fn sandbox_up(stand: &Stand) -> (Served, Value) {
    let mut served = Served(stand.command(&["--json", "sandbox", "up"]).spawn().unwrap());
    let mut said = String::new();
    for line in BufReader::new(served.0.stdout.take().unwrap()).lines() {
        said.push_str(&line.unwrap());
        if let Ok(value) = serde_json::from_str(&said) {
            return (served, value);
        }
    }
    let mut error = String::new();
    served.0.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    panic!("the sandbox did not start: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_instance_refuses_the_sandboxs_authority_while_the_sandbox_runs() {
    let mut promise = Promise::begin("request-refused");
    let stand = Stand::kustomer("risky").await;
    stand.init();
    let (_up, said) = sandbox_up(&stand);
    let (proxy, ca) = (format!("http://{}", said["proxy"].as_str().unwrap()), said["ca_file"].as_str().unwrap().to_owned());
    let before = files(&stand.data().join("vault"));
    let add = add_through(&proxy);
    // With its certificate given by hand, and without.
    let cases = [
        (
            &["--ca", &ca][..],
            "E-ROUTE-INVALID",
            "A sandbox's certificate authority cannot be added to an instance that is not a sandbox. Nothing was sent.",
        ),
        (
            &[],
            "E-TLS-SANDBOX-CA",
            "The connection to halden-moor.api.kustomerapp.com is not trusted. Its certificate was made by a Posture Console sandbox, which only sandbox instances may use; the key was not sent.",
        ),
    ];
    for (extra, code, sentence) in cases {
        let output = stand.posture(&[&add[..], extra].concat(), &format!("{}\n", stand.key));
        assert_eq!(output.status.code(), Some(1));
        let told = failure(&output);
        assert_eq!([&told["code"], &told["sentence"]], [code, sentence]);
        assert_eq!(files(&stand.data().join("vault")), before, "nothing was sealed");
        assert_eq!(stand.json(&["--json", "instance", "list", "--sandbox"], ""), serde_json::json!([]), "no instance was stored");
        promise.holds();
    }
    // Also where somebody has put it among the authorities that this computer trusts.
    let mut command = stand.command(&add);
    command.env("SSL_CERT_FILE", &ca);
    let output = run(command, &format!("{}\n", stand.key));
    assert_eq!(failure(&output)["code"], "E-TLS-SANDBOX-CA");
    assert_eq!(stand.json(&["--json", "instance", "list", "--sandbox"], ""), serde_json::json!([]));
    promise.holds();
}

#[test]
fn a_sandboxs_scan_sends_no_packet_beyond_this_computer() {
    let mut promise = Promise::begin("request-refused");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("passphrase"), stand::PASSPHRASE).unwrap();
    // A network of its own with nothing but the loopback in it. The kernel counts what was meant for elsewhere.
    let script = "ip link set lo up; \"$@\" >\"$DATA.json\"; cat /proc/net/snmp >\"$DATA.before\"; \
        bash -c 'echo >/dev/tcp/192.0.2.1/443' 2>/dev/null || true; cat /proc/net/snmp >\"$DATA.after\"; cat /proc/net/dev >\"$DATA.dev\"";
    let data = folder.path().join("data");
    let arguments = ["--json", "sandbox", "scan", "--app", "kustomer", "--tenant", "risky"];
    let mut scan = script_in_namespace("-n", folder.path(), &data, script, &arguments);
    // What a careless program would follow.
    scan.env("HTTPS_PROXY", "http://192.0.2.7:3128").env("ALL_PROXY", "http://192.0.2.7:3128");
    let output = run(scan, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(data.with_extension(name)).unwrap();
    let scanned: Value = serde_json::from_str(&read("json")).unwrap();
    assert_eq!(scanned["instances"][0]["sandbox"], true);
    assert!(scanned["findings"]["total"].as_u64().unwrap() > 10, "the tenant was read and judged");
    assert_eq!(unroutable(&read("before")), 0, "nothing was meant for another computer");
    assert_eq!(unroutable(&read("after")), unroutable(&read("before")) + 1, "a packet that is meant for another computer is counted");
    let links: Vec<String> = read("dev").lines().skip(2).map(|line| line.split(':').next().unwrap().trim().to_owned()).collect();
    assert_eq!(links, ["lo"]);
    promise.holds();
}

/// How many packets had no way to go: `Ip: OutNoRoutes` of <https://docs.kernel.org/networking/snmp_counter.html>.
fn unroutable(snmp: &str) -> u64 {
    let mut lines = snmp.lines().filter(|line| line.starts_with("Ip:"));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let at = names.split_whitespace().position(|name| name == "OutNoRoutes").unwrap();
    values.split_whitespace().nth(at).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_instances_scan_asks_for_nothing_but_what_the_catalog_declares() {
    let mut promise = Promise::begin("request-refused");
    let stand = Stand::kustomer("risky").await;
    stand.init();
    stand.add();
    stand.json(&["--json", "scan", "Halden Moor"], "");
    stand.json(&["--json", "instance", "test", "Halden Moor"], "");
    stand.json(&["--json", "schema", "Halden Moor"], "");
    let catalog = stand.json(&["--json", "catalog", "kustomer"], "");
    let declared: BTreeSet<&str> =
        catalog["apps"][0]["datasets"].as_array().unwrap().iter().map(|dataset| dataset["path"].as_str().unwrap()).collect();
    let asked = stand.vendor.log();
    assert!(asked.len() > 40, "{} requests", asked.len());
    for request in &asked {
        assert_eq!(request.method, "GET");
        assert!(declared.contains(request.path.as_str()), "{} is declared", request.path);
        assert_ne!(request.path, "/v1/auth/customer/settings", "its answer holds a secret");
        assert_eq!(request.host, "halden-moor.api.kustomerapp.com", "the organization's own host");
        promise.holds();
    }
    assert_eq!(stand.vendor.refused(), Vec::<String>::new(), "the proxy was asked for no other host");
    // What was asked is what the log says, no more and no less.
    let logged = stand.json(&["--json", "requests", "--limit", "500"], "");
    let mut written: Vec<String> = logged["rows"].as_array().unwrap().iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect();
    let mut seen: Vec<String> = asked.iter().map(|request| request.path.clone()).collect();
    written.sort();
    seen.sort();
    assert_eq!(written, seen);
    promise.holds();
}

#[test]
fn a_folder_of_ones_own_can_widen_no_login_that_is_built_in() {
    let mut promise = Promise::begin("request-refused");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("passphrase"), stand::PASSPHRASE).unwrap();
    let login = "[[login]]\nid = \"api-key\"\nlabel = \"API Key\"\nhosts = [\"collector.example\"]\n";
    let dataset = "[[dataset]]\nid = \"users\"\nmethod = \"POST\"\npath = \"/v1/users\"\n";
    let cases = [
        ("the built-in name", "kustomer", "slug = \"kustomer\"\nname = \"Kustomer\"\n".to_owned(), String::new()),
        ("another host", "wider", format!("extends = \"kustomer\"\n{login}"), String::new()),
        ("another host under a slug", "wider", format!("extends = \"kustomer\"\nslug = \"kustomer\"\n{login}"), String::new()),
        ("a request that writes", "wider", "extends = \"kustomer\"\n".to_owned(), dataset.to_owned()),
        ("a further dataset", "wider", "extends = \"kustomer\"\n".to_owned(), dataset.replace("POST", "GET").replace("users", "customers")),
    ];
    for (number, (what, name, app, datasets)) in cases.iter().enumerate() {
        let own = folder.path().join(format!("catalog-{number}"));
        std::fs::create_dir_all(own.join(name)).unwrap();
        std::fs::write(own.join(name).join("app.toml"), app).unwrap();
        if !datasets.is_empty() {
            std::fs::write(own.join(name).join("datasets.toml"), datasets).unwrap();
        }
        let arguments = ["--json", "--catalog-folder", own.to_str().unwrap(), "catalog", "kustomer"];
        let output = run(command_in(folder.path(), &folder.path().join("data"), &arguments), "");
        assert_eq!(output.status.code(), Some(1), "{what}: {}", String::from_utf8_lossy(&output.stdout));
        let told = failure(&output);
        assert_eq!(told["code"], "E-MANIFEST", "{what}: {told}");
        assert!(told["sentence"].as_str().unwrap().contains(&format!("{name}/")), "{what}: {told}");
        promise.holds();
    }
}
