//! New versions from a server on loopback: none configured, one signed by somebody else, one for another version, and the right one.

use std::{
    fs,
    io::{Cursor, Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use minisign::KeyPair;

use crate::{
    console,
    desktop::{Colours, Desktop, Keychain},
    driver::Window,
    promise::Promise,
};

/// What the server answers: an announcement and the program it announces.
#[derive(Clone, Default)]
struct Answers {
    announcement: Arc<Mutex<String>>,
    program: Arc<Mutex<Vec<u8>>>,
}

/// A server that answers `/latest.json` and `/program`, one after the other.
fn serve(answers: Answers) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    let port = listener.local_addr().expect("a listener has an address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = Vec::new();
            let mut part = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => request.extend_from_slice(&part[..count]),
                }
            }
            let body = if request.starts_with(b"GET /latest.json") {
                answers.announcement.lock().unwrap_or_else(PoisonError::into_inner).clone().into_bytes()
            } else {
                answers.program.lock().unwrap_or_else(PoisonError::into_inner).clone()
            };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // The client may have gone away.
            let _sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    port
}

/// The signature of a program for a version, as a publisher's tool writes it.
fn signed(key: &KeyPair, program: &[u8], version: &str) -> String {
    let comment = format!("timestamp:1763769600\tfile:posture-console.AppImage\tversion:{version}");
    let signature = minisign::sign(None, &key.sk, Cursor::new(program), Some(&comment), None).expect("it can be signed");
    STANDARD.encode(signature.into_string())
}

fn announcement(port: u16, version: &str, signature: &str) -> String {
    let target = format!("linux-{}", std::env::consts::ARCH);
    serde_json::json!({
        "version": version,
        "notes": "Findings across instances.\n<b>No markup.</b>",
        "platforms": { target: { "signature": signature, "url": format!("http://127.0.0.1:{port}/program") } },
    })
    .to_string()
}

#[tokio::test]
async fn a_new_version_is_installed_only_with_the_publishers_signature() {
    let mut promise = Promise::begin("window");
    let desktop = Desktop::start(Keychain::Unlocked, Colours::Light);
    // Installing replaces the program that runs, so a copy does.
    let folder = tempfile::tempdir_in(console().parent().expect("a program lies in a folder")).expect("a folder can be made");
    let program = folder.path().join("posture-console");
    fs::copy(console(), &program).expect("the program can be copied");

    let window = Window::open(&desktop, &program, &[], &[]).await;
    window.click("first-start-continue").await;
    window.click("recovery-kept").await;
    window.click("sandbox-skip").await;
    window.click("nav-settings").await;
    let off = window.says("update-off").await;
    assert!(off.contains("updates.json"), "{off}");
    assert!(!window.has("update-look").await, "nobody can be asked");

    let (key, other) = (pair(), pair());
    // What is installed has to be a program by its first bytes; it is not started.
    let newer = [b"\x7fELF".as_slice(), &[7; 3 << 20], b"a newer version"].concat();
    let installed = fs::metadata(&program).expect("it is there").len();
    let answers = Answers::default();
    *answers.program.lock().unwrap_or_else(PoisonError::into_inner) = newer.clone();
    let port = serve(answers.clone());
    configure(&desktop, port, &key);

    // Signed by somebody else, and for another version than the one that is announced: neither is installed.
    for signature in [signed(&other, &newer, "9.9.9"), signed(&key, &newer, "0.0.1")] {
        *answers.announcement.lock().unwrap_or_else(PoisonError::into_inner) = announcement(port, "9.9.9", &signature);
        settings_again(&window).await;
        press(&window, "update-look").await;
        window.shows("Version 9.9.9 is there").await;
        press(&window, "update-install").await;
        assert_eq!(window.says("failure-code").await, "E-UPDATE-SIGNATURE");
        assert_eq!(fs::metadata(&program).expect("it is there").len(), installed, "nothing was installed");
    }
    promise.holds();

    // This very version is none that is newer.
    *answers.announcement.lock().unwrap_or_else(PoisonError::into_inner) = announcement(port, env!("CARGO_PKG_VERSION"), "");
    settings_again(&window).await;
    press(&window, "update-look").await;
    window.shows("This is the newest version").await;

    *answers.announcement.lock().unwrap_or_else(PoisonError::into_inner) = announcement(port, "9.9.9", &signed(&key, &newer, "9.9.9"));
    press(&window, "update-look").await;
    assert!(window.says("update-notes").await.contains("<b>No markup.</b>"), "the publisher's words are shown as text");
    press(&window, "update-install").await;
    window.at("update-installed").await;
    assert!(fs::read(&program).expect("it is there") == newer, "the newer program is installed");
    assert_eq!(fs::metadata(&program).expect("it is there").permissions().mode() & 0o111, 0o111, "and can be started");
    window.close().await;
    promise.holds();
}

/// By the keyboard: lists above that are still coming move what a pointer would hit.
async fn press(window: &Window, handle: &str) {
    window.type_into(handle, thirtyfour::Key::Enter + "").await;
}

/// Leaves the settings and comes back, until what is looked at is there.
async fn settings_again(window: &Window) {
    window.click("nav-overview").await;
    window.click("nav-settings").await;
    for part in ["settings-keep-running", "catalog-place", "update-words"] {
        window.at(part).await;
    }
}

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().expect("a key can be made")
}

fn configure(desktop: &Desktop, port: u16, key: &KeyPair) {
    let folder = desktop.home().join("config/posture-console");
    fs::create_dir_all(&folder).expect("the folder can be made");
    let key = STANDARD.encode(key.pk.clone().to_box().expect("a key has a form").to_string());
    let channel = serde_json::json!({ "address": format!("http://127.0.0.1:{port}/latest.json"), "key": key });
    write(&folder.join("updates.json"), &channel.to_string());
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("the file can be written");
}
