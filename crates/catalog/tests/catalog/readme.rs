//! What the README says of the applications is what the catalog holds.

use posture_catalog::{Availability, Catalog};
use std::collections::BTreeSet;

/// The README's words, a single space between them.
fn readme() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names of the applications of one kind, sorted.
fn tiles_of(availability: Availability) -> BTreeSet<String> {
    let catalog = Catalog::built_in().unwrap();
    catalog.tiles().iter().filter(|tile| tile.availability == availability).map(|tile| tile.name.clone()).collect()
}

#[test]
fn the_readme_names_every_application_that_is_signed_in_to() {
    let text = readme();
    let (_, after) = text.split_once("Applications that it signs in to today: ").unwrap();
    let (list, _) = after.split_once(". Another ").unwrap();
    let (all_but_last, last) = list.rsplit_once(" and ").unwrap();
    let named: Vec<&str> = all_but_last.split(", ").chain([last]).collect();
    let tiles = tiles_of(Availability::Offered);
    assert_eq!(named.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), tiles);
    assert_eq!(named.len(), tiles.len(), "each once");
}

#[test]
fn the_readme_counts_the_applications_that_are_to_be_signed_in_to() {
    let text = readme();
    let (_, after) = text.split_once(". Another ").unwrap();
    let (number, rest) = after.split_once(' ').unwrap();
    assert!(rest.starts_with("have a tile whose checks a person attests until they are connected"), "{rest:.80}");
    assert_eq!(number.parse(), Ok(tiles_of(Availability::Planned).len()));
}
