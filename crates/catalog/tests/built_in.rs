//! The applications that come with the program.
#![allow(clippy::unwrap_used)]

use posture_catalog::Catalog;

/// Panics with every error, one a line.
fn whole<T>(result: Result<T, Vec<posture_catalog::LoadError>>) -> T {
    result.unwrap_or_else(|errors| panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

#[test]
fn every_application_loads_whole() {
    let catalog = whole(Catalog::built_in());
    assert!(!catalog.tiles().is_empty(), "the catalog is embedded");
    for tile in catalog.tiles() {
        let app = whole(catalog.app(&tile.slug)).unwrap();
        assert_eq!(app.slug, tile.slug);
        assert_eq!(app.checks.len(), tile.checks as usize, "the cheap count of {} is the true one", tile.slug);
        assert!(tile.built_in);
    }
}
