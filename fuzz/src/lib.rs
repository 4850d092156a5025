//! Fuzz targets: each takes any bytes for what others may send, and panics if a promise is broken. `tests/corpus.rs` runs
//! them on the corpus and on mutations of it, `make fuzz` under LLVM's fuzzer, guided by coverage.

mod targets;

/// A target: its name, which is that of its folder in `corpus/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("decode", targets::decode_any),
    ("validate", targets::validate_any),
    ("mapping", targets::map_any),
    ("bodies", targets::take_body),
    ("intent", targets::read_intent),
];
