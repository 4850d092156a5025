//! Comparisons of windows and groups.

use kaizen_stats::{benjamini_hochberg, paired_t};
use serde::Deserialize;

use crate::close;

#[derive(Deserialize)]
struct Reference {
    paired_t: Vec<PairedCase>,
    benjamini_hochberg: Vec<Family>,
}

#[derive(Deserialize)]
struct PairedCase {
    pairs: Vec<(f64, f64)>,
    mean_difference: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct Family {
    p_values: Vec<f64>,
    adjusted: Vec<f64>,
}

fn reference() -> serde_json::Result<Reference> {
    serde_json::from_str(include_str!("comparisons.json"))
}

#[test]
fn the_paired_t_test_gives_scipys_p_values() {
    for case in reference().unwrap().paired_t {
        let found = paired_t(&case.pairs).unwrap();
        assert!(
            close(found.p_value, case.p_value),
            "{} for {}",
            found.p_value,
            case.p_value
        );
        assert!(close(found.mean_difference, case.mean_difference));
    }
}

#[test]
fn adjusted_p_values_are_scipys() {
    for family in reference().unwrap().benjamini_hochberg {
        let found = benjamini_hochberg(&family.p_values);
        assert!(
            found
                .iter()
                .zip(&family.adjusted)
                .all(|(found, expected)| close(*found, *expected)),
            "{found:?}"
        );
    }
}
