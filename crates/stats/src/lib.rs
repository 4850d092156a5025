//! The statistics behind Kaizen's findings. Pure: numbers in, numbers out; the same input gives the same bits. Every
//! method names its paper and is held to reference values of SciPy and its kin (`make reference`).

mod benjamini_hochberg;
mod bonferroni;
mod bootstrap;
mod calibration;
mod cochran_armitage;
mod confidence_sequence;
mod dispersion;
mod forecasts;
mod mann_whitney;
mod normal;
mod paired_t;
mod quantile_shift;
mod roi;
mod shrinkage;
mod slices;
mod stratified_auc;
mod two_proportions;
mod welch;
mod wilson;
mod winners_and_losers;

// Time series. A missing value is NaN.
mod anomalies;
mod any_look;
mod autocorrelation;
mod change_points;
mod cholesky;
mod faint_season;
mod focus;
mod grid;
mod impact;
mod mann_kendall;
mod nnls;
mod noise;
mod online;
mod pelt;
mod robust;
mod scale;
mod seasonal;
mod series;
mod student;
#[cfg(test)]
mod testing;
mod theil_sen;
mod trend;

pub use benjamini_hochberg::benjamini_hochberg;
pub use bonferroni::bonferroni;
pub use bootstrap::{block_length, bootstrap_interval};
pub use calibration::{
    Calibration, Predicted, ReliabilityBin, calibration, expected_calibration_error, reliability_curve,
};
pub use cochran_armitage::{CochranArmitage, Graded, cochran_armitage};
pub use confidence_sequence::ConfidenceSequence;
pub use dispersion::{mean_dispersion, proportion_dispersion};
pub use forecasts::{ForecastCorrection, ForecastOutcome, LEAST_OUTCOMES, corrected, forecast_corrections};
pub use mann_whitney::{MannWhitney, mann_whitney};
pub use normal::normal_cdf;
pub use paired_t::{PairedT, paired_t, paired_t_by_past};
pub use quantile_shift::{QuantileShift, TailShift, quantile_shift, tail_shift};
pub use roi::{CalculateRoiError, Economics, Investment, Return, Uncertain, benefit, calculate_roi, roi};
pub use shrinkage::{Shrunk, shrunk};
pub use slices::{
    Cube, Culprit, DeviatingSlice, Measured, MeasuredRatio, NotOfTheCube, OTHER, SliceSearch, Split,
    TwoPeriods, find_culprits, find_deviating_ratios, find_deviating_slices, split_change,
};
pub use stratified_auc::{StratifiedAuc, stratified_auc};
pub use two_proportions::{TwoProportions, two_proportions};
pub use welch::{Moments, Welch, welch};
pub use wilson::wilson_interval;
pub use winners_and_losers::{Standing, standings_by_mean, standings_by_proportion};

pub use anomalies::{Anomaly, anomalies};
pub use any_look::any_look_bound;
pub use autocorrelation::{autocorrelation, effective_n};
pub use change_points::{ChangePoint, change_points};
pub use grid::Grid;
pub use impact::{
    Arm, ArmDay, Arms, Confidence, Control, ControlUse, Covariate, Impact, KnownBefore, Method, Novelty,
    Observed, Placebo, Posterior, Question, Rung, SeriesFindings, Unmeasurable, Verdict, impact,
    impact_following, impact_over_time,
};
pub use mann_kendall::{MannKendall, mann_kendall};
pub use nnls::nonnegative_least_squares;
pub use online::{Online, online};
pub use scale::Scale;
pub use seasonal::{Seasonal, likely_season, seasonal};
pub use series::{Analysis, Direction, Times, analyse};
pub use theil_sen::{TheilSen, theil_sen};
pub use trend::{Trend, trend};
