//! Paths as the analysis sees them: unlike [`FieldPath`] they tell a field of an object from a key of a map.

use catalog::FieldPath;
use std::fmt;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A declared field of an object.
    Field(String),
    /// Each element of a list.
    Elements,
    /// Each value of a map.
    Values,
    /// The value of one written-out key of a map.
    Key(String),
}

/// A path from a row to a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Path(pub(crate) Vec<Step>);

impl Path {
    /// The path one step further.
    pub(crate) fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Reads the manifest's notation: `a.b`, `certs[].subject`, `rules{}.host`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        for segment in text.split('.').filter(|segment| !segment.is_empty()) {
            let name = segment.find(['[', '{']).map_or(segment, |end| &segment[..end]);
            if !name.is_empty() {
                steps.push(Step::Field(name.to_owned()));
            }
            let mut rest = &segment[name.len()..];
            loop {
                if let Some(after) = rest.strip_prefix("[]") {
                    steps.push(Step::Elements);
                    rest = after;
                } else if let Some(after) = rest.strip_prefix("{}") {
                    steps.push(Step::Values);
                    rest = after;
                } else {
                    break;
                }
            }
        }
        Self(steps)
    }

    /// The manifest's notation.
    pub(crate) fn field_path(&self) -> FieldPath {
        FieldPath(self.to_string())
    }

    /// Whether it goes through lists or maps, so that it names any number of values.
    pub(crate) fn is_plural(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Elements | Step::Values))
    }

    /// Whether a fault at that concrete path (`a.b`, `certs[2].subject`) puts this path in doubt: one is a part of the
    /// other. Inside maps, whose keys may hold dots, any fault counts.
    pub(crate) fn touched_by(&self, fault: &str) -> bool {
        let mut parts = fault.split('.').filter(|part| !part.is_empty()).flat_map(|part| {
            let (name, indices) = part.find('[').map_or((part, ""), |at| part.split_at(at));
            let elements = indices.matches('[').map(|_| None);
            (!name.is_empty()).then_some(Some(name)).into_iter().chain(elements)
        });
        for step in &self.0 {
            let Some(part) = parts.next() else { return true };
            match (step, part) {
                (Step::Field(name), Some(part)) if name == part => {}
                (Step::Elements, None) => {}
                (Step::Values | Step::Key(_), _) => return true,
                (Step::Field(_) | Step::Elements, _) => return false,
            }
        }
        true
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            match step {
                Step::Field(name) | Step::Key(name) => write!(f, "{dot}{name}")?,
                Step::Elements => f.write_str("[]")?,
                Step::Values => f.write_str("{}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_goes_there_and_back() {
        for text in ["a", "a.b", "certs[]", "certs[].not_after", "grid[][]", "rules{}.host", "[]", ""] {
            assert_eq!(Path::parse(text).to_string(), text);
        }
    }

    #[test]
    fn a_fault_touches_what_holds_it_and_what_it_holds() {
        let touched = |path: &str, fault: &str| Path::parse(path).touched_by(fault);
        assert!(touched("a.b", "a.b"));
        assert!(touched("a.b", "a"));
        assert!(touched("certs", "certs[3]"));
        assert!(touched("certs[].not_after", "certs[3].not_after"));
        assert!(touched("certs[]", "certs[0].not_after"));
        assert!(touched("rules{}.host", "rules.example.com.host"));
        assert!(!touched("a.b", "a.c"));
        assert!(!touched("certs[].not_after", "certs[3].subject"));
        assert!(!touched("a", "ab"));
    }
}
