//! No input of the corpus and no mutation of one breaks a promise. `KAIZEN_FUZZ_SECONDS` a target, `KAIZEN_FUZZ_SEED`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_fuzz::TARGETS;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What parsers stumble over.
const TOKENS: [&[u8]; 22] = [
    b"{",
    b"[",
    b"\"",
    b":",
    b",",
    b"}",
    b"]",
    b"\\u",
    b"\\ud800",
    b"\\udc00",
    b"1e999",
    b"-0",
    b"0.1e-400",
    b"18446744073709551616",
    b"\xff",
    b"\xe2\x82",
    b"\x00",
    b"\xef\xbb\xbf",
    b"null",
    b"true",
    b"\r\n",
    b"-",
];

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn corpus(target: &str) -> Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    ensure!(!files.is_empty(), "{}: is empty", folder.display());
    files.iter().map(|file| Ok(fs::read(file)?)).collect()
}

fn place(random: &mut StdRng, bytes: &[u8]) -> usize {
    random.random_range(0..=bytes.len())
}

fn mutate(random: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.random_range(0..corpus.len())].clone();
    for _ in 0..random.random_range(1..6) {
        let (one, other) = (place(random, &bytes), place(random, &bytes));
        let (from, to) = (one.min(other), one.max(other));
        match random.random_range(0..8) {
            0 if from < bytes.len() => bytes[from] ^= 1 << random.random_range(0..8),
            1 if from < bytes.len() => bytes[from] = random.random_range(0..=255),
            2 => bytes.truncate(to),
            3 => _ = bytes.drain(from..to.min(from + 16)),
            4 => {
                let piece = bytes[from..to.min(from + 64)].to_vec();
                let times = random.random_range(1..20);
                bytes.splice(from..from, piece.repeat(times));
            }
            5 => {
                let donor = &corpus[random.random_range(0..corpus.len())];
                let (first, second) = (place(random, donor), place(random, donor));
                let piece = donor[first.min(second)..first.max(second)].to_vec();
                bytes.splice(from..to, piece);
            }
            6 => {
                let depth = random.random_range(1..200);
                let (open, close) = if random.random_bool(0.5) {
                    ("[", "]")
                } else {
                    ("{\"a\":", "}")
                };
                let inner = bytes[from..to].to_vec();
                let nested = [
                    open.repeat(depth).into_bytes(),
                    inner,
                    close.repeat(depth).into_bytes(),
                ]
                .concat();
                bytes.splice(from..to, nested);
            }
            _ => {
                let token = TOKENS[random.random_range(0..TOKENS.len())];
                bytes.splice(from..from, token.iter().copied());
            }
        }
        bytes.truncate(64 * 1024);
    }
    bytes
}

#[test]
fn no_input_of_the_corpus_and_no_mutation_of_one_breaks_a_promise() -> Result<()> {
    let patience = Duration::from_secs(number("KAIZEN_FUZZ_SECONDS", 2));
    let seed = number("KAIZEN_FUZZ_SEED", 1);
    for (name, target) in TARGETS {
        let corpus = corpus(name)?;
        let began = Instant::now();
        let mut inputs = 0;
        let mut random = StdRng::seed_from_u64(seed);
        let mut run = |bytes: &[u8]| {
            if std::panic::catch_unwind(|| target(bytes)).is_err() {
                let path = std::env::temp_dir().join(format!("kaizen-fuzz-{name}-{seed}-{inputs}"));
                fs::write(&path, bytes)?;
                anyhow::bail!("{name}: the input is in {}", path.display());
            }
            inputs += 1;
            Ok(())
        };
        corpus.iter().try_for_each(|bytes| run(bytes))?;
        while began.elapsed() < patience {
            run(&mutate(&mut random, &corpus))?;
        }
        println!(
            "{name}: {inputs} inputs in {:.1} s",
            began.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
