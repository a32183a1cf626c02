//! Frameworks that checks refer to: how many controls each has in all, so that it can be said how few of them checks touch. Each is a
//! file of `catalog/_frameworks/`; the SSCF comes from [`crate::SSCF_CONTROLS`].

use crate::{LoadError, SSCF_CONTROLS, domain_title, load};
use std::sync::LazyLock;

/// A framework: a list of things that somebody asks of an organization or a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framework {
    /// The name that checks use: `nist_800_53`.
    pub id: String,
    /// What it is called in short: "NIST 800-53".
    pub name: String,
    /// What it is called in whole: "NIST SP 800-53".
    pub title: String,
    /// Which version of it: "revision 5".
    pub version: String,
    /// What it has, in the plural: "controls and enhancements".
    pub unit: String,
    /// What is to be known when its numbers are read.
    pub note: String,
    /// Where it is published (URL).
    pub source: String,
    /// All that it has, in its order.
    pub families: Vec<Family>,
}

/// A part of a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// `AC`.
    pub id: String,
    /// "Access Control"; where the framework's words may not be repeated, a few of this project's own.
    pub title: String,
    /// Its controls, in its order.
    pub references: Vec<Reference>,
}

/// A control (safeguard, criterion, recommendation) of a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `AC-6(10)`.
    pub id: String,
    /// Its title; empty where that may not be repeated.
    pub title: String,
}

impl Framework {
    /// Reads a framework from the text of its file; `file` is what errors call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, with its line.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<LoadError>> {
        load::framework(file, text)
    }

    /// How many controls there are in all.
    pub fn total(&self) -> usize {
        self.families.iter().map(|family| family.references.len()).sum()
    }

    /// The control that a check names, with its family; `None` where there is none.
    pub fn reference(&self, id: &str) -> Option<(&Family, &Reference)> {
        self.families.iter().find_map(|family| Some((family, family.references.iter().find(|reference| reference.id == id)?)))
    }
}

const FILES: [(&str, &str); 5] = [
    ("_frameworks/nist_800_53.toml", include_str!("../../../catalog/_frameworks/nist_800_53.toml")),
    ("_frameworks/cis_v8.toml", include_str!("../../../catalog/_frameworks/cis_v8.toml")),
    ("_frameworks/soc2.toml", include_str!("../../../catalog/_frameworks/soc2.toml")),
    ("_frameworks/iso_27001.toml", include_str!("../../../catalog/_frameworks/iso_27001.toml")),
    ("_frameworks/cis_github.toml", include_str!("../../../catalog/_frameworks/cis_github.toml")),
];

static FRAMEWORKS: LazyLock<Result<Vec<Framework>, Vec<LoadError>>> = LazyLock::new(|| {
    let mut frameworks = vec![sscf()];
    let mut errors = Vec::new();
    for (file, text) in FILES {
        match Framework::read(file, text) {
            Ok(framework) => frameworks.push(framework),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() { Ok(frameworks) } else { Err(errors) }
});

/// Every framework that checks can refer to; the SSCF, which they name by `sscf`, comes first.
///
/// # Errors
/// What is wrong with the files that came with the program.
pub fn frameworks() -> Result<&'static [Framework], Vec<LoadError>> {
    FRAMEWORKS.as_deref().map_err(Clone::clone)
}

/// The framework of that name.
pub fn framework(id: &str) -> Option<&'static Framework> {
    frameworks().ok()?.iter().find(|framework| framework.id == id)
}

/// A framework with its version, "NIST SP 800-53 revision 5"; the name that checks use where it is not known.
pub fn framework_title(id: &str) -> String {
    framework(id).map_or_else(|| id.to_owned(), |framework| format!("{} {}", framework.title, framework.version))
}

fn sscf() -> Framework {
    let mut families: Vec<Family> = Vec::new();
    for control in &SSCF_CONTROLS {
        let reference = Reference { id: control.id.to_owned(), title: control.title.to_owned() };
        match families.last_mut().filter(|family| family.id == control.domain()) {
            Some(family) => family.references.push(reference),
            None => families.push(Family {
                id: control.domain().to_owned(),
                title: domain_title(control.domain()).unwrap_or_default().to_owned(),
                references: vec![reference],
            }),
        }
    }
    Framework {
        id: "sscf".to_owned(),
        name: "SSCF".to_owned(),
        title: "CSA SaaS Security Capability Framework".to_owned(),
        version: "1.0".to_owned(),
        unit: "controls".to_owned(),
        note: "It says what a SaaS product should offer. Checks look at how what is offered is set.".to_owned(),
        source: "https://cloudsecurityalliance.org/artifacts/saas-security-capability-framework-sscf".to_owned(),
        families,
    }
}
