use super::regression::Fit;

/// Fits with one column more, which may or may not be there in truth.
pub(super) struct Alternative {
    pub(super) fits: Vec<Fit>,
    /// How likely the column is, beforehand, in relation to the fits without it.
    pub(super) prior: f64,
    /// Standard deviation of its coefficient beforehand, in standard deviations of a step.
    pub(super) size: f64,
}

/// All fits together, each kind as likely as the data make it, and the share of each alternative. Where an effect fades, the
/// effect of all steps is told by the fits that know of it; where the series has a trend, by those that continue it.
///
/// R. E. Kass and A. E. Raftery, "Bayes Factors", J. Am. Statist. Ass. 90 (1995).
pub(super) fn averaged<const N: usize>(plain: Vec<Fit>, others: [Alternative; N]) -> (Vec<Fit>, [f64; N]) {
    let Some(first) = plain.first() else {
        return (plain, [0.0; N]);
    };
    let deviation: f64 = plain.iter().map(|fit| fit.weight * fit.variance.sqrt()).sum();
    let (evidence, freedom) = (first.evidence, first.freedom);
    // What is left of two marginal likelihoods, the coefficient being normal beforehand.
    let odds = others.each_ref().map(|other| {
        other.fits.first().map_or(0.0, |fit| {
            let factor = fit.evidence - evidence - 0.5 * freedom.ln() - (other.size * deviation).ln();
            other.prior * factor.min(300.0).exp()
        })
    });
    let all = 1.0 + odds.iter().sum::<f64>();
    let mut fits = plain;
    fits.iter_mut().for_each(|fit| fit.weight /= all);
    for (other, odds) in others.into_iter().zip(odds) {
        fits.extend(other.fits.into_iter().map(|mut fit| {
            fit.weight *= odds / all;
            fit
        }));
    }
    (fits, odds.map(|odds| odds / all))
}
