//! One target under LLVM's fuzzer, which brings `main` and its options along: `KAIZEN_FUZZ_TARGET=decode fuzz -runs=1000 CORPUS`.

#![no_main]

use std::sync::LazyLock;

use kaizen_fuzz::TARGETS;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("KAIZEN_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    assert!(
        found.is_some(),
        "KAIZEN_FUZZ_TARGET: must be one of {:?}",
        TARGETS.map(|(name, _)| name)
    );
    found.map_or(|_| {}, |(_, target)| *target)
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
