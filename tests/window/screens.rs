//! The pictures of every screen in docs/screenshots, made by the test so that they show what is; and what axe-core finds fault
//! with on the way.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{desktop::Colours, driver::Window, promise::Promise};

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
    axe: String,
    taken: BTreeSet<PathBuf>,
    faults: Vec<String>,
}

impl Album {
    /// An album without pictures, for the screens of the first flow.
    pub fn begin() -> Album {
        Album::of(SCREENS)
    }

    /// An album without pictures, for these screens.
    pub fn of(screens: &'static [&'static str]) -> Album {
        let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(axe).expect("axe-core is installed with the frontend's packages");
        Album { screens, axe, taken: BTreeSet::new(), faults: Vec::new() }
    }

    /// Pictures what the window shows in both colours and at both sizes, looks for faults at its own size and twice that, and leaves it in its own and at the standard one.
    pub async fn take(&mut self, window: &Window, screen: &str) {
        assert!(self.screens.contains(&screen), "{screen} is not in the list of screens");
        let own: String = window.script("return document.documentElement.dataset.theme").await;
        // The size outside, the colours within: a change of size lays everything out anew.
        for (width, height) in SIZES.into_iter().rev() {
            window.size(width, height).await;
            for colours in [Colours::Light, Colours::Dark] {
                let _: Option<bool> = window.script(&format!("document.documentElement.dataset.theme = '{}'", name(colours))).await;
                let path = place(screen, colours, width, height);
                window.picture(&path).await;
                let bytes = fs::read(&path).expect("the picture was written");
                assert_eq!(size_of(&bytes), (width, height), "{} has the size that its name says", path.display());
                assert!(bytes.len() < LARGEST, "{} has {} bytes", path.display(), bytes.len());
                self.taken.insert(path);
                if (width, height) == SIZES[0] {
                    for zoom in ["1", "2"] {
                        let _: Option<bool> = window.script(&format!("document.documentElement.style.zoom = '{zoom}'")).await;
                        let found = self.faults_of(window).await;
                        self.faults.extend(found.into_iter().map(|fault| format!("{screen}, {}, {zoom}00 %: {fault}", name(colours))));
                    }
                    let _: Option<bool> = window.script("document.documentElement.style.zoom = ''").await;
                }
            }
        }
        let _: Option<bool> = window.script(&format!("document.documentElement.dataset.theme = '{own}'")).await;
    }

    /// What axe-core calls serious or critical on the page as it is.
    async fn faults_of(&self, window: &Window) -> Vec<String> {
        if window.script::<bool>("return typeof axe === 'undefined'").await {
            // A script of the page would be refused by its policy; the driver's own is not.
            let _: Option<bool> = window.script(&format!("{}\nwindow.axe = axe;", self.axe)).await;
        }
        let run = "const done = arguments[arguments.length - 1];
            const grave = (fault) => ['serious', 'critical'].includes(fault.impact);
            const told = (fault) => `${fault.id} (${fault.help}): ${fault.nodes.map((node) => node.target.join(' ')).join('; ')}`;
            const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            drawn().then(() => axe.run(document, { resultTypes: ['violations'] })).then(
              (result) => done(result.violations.filter(grave).map(told)),
              (error) => done([`axe failed: ${error}`]),
            );";
        let answer = window.driver().execute_async(run, vec![]).await.expect("axe-core answers");
        answer.convert().expect("axe-core answers with a list")
    }

    /// Notes the promise, once every screen has its pictures and no grave fault.
    pub fn complete(self) {
        let mut promise = Promise::begin("screens");
        assert!(self.faults.is_empty(), "axe-core finds {} faults:\n{}", self.faults.len(), self.faults.join("\n"));
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

fn name(colours: Colours) -> &'static str {
    match colours {
        Colours::Light => "light",
        Colours::Dark => "dark",
    }
}

fn place(screen: &str, colours: Colours, width: u32, height: u32) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screenshots");
    folder.join(format!("{screen}-{}-{width}x{height}.png", name(colours)))
}

/// Width and height as a PNG's header states them: two big-endian numbers at byte 16.
fn size_of(picture: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().expect("a PNG has a header"));
    (number(16), number(20))
}
