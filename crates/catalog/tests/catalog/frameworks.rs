//! Frameworks as data: how much there is of each, and that every check names what is there.
use posture_catalog::{Catalog, Framework, frameworks};
use std::collections::BTreeSet;

#[test]
fn each_framework_has_as_many_controls_as_it_is_published_with() {
    let totals: Vec<(&str, usize, usize)> =
        frameworks().unwrap().iter().map(|framework| (framework.id.as_str(), framework.families.len(), framework.total())).collect();
    // 298 controls and 709 enhancements; 18 controls; the five categories; four themes; the sections of five chapters.
    let published =
        [("sscf", 6, 36), ("nist_800_53", 20, 1007), ("cis_v8", 18, 153), ("soc2", 20, 61), ("iso_27001", 4, 93), ("cis_github", 17, 120)];
    assert_eq!(totals, published);
    for framework in frameworks().unwrap() {
        assert!(framework.source.starts_with("https://") && !framework.note.is_empty(), "{}", framework.id);
        for family in &framework.families {
            assert!(family.references.iter().all(|reference| reference.id.starts_with(&family.id)), "{} {}", framework.id, family.id);
        }
    }
}

#[test]
fn every_check_names_controls_that_are_there() {
    let catalog = Catalog::built_in().unwrap();
    let (mut named, mut wrong) = (BTreeSet::new(), Vec::new());
    for tile in catalog.tiles() {
        for check in &catalog.app(&tile.slug).unwrap().unwrap().checks {
            for (framework, references) in &check.frameworks {
                let known = frameworks().unwrap().iter().find(|known| known.id == *framework).unwrap();
                named.insert(framework.clone());
                wrong.extend(
                    references.iter().filter(|reference| known.reference(reference).is_none()).map(|one| (check.id.clone(), one.clone())),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(named.len(), frameworks().unwrap().len() - 1, "no framework stands here that nothing refers to: {named:?}");
}

const SMALL: &str = r#"id = "small"
name = "Small"
title = "The small framework"
version = "1"
unit = "controls"
note = "It is small."
source = "https://framework.example/"
[[family]]
id = "A"
title = "First"
references = ["A.1", "A.2"]
[[family]]
id = "B"
title = "Second"
[family.titles]
"B.1" = "Only one"
"#;

#[test]
fn a_framework_is_read_and_every_mistake_is_named_with_its_line() {
    let small = Framework::read("small.toml", SMALL).unwrap();
    assert_eq!((small.total(), small.reference("B.1").unwrap().1.title.as_str()), (3, "Only one"));
    assert!(small.reference("A.3").is_none());
    for (old, new, says) in [
        ("\"A.2\"]", "\"A.1\"]", "small.toml:11: \"A.1\" is there twice; a control stands in one family, once"),
        ("\"B.1\" =", "\"A.2\" =", "small.toml:16: \"A.2\" is there twice; a control stands in one family, once"),
        ("title = \"Second\"", "titel = \"Second\"", "small.toml:12: [[family]] lacks `title`: what it is called"),
        (
            "https://",
            "http://",
            "small.toml:7: `source` is \"http://framework.example/\", which is not an https URL; write the whole of it",
        ),
        ("references = [\"A.1\", \"A.2\"]", "", "small.toml:8: a family lacks `references` or `titles`: the controls that it has"),
        ("references = [\"A.1\"", "references = [1", "small.toml:11: `references` must be text, not a whole number"),
    ] {
        assert!(SMALL.contains(old), "{old}");
        let errors: Vec<String> =
            Framework::read("small.toml", &SMALL.replacen(old, new, 1)).unwrap_err().iter().map(ToString::to_string).collect();
        assert!(errors.iter().any(|error| error == says), "{new}: {errors:#?}");
    }
}
