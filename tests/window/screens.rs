//! The pictures of every screen in docs/screenshots, made by the test so that they show what is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{desktop::Colours, driver::Window, promise::Promise};

/// The screens, each pictured in both colours and at both sizes.
const SCREENS: &[&str] = &[
    "first-start",
    "overview",
    "applications",
    "add-application",
    "instances",
    "add-instance",
    "connect",
    "error",
    "instance",
    "findings",
    "empty",
    "activity",
    "settings",
];

/// The standard window and the smallest, in CSS pixels.
const SIZES: [(u32, u32); 2] = [(1280, 800), (900, 600)];

/// The pictures taken so far.
#[derive(Default)]
pub struct Album {
    taken: BTreeSet<PathBuf>,
}

impl Album {
    /// Pictures what the window shows at both sizes, and leaves it at the standard one.
    pub async fn take(&mut self, window: &Window, screen: &str, colours: Colours) {
        assert!(SCREENS.contains(&screen), "{screen} is not in the list of screens");
        for (width, height) in SIZES {
            let path = place(screen, colours, width, height);
            window.size(width, height).await;
            window.picture(&path).await;
            assert_eq!(size_of(&path), (width, height), "{} has the size that its name says", path.display());
            self.taken.insert(path);
        }
        window.size(SIZES[0].0, SIZES[0].1).await;
    }

    /// Notes the promise, once every screen has its pictures.
    pub fn complete(self) {
        let mut promise = Promise::begin("screens");
        for screen in SCREENS {
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
    let colours = match colours {
        Colours::Light => "light",
        Colours::Dark => "dark",
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screenshots").join(format!("{screen}-{colours}-{width}x{height}.png"))
}

/// Width and height as a PNG's header states them: two big-endian numbers at byte 16.
fn size_of(picture: &Path) -> (u32, u32) {
    let bytes = fs::read(picture).expect("the picture was written");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("a PNG has a header"));
    (number(16), number(20))
}
