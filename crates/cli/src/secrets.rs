//! How secrets come in: by prompt without echo, from standard input, or from a file descriptor. Never as arguments or environment.

use console::{SecretString, screen::Failure};
use std::io::Read;
use zeroize::Zeroizing;

/// A secret field of a login option.
pub struct Wanted {
    pub id: String,
    pub label: String,
    /// Whether its value has several lines (PEM); such a field is the last of its login option.
    pub several_lines: bool,
}

/// Secrets of an Add Instance, one per secret field that is not optional, in order. From standard input each is a line; one of
/// several lines is all that is left.
pub fn for_fields(fields: &[Wanted], from_stdin: bool) -> Result<Vec<(String, SecretString)>, Failure> {
    if from_stdin {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().read_to_string(&mut text).map_err(|error| unreadable("standard input", &error))?;
        let mut rest = text.as_str();
        let mut secrets = Vec::new();
        for field in fields {
            let (value, after) = if field.several_lines { (rest, "") } else { rest.split_once('\n').unwrap_or((rest, "")) };
            rest = after;
            // Of a password nothing but the end of its line is cut off; other formats are trimmed where they are checked.
            let value = if field.several_lines { value.trim() } else { value.strip_suffix('\r').unwrap_or(value) };
            if value.trim().is_empty() {
                return Err(Failure {
                    code: "E-SECRET-MISSING".into(),
                    sentence: format!("Standard input holds no line for {}.", field.label),
                    remedy: format!("Write one line per secret field, in this order: {}.", labels(fields)),
                    field: Some(field.id.clone()),
                });
            }
            secrets.push((field.id.clone(), SecretString::from(value.to_owned())));
        }
        return Ok(secrets);
    }
    fields
        .iter()
        .map(|field| {
            if field.several_lines {
                return Err(Failure {
                    code: "E-SECRET-LINES".into(),
                    sentence: format!("{} has several lines, which cannot be typed at a prompt.", field.label),
                    remedy: "Use --secret-stdin and hand the file in: posture instance add … --secret-stdin < file.pem".into(),
                    field: Some(field.id.clone()),
                });
            }
            rpassword::prompt_password(format!("{} (not shown): ", field.label))
                .map(|value| (field.id.clone(), SecretString::from(value)))
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

fn labels(fields: &[Wanted]) -> String {
    fields.iter().map(|field| field.label.as_str()).collect::<Vec<_>>().join(", ")
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure {
        code: "E-SECRET-UNREADABLE".into(),
        sentence: format!("The secret could not be read from {what}: {error}."),
        remedy: "Run the command in a terminal, or use --secret-stdin or --passphrase-fd.".into(),
        field: None,
    }
}
