//! Series: trend, cuts and seasons.

use kaizen_stats::{change_points, mann_kendall, seasonal, theil_sen};
use serde::Deserialize;

use crate::close;

#[derive(Deserialize)]
struct Reference {
    trends: Vec<Trend>,
    segments: Vec<Segments>,
    seasons: Vec<Seasons>,
}

#[derive(Deserialize)]
struct Trend {
    values: Vec<f64>,
    s: f64,
    variance: f64,
    p_value: f64,
    slope: f64,
    interval: (f64, f64),
    half_width: f64,
}

#[derive(Deserialize)]
struct Segments {
    values: Vec<f64>,
    cuts: Vec<usize>,
}

#[derive(Deserialize)]
struct Seasons {
    values: Vec<f64>,
    periods: Vec<usize>,
    season: Vec<f64>,
}

fn reference() -> serde_json::Result<Reference> {
    serde_json::from_str(include_str!("series.json"))
}

#[test]
fn mann_kendall_is_that_of_pymannkendall() {
    for case in reference().unwrap().trends {
        let found = mann_kendall(&case.values, 0.0).unwrap();
        assert_eq!(found.s, case.s);
        assert!(close(found.variance, case.variance), "{found:?}");
        assert!(
            (found.p_value - case.p_value).abs() < 1e-9,
            "{found:?} for {}",
            case.p_value
        );
    }
}

#[test]
fn the_line_and_its_interval_are_those_of_scipy() {
    for case in reference().unwrap().trends {
        let found = theil_sen(&case.values, case.half_width).unwrap();
        assert!(close(found.slope, case.slope), "{found:?} for {}", case.slope);
        assert!(
            close(found.interval.0, case.interval.0),
            "{found:?} for {:?}",
            case.interval
        );
        assert!(
            close(found.interval.1, case.interval.1),
            "{found:?} for {:?}",
            case.interval
        );
    }
}

/// Ruptures is given the penalty; here it comes of the noise. Places may differ by the likelihood that refines them.
#[test]
fn change_points_are_near_the_cuts_of_ruptures() {
    for case in reference().unwrap().segments {
        let found: Vec<usize> = change_points(&case.values)
            .iter()
            .map(|change| change.index)
            .collect();
        assert_eq!(found.len(), case.cuts.len(), "{found:?} for {:?}", case.cuts);
        assert!(
            found.iter().zip(&case.cuts).all(|(a, b)| a.abs_diff(*b) <= 3),
            "{found:?} for {:?}",
            case.cuts
        );
    }
}

/// The libraries smooth alike but not the same: their ends differ, and one is robust.
#[test]
fn seasons_are_near_those_of_statsmodels() {
    for case in reference().unwrap().seasons {
        let found = seasonal(&case.values, &case.periods);
        assert_eq!(found.periods, case.periods);
        let apart = found
            .season
            .iter()
            .zip(&case.season)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>();
        let height = case.season.iter().map(|value| value * value).sum::<f64>();
        assert!(apart / height < 0.001, "{}", apart / height);
    }
}
