//! Makers and products of generative AI, by name: `catalog/_risk/gen-ai.toml`.

use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: Vec<Name>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    /// As it is shown.
    name: String,
    /// Further spellings.
    #[serde(default)]
    also: Vec<String>,
    /// Where it says so.
    source: String,
}

/// Each name with the words of its spellings.
static NAMES: LazyLock<Vec<(String, Vec<Vec<String>>)>> = LazyLock::new(|| {
    let document: Document =
        toml::from_str(include_str!("../../../catalog/_risk/gen-ai.toml")).expect("the file is part of the program and tested");
    document
        .name
        .into_iter()
        .map(|Name { name, also, source }| {
            debug_assert!(source.starts_with("https://"), "{name} needs the https URL of its source");
            let spellings = std::iter::once(&name).chain(&also).map(|spelling| words(spelling)).collect();
            (name, spellings)
        })
        .collect()
});

/// The maker or product of generative AI that a text names, by whole words and without case. A name proves nothing about what
/// a plugin does, so it is always shown as what it is: found by name.
pub fn generative_ai(text: &str) -> Option<&'static str> {
    let text = words(text);
    let names = |spelling: &Vec<String>| text.windows(spelling.len()).any(|window| window == spelling);
    NAMES.iter().find(|(_, spellings)| spellings.iter().any(names)).map(|(name, _)| name.as_str())
}

/// Runs of letters and digits, in lower case.
fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_whole_words_only() {
        assert_eq!(generative_ai("ChatGPT for Sheets"), Some("ChatGPT"));
        assert_eq!(generative_ai("OPENAI, L.L.C."), Some("OpenAI"));
        assert_eq!(generative_ai("GitHub-Copilot"), Some("GitHub Copilot"));
        assert_eq!(generative_ai("Openairspace"), None);
        assert_eq!(generative_ai("Copilots' logbook"), None);
        assert_eq!(generative_ai("Claudette's calendar"), None);
        assert_eq!(generative_ai(""), None);
    }

    #[test]
    fn every_name_has_words_and_a_source() {
        assert!(!NAMES.is_empty());
        for (name, spellings) in NAMES.iter() {
            assert!(spellings.iter().all(|spelling| !spelling.is_empty()), "{name}");
            assert!(spellings.iter().flatten().any(|word| word.len() >= 3), "{name} is too short to tell anything");
        }
    }
}
