//! Rebuilds the crate when a manifest changes: the catalog folder is embedded.

fn main() {
    println!("cargo:rerun-if-changed=../../catalog");
}
