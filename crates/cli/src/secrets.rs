//! How secrets come in: by prompt without echo, from standard input, or from a file descriptor. Never as arguments or environment.

use console::{SecretString, screen::Failure};
use std::io::Read;
use zeroize::Zeroizing;

/// Secrets of an Add Instance, one per secret field that is not optional, in order.
pub fn for_fields(fields: &[(String, String)], from_stdin: bool) -> Result<Vec<(String, SecretString)>, Failure> {
    if from_stdin {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().read_to_string(&mut text).map_err(|error| unreadable("standard input", &error))?;
        let mut lines = text.lines();
        let mut secrets = Vec::new();
        for (id, label) in fields {
            let Some(line) = lines.next().map(str::trim).filter(|line| !line.is_empty()) else {
                return Err(Failure {
                    code: "E-SECRET-MISSING".into(),
                    sentence: format!("Standard input holds no line for {label}."),
                    remedy: format!("Write one line per secret field, in this order: {}.", labels(fields)),
                    field: Some(id.clone()),
                });
            };
            secrets.push((id.clone(), SecretString::from(line.to_owned())));
        }
        return Ok(secrets);
    }
    fields
        .iter()
        .map(|(id, label)| {
            rpassword::prompt_password(format!("{label} (not shown): "))
                .map(|value| (id.clone(), SecretString::from(value)))
                .map_err(|error| unreadable("the terminal", &error))
        })
        .collect()
}

/// The passphrase: from the descriptor when one was named, else asked for.
pub fn passphrase(descriptor: Option<i32>, twice: bool) -> Result<SecretString, Failure> {
    if let Some(descriptor) = descriptor {
        return from_descriptor(descriptor);
    }
    let ask = |prompt: &str| rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| unreadable("the terminal", &error));
    let first = ask("Passphrase (not shown): ")?;
    if twice && *ask("Passphrase again: ")? != *first {
        return Err(Failure {
            code: "E-PASSPHRASE-DIFFERS".into(),
            sentence: "The two passphrases differ; nothing was created.".into(),
            remedy: "Start again and type the same passphrase twice.".into(),
            field: None,
        });
    }
    Ok(SecretString::from(first.to_string()))
}

#[cfg(unix)]
fn from_descriptor(descriptor: i32) -> Result<SecretString, Failure> {
    // The descriptor's file is opened by name, so that no unsafe ownership of a raw descriptor is needed.
    let path = if cfg!(target_os = "linux") { format!("/proc/self/fd/{descriptor}") } else { format!("/dev/fd/{descriptor}") };
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(&path)
        .and_then(|mut file| file.read_to_string(&mut text))
        .map_err(|error| unreadable(&format!("file descriptor {descriptor}"), &error))?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(not(unix))]
fn from_descriptor(_descriptor: i32) -> Result<SecretString, Failure> {
    Err(Failure {
        code: "E-DESCRIPTOR".into(),
        sentence: "This system does not hand file descriptors to programs by number.".into(),
        remedy: "Leave --passphrase-fd out and type the passphrase when asked.".into(),
        field: None,
    })
}

fn labels(fields: &[(String, String)]) -> String {
    fields.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>().join(", ")
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure {
        code: "E-SECRET-UNREADABLE".into(),
        sentence: format!("The secret could not be read from {what}: {error}."),
        remedy: "Run the command in a terminal, or use --secret-stdin or --passphrase-fd.".into(),
        field: None,
    }
}
