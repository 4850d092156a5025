"""The methods: each function judges one series, and names what it did."""

import numpy
import pandas
import pymannkendall
import ruptures
import statsmodels.api
from causal_impact import CausalImpact
from changepoint_online import Focus, Gaussian
from scipy import stats
from sklearn.calibration import calibration_curve
from statsmodels.stats.contingency_tables import Table

MANN_KENDALL = {
    "Mann–Kendall": pymannkendall.original_test,
    "trend-free pre-whitening": pymannkendall.trend_free_pre_whitening_modification_test,
    "pre-whitening": pymannkendall.pre_whitening_modification_test,
    "Hamed–Rao": pymannkendall.hamed_rao_modification_test,
    "Yue–Wang": pymannkendall.yue_wang_modification_test,
}


def trend(series):
    """1 where a trend is called at 5 % (pymannkendall)."""
    return {name: test(series).p < 0.05 for name, test in MANN_KENDALL.items()}


def rising(series):
    """1 where a rising trend is called at 5 %."""
    found = {name: test(series) for name, test in MANN_KENDALL.items()}
    return {name: test.p < 0.05 and test.z > 0 for name, test in found.items()}


def family(series, metrics, one_in):
    """Metrics declared by Mann–Kendall at 5 %, after Benjamini–Hochberg: how many, the false share, the share of real ones."""
    tests = [pymannkendall.original_test(values) for values in series.reshape(int(metrics), -1)]
    adjusted = stats.false_discovery_control([test.p for test in tests])
    real = [one_in > 0 and metric % one_in == 0 for metric in range(int(metrics))]
    said = {"Mann–Kendall": [test.p < 0.05 for test in tests], "Mann–Kendall + BH": adjusted < 0.05}
    found = {}
    for name, declared in said.items():
        right = sum(yes and is_real and test.z > 0 for yes, is_real, test in zip(declared, real, tests))
        found[name] = (sum(declared), (sum(declared) - right) / max(sum(declared), 1), right / max(sum(real), 1))
    return found


def family_declared(series, **parameters):
    return {name: found[0] for name, found in family(series, **parameters).items()}


def family_false(series, **parameters):
    return {name: found[1] for name, found in family(series, **parameters).items()}


def family_power(series, **parameters):
    return {name: found[2] for name, found in family(series, **parameters).items()}


def noise(series):
    """Variance and autocorrelation of the noise, told by differences, which a step hardly moves."""
    steps = numpy.diff(series)
    variance = numpy.mean(steps**2)
    phi = 1 + 2 * numpy.mean(steps[1:] * steps[:-1]) / variance
    phi = min(max(phi, 0.0), 0.98)
    return variance / (2 * (1 - phi)), phi


def long_run_cuts(series):
    """Cuts of ruptures' exact search for changes of the mean at the penalty 3 ln n · σ² · (1 + φ)/(1 − φ)."""
    variance, phi = noise(series)
    penalty = 3 * numpy.log(len(series)) * variance * (1 + phi) / (1 - phi)
    return ruptures.KernelCPD(kernel="linear", min_size=2).fit(series).predict(pen=penalty)[:-1]


def false_steps(series):
    """Cuts in a stable series (ruptures)."""
    plain = ruptures.KernelCPD(kernel="rbf", min_size=24).fit(series).predict(pen=numpy.log(len(series)))[:-1]
    return {"ruptures, long-run penalty": len(long_run_cuts(series)), "KernelCPD, penalty ln n": len(plain)}


def far_values(series):
    """Values beyond three standard deviations, at most one a day (24 values)."""
    alarms, quiet_until = 0, 0
    for step in numpy.flatnonzero(numpy.abs(stats.zscore(series)) > 3):
        if step >= quiet_until:
            alarms, quiet_until = alarms + 1, step + 24
    return {"z > 3": alarms}


def near(cuts, at):
    return any(abs(cut - at) <= 24 for cut in cuts)


def step_located(series, at):
    """1 where a cut is within a day of the step."""
    return {"ruptures, long-run penalty": near(long_run_cuts(series), at)}


def steps_besides(series, at):
    """Cuts but the one of the step."""
    cuts = long_run_cuts(series)
    return {"ruptures, long-run penalty": len(cuts) - near(cuts, at)}


# Log likelihood ratio that tells a change.
TOLD = 11.5
# Values that the level, the scatter and the autocorrelation are learnt from: two weeks of hours.
LEARNT = 336


def focus(series):
    """Steps at which FOCuS (changepoint-online) tells a change and its direction, started anew after each."""
    learnt = series[:LEARNT]
    variance, phi = noise(learnt)
    away = series - learnt.mean()
    white = (away[1:] - phi * away[:-1]) / numpy.sqrt(variance * (1 - phi**2))
    detector, told, since = Focus(Gaussian()), [], 0
    for step, value in enumerate(white, start=1):
        detector.update(value)
        if detector.statistic() >= TOLD:
            cut = since + int(detector.changepoint()["changepoint"])
            up = white[cut:step].mean() > white[since:cut].mean() if since < cut else value > 0
            told.append((step, up))
            detector, since = Focus(Gaussian()), step
    return told


FOCUS = "changepoint-online, whitened"


def first_rise(series, at):
    return next((step + 1 - at for step, up in focus(series) if step >= at and up), len(series) - at)


def online_delay(series, at, bound, allowed):
    """Delay until a rise is told, in bounds."""
    return {FOCUS: first_rise(series, int(at)) / bound}


def online_within(series, at, bound, allowed):
    """1 where a rise is told in time."""
    return {FOCUS: first_rise(series, int(at)) <= max(24, allowed * bound)}


def online_false(series):
    """Changes told of a stable series."""
    return {FOCUS: len(focus(series))}


def miscalibrated(series):
    """1 where the Hosmer–Lemeshow chi-square over ten bins of equal numbers (bins of scikit-learn's calibration_curve) is below 1 %."""
    stated, trials, successes = series.reshape(-1, 3).T
    trials, successes = trials.astype(int), successes.astype(int)
    probabilities = numpy.repeat(stated, trials)
    outcomes = numpy.concatenate([numpy.repeat([1, 0], [hits, n - hits]) for hits, n in zip(successes, trials)])
    observed, predicted = calibration_curve(outcomes, probabilities, n_bins=10, strategy="quantile")
    edges = numpy.percentile(probabilities, numpy.linspace(0, 100, 11))
    sizes = numpy.bincount(numpy.searchsorted(edges[1:-1], probabilities), minlength=10)
    sizes = sizes[sizes > 0]
    square = numpy.sum(sizes * (observed - predicted) ** 2 / (predicted * (1 - predicted)))
    return {"Hosmer–Lemeshow, scikit-learn": stats.chi2.sf(square, len(sizes)) < 0.01}


def mislabelled(series, wanted):
    """1 where statsmodels' trend over levels is none at 5 % (wanted 1), or one for the worse at 1 % (2), or either (0)."""
    trials, successes = series.reshape(-1, 2).T
    there = trials > 0
    table = numpy.array([trials - successes, successes]).T[there]
    found = Table(table, shift_zeros=False).test_ordinal_association()
    nothing, worse = found.pvalue >= 0.05, found.pvalue < 0.01 and found.zscore < 0
    return {"ordinal association, statsmodels": [nothing or worse, nothing, worse][int(wanted)]}


def change(series, days, before):
    """The true effect, and what was observed of the series and its controls: days before the change, and columns."""
    columns = series[1:].reshape(-1, int(days)).T
    there = numpy.isfinite(columns).all(axis=1)
    return series[0], int(there[:int(before)].sum()), columns[there]


def welch(before, columns):
    """Effect, 95 % interval and probability of a rise by Welch's test of the days before and after (SciPy)."""
    test = stats.ttest_ind(columns[before:, 0], columns[:before, 0], equal_var=False)
    interval = test.confidence_interval()
    return interval.low, interval.high, stats.t.cdf(test.statistic, test.df)


def newey_west(before, columns):
    """The same by least squares on a step and the controls, errors by Newey and West over a week (statsmodels)."""
    step = (numpy.arange(len(columns)) >= before) * 1.0
    explaining = numpy.column_stack([numpy.ones(len(columns)), step, columns[:, 1:]])
    fit = statsmodels.api.OLS(columns[:, 0], explaining).fit(cov_type="HAC", cov_kwds={"maxlags": 7})
    low, high = fit.conf_int()[1]
    return low, high, stats.norm.cdf(fit.tvalues[1])


def structural(before, columns):
    """The same by the default of CausalImpact: local level, spike and slab on the controls (bsts-causalimpact)."""
    last = len(columns) - 1
    found = CausalImpact(pandas.DataFrame(columns), [0, before - 1], [before, last]).summary_stats
    tail, effect = found["p_value"], found["point_effect_mean"]
    return found["ci_lower"], found["ci_upper"], 1 - tail if effect > 0 else tail


IMPACT = {"Welch": welch, "OLS + Newey–West": newey_west, "CausalImpact, bsts": structural}


def impact(said, series, days, before):
    """What each method's interval and probability come to, `said` getting the true effect too."""
    truth, before, columns = change(series, days, before)
    return {name: said(truth, *method(before, columns)) for name, method in IMPACT.items()}


def impact_held(series, **parameters):
    """1 where the interval holds the effect."""
    return impact(lambda truth, low, high, rise: low <= truth <= high, series, **parameters)


def impact_called(series, **parameters):
    """1 where the interval is without 0."""
    return impact(lambda truth, low, high, rise: low > 0 or high < 0, series, **parameters)


def impact_improved(series, **parameters):
    """1 where the interval is above 0."""
    return impact(lambda truth, low, high, rise: low > 0, series, **parameters)


def impact_looks(series, days, before):
    """1 where the interval is without 0 on any day from the second after the change on."""
    columns = series[1:].reshape(-1, int(days))
    seen = {name: False for name in IMPACT}
    for until in range(int(before) + 2, int(days) + 1):
        look = numpy.concatenate([series[:1], columns[:, :until].ravel()])
        called = impact_called(look, days=until, before=before)
        seen = {name: seen[name] or called[name] for name in seen}
    return seen


def impact_stated(series, **parameters):
    """The stated probability of a rise, 2 more where it was one."""
    return impact(lambda truth, low, high, rise: rise + 2 * (truth > 0), series, **parameters)


def decision(rise):
    """1 for a gain, 0 for a loss, NaN for neither, of the probability of a rise."""
    return 1.0 if rise > 0.975 else 0.0 if rise < 0.025 else numpy.nan


def return_decided(series, **parameters):
    """1 where gain or loss is decided, costs having been taken off."""
    return impact(lambda truth, low, high, rise: numpy.isfinite(decision(rise)), series, **parameters)


def return_right(series, **parameters):
    """1 where what was decided is so, NaN where nothing was."""
    return impact(lambda truth, low, high, rise: right(truth, decision(rise)), series, **parameters)


def right(truth, decided):
    return decided if numpy.isnan(decided) else decided == (truth > 0)
