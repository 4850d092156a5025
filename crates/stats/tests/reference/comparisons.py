"""Comparisons of windows and groups: SciPy."""

import numpy
from scipy import stats

random = numpy.random.default_rng(20260105)


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


def cases():
    return {"paired_t": paired_t(), "benjamini_hochberg": benjamini_hochberg()}
