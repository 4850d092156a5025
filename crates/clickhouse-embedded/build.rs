//! Lets the engine's library, which is loaded at run time, find the `write` of the program (`src/write.rs`) before the C library's.

fn main() {
    println!("cargo:rustc-link-arg-bin=clickhouse-embedded=-Wl,--export-dynamic-symbol=write");
    println!("cargo:rerun-if-changed=build.rs");
}
