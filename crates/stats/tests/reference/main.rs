//! The methods against SciPy and its kin. Each topic has a script that makes its values (`make reference`), the values as
//! JSON, and the tests here.

mod comparisons;
mod impact;
mod series;

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1e-6)
}
