//! The statistics behind Kaizen's findings. Pure: numbers in, numbers out; the same input gives the same bits. Every
//! method names its paper and is held to reference values of SciPy and its kin (`make reference`).

mod benjamini_hochberg;
mod paired_t;

pub use benjamini_hochberg::benjamini_hochberg;
pub use paired_t::{PairedT, paired_t};
