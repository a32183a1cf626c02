//! Rebuilds the crate when a manifest changes, where the catalog folder is embedded. A debug build reads it when it runs.

fn main() {
    let embeds = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    println!("cargo:rerun-if-changed={}", if embeds { "../../catalog" } else { "build.rs" });
}
