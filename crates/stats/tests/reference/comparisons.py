"""Comparisons of windows and groups: SciPy and statsmodels."""

import numpy
from scipy import stats
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats import proportion
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.multitest import multipletests

random = numpy.random.default_rng(20260105)
# Another, so that what is added here leaves the older cases as they are.
generator = numpy.random.default_rng(20261125)
labels = numpy.random.default_rng(20261128)


def paired_t():
    cases = []
    for pairs, shift, scale in [(3, 0, 1), (7, 0, 1), (7, 0.5, 1), (7, -3, 0.1), (14, 0.2, 5), (30, 0, 100), (366, 0.05, 1)]:
        first = random.normal(10, 2, pairs).round(6)
        second = (first + shift + random.normal(0, scale, pairs)).round(6)
        result = stats.ttest_rel(second, first)
        cases.append({"pairs": [list(pair) for pair in zip(first, second)],
                      "mean_difference": numpy.mean(second - first), "p_value": result.pvalue})
    return cases


def benjamini_hochberg():
    families = [[0.03], [0.01, 0.04, 0.03], [0.5, 0.5, 0.001, 1.0], list(random.uniform(0, 1, 16).round(9)),
                list(random.beta(0.3, 1, 40).round(9))]
    return [{"p_values": family, "adjusted": list(stats.false_discovery_control(family))} for family in families]


def moments(values):
    return [len(values), float(numpy.sum(values)), float(numpy.sum(numpy.square(values)))]


def welch():
    cases = []
    for sizes, shift, scale in [((5, 9), 0, 1), ((40, 25), 0.5, 3), ((300, 200), -0.1, 1), ((12, 12), 10, 0.2)]:
        first = generator.normal(10, 2, sizes[0]).round(6)
        second = generator.normal(10 + shift, 2 * scale, sizes[1]).round(6)
        result = stats.ttest_ind(second, first, equal_var=False)
        low, high = result.confidence_interval(0.95)
        cases.append({"first": moments(first), "second": moments(second), "t": result.statistic, "degrees": result.df,
                      "p_value": result.pvalue, "interval": [low, high]})
    return cases


def mann_whitney():
    cases = []
    for sizes, shift, digits in [((8, 9), 0, 6), ((30, 20), 0.5, 6), ((50, 60), 0.3, 0), ((100, 20), 0, 1)]:
        first = list(generator.normal(3, 1, sizes[0]).round(digits))
        second = list(generator.normal(3 + shift, 1, sizes[1]).round(digits))
        result = stats.mannwhitneyu(second, first, method="asymptotic")
        cases.append({"first": first, "second": second, "u": result.statistic, "p_value": result.pvalue})
    return cases


def wilson():
    cases = []
    for successes, trials, level in [(0, 10, 0.95), (3, 10, 0.9), (50, 1000, 0.99), (999, 1000, 0.95)]:
        interval = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
        cases.append({"successes": successes, "trials": trials, "level": level, "interval": [interval.low, interval.high]})
    return cases


def two_proportions():
    cases = []
    for first, second in [((30, 100), (45, 110)), ((5, 400), (15, 390)), ((500, 1000), (505, 1000)), ((1, 12), (9, 15))]:
        z, p_value = proportion.proportions_ztest([second[0], first[0]], [second[1], first[1]])
        interval = proportion.confint_proportions_2indep(*second, *first, method="newcomb", compare="diff")
        cases.append({"first": first, "second": second, "z": z, "p_value": p_value, "interval": list(interval)})
    return cases


def dispersion():
    cases = []
    for days, spread in [(14, 0.0), (28, 0.4), (60, 1.0)]:
        trials = generator.integers(50, 500, days)
        share = 1 / (1 + numpy.exp(-generator.normal(0, spread, days)))
        successes = generator.binomial(trials, share)
        fitted = GLM(numpy.column_stack([successes, trials - successes]), numpy.ones(days), Binomial()).fit()
        cases.append({"groups": [[int(s), int(n)] for s, n in zip(successes, trials)], "dispersion": fitted.pearson_chi2 / fitted.df_resid})
    return cases


def mean_dispersion():
    cases = []
    for spread in [0.5, 3.0]:
        days = [generator.normal(generator.normal(0, spread), 2, 30).round(6) for _ in range(10)]
        cases.append({"groups": [moments(day) for day in days], "dispersion": max(1, stats.f_oneway(*days).statistic)})
    return cases


def bonferroni():
    families = [[0.03], [0.01, 0.04, 0.5], list(generator.uniform(0, 0.2, 12).round(9))]
    return [{"p_values": family, "adjusted": list(multipletests(family, method="bonferroni")[1])} for family in families]


def calibration():
    """Cox's test as a likelihood ratio of logistic regressions; Spiegelhalter's by its formula."""
    cases = []
    for count, temperature, shift in [(300, 1.0, 0.0), (500, 1.4, 0.0), (400, 0.8, 0.5)]:
        odds = generator.normal(0.5, 1.2, count)
        success = (generator.uniform(size=count) < 1 / (1 + numpy.exp(-odds))).astype(float)
        stated = (1 / (1 + numpy.exp(-(temperature * odds + shift)))).round(9)
        stated_odds = numpy.log(stated / (1 - stated))
        fitted = GLM(success, numpy.column_stack([numpy.ones(count), stated_odds]), Binomial()).fit(tol=1e-14)
        as_stated = numpy.sum(success * numpy.log(stated) + (1 - success) * numpy.log(1 - stated))
        gain = 2 * (fitted.llf - as_stated)
        z = numpy.sum((success - stated) * (1 - 2 * stated)) / numpy.sqrt(
            numpy.sum((1 - 2 * stated) ** 2 * stated * (1 - stated)))
        cases.append({"stated": list(stated), "success": list(success), "p_value": stats.chi2.sf(gain, 2),
                      "intercept": fitted.params[0], "slope": fitted.params[1],
                      "spiegelhalter_p_value": 2 * stats.norm.sf(abs(z))})
    return cases


def graded(levels, rise, trials):
    """Levels from the lowest up: score, trials, successes."""
    return [[score, int(n), int(labels.binomial(n, 0.6 + rise * at / levels))]
            for at, (score, n) in enumerate(zip(numpy.cumsum(labels.uniform(0.5, 2, levels)).round(3),
                                                labels.integers(trials // 2, trials, levels)))]


def cochran_armitage():
    """The trend by statsmodels, the whole chi-square by SciPy; what is left of it departs from the trend."""
    cases = []
    for levels, rise, trials in [(2, 0.3, 60), (3, 0.0, 200), (5, -0.2, 300), (10, 0.1, 900)]:
        rows = graded(levels, rise, trials)
        table = numpy.array([[n - hits, hits] for _, n, hits in rows])
        found = Table(table, shift_zeros=False).test_ordinal_association(row_scores=numpy.array([row[0] for row in rows]))
        n = table.sum()
        # statsmodels divides by n - 1 what Armitage divides by n.
        z = found.zscore * numpy.sqrt(n / (n - 1))
        whole = stats.chi2_contingency(table, correction=False).statistic
        departure = whole - z ** 2 if levels > 2 else 0
        cases.append({"levels": rows, "z": z, "p_value": 2 * stats.norm.sf(abs(z)), "departure": departure,
                      "departure_p_value": stats.chi2.sf(departure, levels - 2) if levels > 2 else 1})
    return cases


def stratified_auc():
    """Of every stratum the area by SciPy, its variance where levels say nothing by SciPy's test, van Elteren's weights; placements by
    their definition."""
    cases = []
    for sizes, levels, rise in [([300], 3, 0.2), ([40, 90, 60], 3, 0.0), ([150, 80, 200, 120], 8, -0.4)]:
        strata, areas, nulls, placements = [], [], [], ([], [])
        for n in sizes:
            level = labels.integers(0, levels, n)
            success = labels.uniform(size=n) < 0.6 + rise * (level / levels - 0.5)
            strata.append([[int(numpy.sum(success & (level == at))), int(numpy.sum(level == at))] for at in range(levels)])
            good, bad = level[success], level[~success]
            test = stats.mannwhitneyu(good, bad, use_continuity=False, method="asymptotic")
            areas.append(test.statistic / (len(good) * len(bad)))
            z = stats.norm.isf(test.pvalue / 2)
            nulls.append(((areas[-1] - 0.5) / z) ** 2)
            wins = (good[:, None] > bad[None, :]) + 0.5 * (good[:, None] == bad[None, :])
            placements[0].append(wins.mean(axis=1))
            placements[1].append(wins.mean(axis=0))
        counts = [numpy.array([len(it) for it in side]) for side in placements]
        pooled = [sum(numpy.sum((it - it.mean()) ** 2) for it in side) / sum(len(it) - 1 for it in side) for side in placements]
        variances = pooled[0] / counts[0] + pooled[1] / counts[1]
        weights = counts[0] * counts[1] / (counts[0] + counts[1] + 1)
        areas, nulls = numpy.array(areas), numpy.array(nulls)
        area = numpy.average(areas, weights=weights)
        spread = numpy.sum((areas - area) ** 2 / variances) / (len(sizes) - 1) if len(sizes) > 1 else 1
        dispersion = max(1, spread)
        z = (area - 0.5) * weights.sum() / numpy.sqrt(dispersion * numpy.sum(weights ** 2 * nulls))
        cases.append({"strata": strata, "auc": area, "z": z, "p_value": 2 * stats.norm.sf(abs(z)), "dispersion": dispersion,
                      "error": numpy.sqrt(dispersion * numpy.sum(weights ** 2 * variances)) / weights.sum()})
    return cases


def cases():
    return {"paired_t": paired_t(), "benjamini_hochberg": benjamini_hochberg(), "welch": welch(),
            "mann_whitney": mann_whitney(), "wilson": wilson(), "two_proportions": two_proportions(),
            "dispersion": dispersion(), "mean_dispersion": mean_dispersion(), "bonferroni": bonferroni(),
            "calibration": calibration(), "cochran_armitage": cochran_armitage(),
            "stratified_auc": stratified_auc()}
