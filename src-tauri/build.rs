//! Embeds `ui/dist` and the capabilities of the window.

use std::{fs, path::Path};

fn main() {
    // The embedded build refuses to start without a frontend; a page that says what is missing is a better failure
    // than a panic in a macro. `cargo xtask run` builds the real one first.
    let index = Path::new("ui/dist/index.html");
    if !index.exists() {
        fs::create_dir_all("ui/dist").expect("ui/dist can be created");
        fs::write(index, "<!doctype html><meta charset=utf-8><title>Posture Console</title><p>The window's files were not built. Run <code>cargo xtask run</code>.")
            .expect("ui/dist/index.html can be written");
    }
    println!("cargo:rerun-if-changed=ui/dist");
    tauri_build::try_build(tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*"))
        .expect("tauri.conf.json, icons and capabilities are well-formed");
}
