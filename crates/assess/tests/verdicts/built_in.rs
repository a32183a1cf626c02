//! The applications that come with the program.

use catalog::{Catalog, CheckKind};

#[test]
fn every_check_of_every_built_in_application_compiles_and_reads_something() {
    let catalog = Catalog::built_in().unwrap();
    assert!(!catalog.tiles().is_empty(), "there must be applications to try");
    for tile in catalog.tiles() {
        let app = catalog.app(&tile.slug).unwrap().unwrap();
        let program = assess::compile(&app).unwrap_or_else(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"))
        });
        assert!(!app.checks.is_empty() || app.logins.is_empty(), "{} has no checks", tile.slug);
        for check in &app.checks {
            assert_eq!(program.reads(&check.id).is_empty(), check.kind == CheckKind::Manual, "{}", check.id);
        }
    }
}
