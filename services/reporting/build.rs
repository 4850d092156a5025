//! Makes sure that there is a folder to embed: the dashboard is built by `make web`, which needs Node, and the service
//! compiles without it.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let built = Path::new(&root).join("../../web/dist");
    println!("cargo:rerun-if-changed={}", built.display());
    fs::create_dir_all(built)
}
