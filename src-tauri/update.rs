//! New versions of the console: looked for only where an address and a key are configured, and only when somebody asks;
//! installed only when they carry the key's signature for the version that was announced.
//!
//! Besides the connectors this is the one thing that opens a connection outwards; it knows nothing of credentials.

use base64::Engine;
use console::screen::Failure;
use serde::{Deserialize, Serialize};
use specta::Type;
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tauri::{AppHandle, Manager, Url};
use tauri_plugin_updater::{Error, UpdaterExt};
use tokio::task::AbortHandle;

/// Where new versions are announced, and the key that signs them, of builds that are published with a channel of their own.
const BUILT_IN: (Option<&str>, Option<&str>) = (option_env!("POSTURE_UPDATE_ADDRESS"), option_env!("POSTURE_UPDATE_KEY"));

/// How long the address may take to answer. A download may take as long as it goes on.
const ANSWERS: Duration = Duration::from_secs(30);

/// After how many bytes the page hears of a download again.
const TOLD_EVERY: u32 = 512 * 1024;

/// The channel that a person configured, or the build brings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Channel {
    /// `https://updates.example/posture/latest.json`.
    address: Url,
    /// The public key, as `minisign` and `tauri signer` write it, in Base64.
    key: String,
}

/// Where the console stands with new versions.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UpdateState {
    /// No address and key are configured.
    Off {
        /// The file that would hold them.
        file: String,
    },
    /// A newer version is on its way.
    Downloading {
        /// It.
        version: String,
    },
    /// It came, its signature holds, and the system is putting it in the place of this one.
    Installing {
        /// It.
        version: String,
    },
    /// It is installed; the console has to be started again.
    Installed {
        /// It.
        version: String,
    },
    /// They are, and nobody has looked.
    NotLooked {
        /// The host that is asked.
        host: String,
    },
    /// This is the newest version.
    Current {
        /// The host that was asked.
        host: String,
    },
    /// There is a newer one.
    Newer {
        /// The host that was asked.
        host: String,
        /// Its version.
        version: String,
        /// What is new, in the publisher's words; plain text.
        notes: String,
    },
}

/// How far a download is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct Downloaded {
    /// Bytes that came.
    pub bytes: u32,
    /// Bytes in all, where the server says so.
    pub of: Option<u32>,
}

/// The newer version that was found last, and what is becoming of it.
#[derive(Default)]
pub struct Updates {
    found: Mutex<Option<(Channel, tauri_plugin_updater::Update)>>,
    /// Downloading, installing or installed; the page that began it may be gone.
    stage: Mutex<Option<UpdateState>>,
    download: Mutex<Option<AbortHandle>>,
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Updates {
    /// Ends the download; what came of it is forgotten.
    pub fn cancel(&self) {
        if let Some(download) = held(&self.download).take() {
            download.abort();
        }
    }
}

/// What is configured, without asking anybody.
///
/// # Errors
/// When the file is not right.
pub fn configured(app: &AppHandle) -> Result<UpdateState, Failure> {
    if let Some(stage) = held(&app.state::<Updates>().stage).clone() {
        return Ok(stage);
    }
    let file = file(app)?;
    Ok(match channel(&file)? {
        None => UpdateState::Off { file: file.display().to_string() },
        Some(channel) => UpdateState::NotLooked { host: host(&channel) },
    })
}

/// Asks the address for a newer version.
///
/// # Errors
/// When the file is not right, the address does not answer, or what it answers announces no version for this system.
pub async fn look(app: &AppHandle) -> Result<UpdateState, Failure> {
    let updates = app.state::<Updates>();
    if let Some(stage) = held(&updates.stage).clone() {
        return Ok(stage);
    }
    // What was found before may be of another channel.
    *held(&updates.found) = None;
    let file = file(app)?;
    let Some(channel) = channel(&file)? else { return Ok(UpdateState::Off { file: file.display().to_string() }) };
    let host = host(&channel);
    let updater = app
        .updater_builder()
        .pubkey(channel.key.clone())
        .timeout(ANSWERS)
        .endpoints(vec![channel.address.clone()])
        .and_then(tauri_plugin_updater::UpdaterBuilder::build)
        .map_err(|error| failure(&error))?;
    let found = updater.check().await.map_err(|error| failure(&error))?;
    let state = match &found {
        None => UpdateState::Current { host },
        Some(update) => UpdateState::Newer { host, version: update.version.clone(), notes: update.body.clone().unwrap_or_default() },
    };
    *held(&updates.found) = found.map(|update| (channel, update));
    Ok(state)
}

/// Downloads the version that was found, and installs it if its signature holds. The console has to be started again then.
///
/// # Errors
/// When none was found, it was cancelled, the download ends early, the signature is another's, or the system does not let it be
/// installed; what is installed stays as it is.
pub async fn install(app: &AppHandle, progress: impl Fn(Downloaded) + Send + 'static) -> Result<(), Failure> {
    let updates = app.state::<Updates>();
    let now = channel(&file(app)?)?;
    let none = || Failure::new("E-UPDATE-NONE", "No newer version was found.", "Look for one first.");
    let (known, mut update) = held(&updates.found).clone().ok_or_else(none)?;
    if now.as_ref() != Some(&known) {
        return Err(none());
    }
    let version = update.version.clone();
    {
        let mut stage = held(&updates.stage);
        if stage.is_some() {
            return Err(Failure::new("E-UPDATE-BUSY", "A version is being installed already.", "Wait until it is."));
        }
        *stage = Some(UpdateState::Downloading { version: version.clone() });
    }
    // Only how long the address takes to answer is bounded.
    update.timeout = None;
    let ended = bring(&updates, update, progress).await;
    *held(&updates.stage) = ended.is_ok().then_some(UpdateState::Installed { version });
    ended
}

async fn bring(
    updates: &Updates,
    update: tauri_plugin_updater::Update,
    progress: impl Fn(Downloaded) + Send + 'static,
) -> Result<(), Failure> {
    let version = update.version.clone();
    let download = tokio::spawn(async move {
        let (mut bytes, mut told) = (0_u32, 0_u32);
        let came = move |chunk: usize, of: Option<u64>| {
            bytes = bytes.saturating_add(u32::try_from(chunk).unwrap_or(u32::MAX));
            if bytes - told >= TOLD_EVERY {
                told = bytes;
                progress(Downloaded { bytes, of: of.and_then(|of| u32::try_from(of).ok()) });
            }
        };
        let content = update.download(came, || {}).await?;
        Ok::<_, Error>((update, content))
    });
    *held(&updates.download) = Some(download.abort_handle());
    let downloaded = download.await;
    // From here on it cannot be cancelled.
    drop(held(&updates.download).take());
    let (update, content) = match downloaded {
        Ok(downloaded) => downloaded.map_err(|error| failure(&error))?,
        Err(_) => {
            return Err(Failure::new("E-CANCELLED", "The download was cancelled.", "Nothing was installed; it can be begun again."));
        }
    };
    *held(&updates.stage) = Some(UpdateState::Installing { version });
    match tokio::task::spawn_blocking(move || update.install(content)).await {
        Ok(installed) => installed.map_err(|error| failure(&error)),
        Err(_) => Err(Failure::new(
            "E-INTERNAL",
            "The new version could not be installed.",
            "Install it by hand, over what is there; your data is elsewhere and untouched.",
        )),
    }
}

/// `updates.json` in the user's folder of settings: `{"address": "https://…", "key": "…"}`.
fn file(app: &AppHandle) -> Result<PathBuf, Failure> {
    let folder = app.path().config_dir().map_err(|_| {
        Failure::new("E-UPDATE-FILE", "This account has no folder for settings.", "Set XDG_CONFIG_HOME, or the home folder.")
    })?;
    Ok(folder.join("posture-console").join("updates.json"))
}

fn channel(file: &Path) -> Result<Option<Channel>, Failure> {
    let wrong = |what: String| {
        let remedy = "Write {\"address\": \"https://…\", \"key\": \"…\"} into it, or remove it.";
        Failure::new("E-UPDATE-FILE", format!("{} is not right: {what}.", file.display()), remedy)
    };
    let channel = match std::fs::read(file) {
        Ok(content) => serde_json::from_slice(&content).map_err(|error| wrong(error.to_string()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (Some(address), Some(key)) = BUILT_IN else { return Ok(None) };
            let address = Url::parse(address).map_err(|error| wrong(error.to_string()))?;
            Channel { address, key: key.to_owned() }
        }
        Err(error) => return Err(wrong(error.to_string())),
    };
    // A released build takes no other way either; where the console is tried, a server on the same computer is enough.
    let tried = cfg!(debug_assertions) && channel.address.host_str() == Some("127.0.0.1");
    if channel.address.scheme() != "https" && !tried {
        return Err(wrong("the address has to begin with https".to_owned()));
    }
    let text = base64::engine::general_purpose::STANDARD.decode(channel.key.trim()).ok().and_then(|key| String::from_utf8(key).ok());
    if text.is_none_or(|text| text.lines().count() < 2) {
        return Err(wrong("the key is no public key of minisign in Base64".to_owned()));
    }
    Ok(Some(channel))
}

fn host(channel: &Channel) -> String {
    channel.address.host_str().unwrap_or_default().to_owned()
}

fn failure(error: &Error) -> Failure {
    tracing::warn!(%error, "updating");
    let unsigned = matches!(
        error,
        Error::Minisign(_) | Error::Base64(_) | Error::SignatureUtf8(_) | Error::SignedVersionMismatch { .. } | Error::MissingSignedVersion
    );
    if unsigned {
        return Failure::new(
            "E-UPDATE-SIGNATURE",
            "What was announced is not signed for this version by the configured key. Nothing was installed.",
            "Ask whoever publishes the console; do not install it by hand.",
        );
    }
    let unannounced = matches!(
        error,
        Error::ReleaseNotFound | Error::Serialization(_) | Error::TargetNotFound(_) | Error::TargetsNotFound(_) | Error::Semver(_)
    );
    if unannounced {
        return Failure::new(
            "E-UPDATE-ANSWER",
            "The address does not answer, or announces no version for this system.",
            "Check the address in updates.json, or ask whoever publishes the console.",
        );
    }
    if matches!(error, Error::Reqwest(answer) if answer.is_decode()) {
        return Failure::new(
            "E-UPDATE-ANSWER",
            "The address does not answer with an announcement.",
            "Check the address in updates.json, and whether the network asks you to sign in.",
        );
    }
    if matches!(error, Error::Reqwest(_) | Error::Network(_)) {
        return Failure::new(
            "E-UPDATE-REACH",
            "The address that announces new versions could not be reached, or ended the download early.",
            "Check the network and the address in updates.json, and try again.",
        );
    }
    if matches!(error, Error::AuthenticationFailed) {
        return Failure::new(
            "E-UPDATE-INSTALL",
            "The system did not permit the installation.",
            "Try again as an administrator of this computer.",
        );
    }
    Failure::new(
        "E-UPDATE-INSTALL",
        format!("The new version could not be installed: {error}."),
        "Install the new version by hand, over what is there; your data is elsewhere and untouched.",
    )
}
