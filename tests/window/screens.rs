//! The pictures of every screen in docs/screenshots, made by the test so that they show what is; each is inspected on the way.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{desktop::Colours, driver::Window, inspection::Inspection, promise::Promise};

/// The screens of the first flow, each pictured in both colours and at both sizes.
const SCREENS: &[&str] = &[
    "protect",
    "recovery-key",
    "first-start",
    "empty",
    "add-application",
    "instances",
    "add-instance",
    "error",
    "connect",
    "overview",
    "digest",
    "applications",
    "instance",
    "findings",
    "activity",
    "settings",
    "locked",
];

/// The standard window and the smallest, in CSS pixels.
const SIZES: [(u32, u32); 2] = [(1280, 800), (900, 600)];

/// A larger file is a picture that was not packed.
const LARGEST: usize = 200_000;

/// The pictures taken so far.
pub struct Album {
    screens: &'static [&'static str],
    inspection: Inspection,
    taken: BTreeSet<PathBuf>,
}

impl Album {
    /// An album without pictures, for the screens of the first flow.
    pub fn begin() -> Album {
        Album::of(SCREENS)
    }

    /// An album without pictures, for these screens.
    pub fn of(screens: &'static [&'static str]) -> Album {
        Album { screens, inspection: Inspection::begin(), taken: BTreeSet::new() }
    }

    /// Pictures what the window shows in both colours and at both sizes, looks for faults at its own size and twice that, and leaves it in its own and at the standard one.
    pub async fn take(&mut self, window: &Window, screen: &str) {
        assert!(self.screens.contains(&screen), "{screen} is not in the list of screens");
        let own = window.colours().await;
        // The size outside, the colours within: a change of size lays everything out anew.
        for (width, height) in SIZES.into_iter().rev() {
            window.size(width, height).await;
            for colours in [Colours::Light, Colours::Dark] {
                window.show_in(colours.name()).await;
                let path = place(screen, colours, width, height);
                window.picture(&path).await;
                let bytes = fs::read(&path).expect("the picture was written");
                assert_eq!(size_of(&bytes), (width, height), "{} has the size that its name says", path.display());
                assert!(bytes.len() < LARGEST, "{} has {} bytes", path.display(), bytes.len());
                self.taken.insert(path);
                if (width, height) == SIZES[0] {
                    self.inspection.look(window, screen, colours).await;
                }
            }
        }
        window.show_in(&own).await;
    }

    /// Notes the promise, once every screen has its pictures and no grave fault.
    pub fn complete(self) {
        let mut promise = Promise::begin("screens");
        self.inspection.end();
        for screen in self.screens {
            for colours in [Colours::Light, Colours::Dark] {
                for (width, height) in SIZES {
                    let path = place(screen, colours, width, height);
                    assert!(self.taken.contains(&path), "{} was not taken", path.display());
                    promise.holds();
                }
            }
        }
    }
}

fn place(screen: &str, colours: Colours, width: u32, height: u32) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screenshots");
    folder.join(format!("{screen}-{}-{width}x{height}.png", colours.name()))
}

/// Width and height as a PNG's header states them: two big-endian numbers at byte 16.
fn size_of(picture: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().expect("a PNG has a header"));
    (number(16), number(20))
}
