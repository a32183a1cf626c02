//! What axe-core finds serious or critical on a page of the real window: in both colours, at its size and at twice that.

use std::{fs, path::Path};

use crate::{desktop::Colours, driver::Window};

/// Resolves once the page has drawn itself as it was changed, and nothing of it is still to come.
const LOOK: &str = "const done = arguments[arguments.length - 1];
    const grave = (fault) => ['serious', 'critical'].includes(fault.impact);
    const told = (fault) => `${fault.id} (${fault.help}): ${fault.nodes.map((node) => node.target.join(' ')).join('; ')}`;
    const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    drawn().then(() => axe.run(document, { resultTypes: ['violations'] })).then(
      (result) => done(result.violations.filter(grave).map(told)),
      (error) => done([`axe failed: ${error}`]),
    );";

/// The faults found so far.
pub struct Inspection {
    axe: String,
    faults: Vec<String>,
}

impl Inspection {
    /// Nothing looked at yet.
    pub fn begin() -> Inspection {
        let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/node_modules/axe-core/axe.min.js");
        Inspection { axe: fs::read_to_string(axe).expect("axe-core is installed with the frontend's packages"), faults: Vec::new() }
    }

    /// Looks at what the window shows, in both colours.
    pub async fn look_in_both(&mut self, window: &Window, screen: &str) {
        let own = window.colours().await;
        for colours in [Colours::Light, Colours::Dark] {
            window.show_in(colours.name()).await;
            self.look(window, screen, colours).await;
        }
        window.show_in(&own).await;
    }

    /// Looks at what the window shows, in the colours that it has.
    pub async fn look(&mut self, window: &Window, screen: &str, colours: Colours) {
        if window.script::<bool>("return typeof axe === 'undefined'").await {
            // A script of the page would be refused by its policy; the driver's own is not.
            let _: Option<bool> = window.script(&format!("{}\nwindow.axe = axe;", self.axe)).await;
        }
        for zoom in ["1", "2"] {
            let _: Option<bool> = window.script(&format!("document.documentElement.style.zoom = '{zoom}'")).await;
            let answer = window.driver().execute_async(LOOK, vec![]).await.expect("axe-core answers");
            let found: Vec<String> = answer.convert().expect("axe-core answers with a list");
            self.faults.extend(found.into_iter().map(|fault| format!("{screen}, {}, {zoom}00 %: {fault}", colours.name())));
        }
        let _: Option<bool> = window.script("document.documentElement.style.zoom = ''").await;
    }

    /// Fails if anything was found.
    pub fn end(self) {
        assert!(self.faults.is_empty(), "axe-core finds {} faults:\n{}", self.faults.len(), self.faults.join("\n"));
    }
}
