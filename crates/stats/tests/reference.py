#!/usr/bin/env python3
"""Makes reference.json: results of SciPy that the Rust methods must reproduce. Needs scipy 1.17 and numpy 2."""

import json
import pathlib

import numpy
import scipy
from scipy import stats

random = numpy.random.default_rng(20260105)


def paired_t():
    cases = []
    for pairs, shift, scale in [(3, 0, 1), (7, 0, 1), (7, 0.5, 1), (7, -3, 0.1), (14, 0.2, 5), (30, 0, 100), (366, 0.05, 1)]:
        first = random.normal(10, 2, pairs)
        second = first + shift + random.normal(0, scale, pairs)
        result = stats.ttest_rel(second, first)
        cases.append({"pairs": [list(pair) for pair in zip(first, second)],
                      "mean_difference": float(numpy.mean(second - first)), "p_value": float(result.pvalue)})
    return cases


def benjamini_hochberg():
    families = [[0.03], [0.01, 0.04, 0.03], [0.5, 0.5, 0.001, 1.0], list(random.uniform(0, 1, 16)),
                list(random.beta(0.3, 1, 40))]
    return [{"p_values": family, "adjusted": list(stats.false_discovery_control(family))} for family in families]


reference = {"scipy": scipy.__version__, "paired_t": paired_t(), "benjamini_hochberg": benjamini_hochberg()}
target = pathlib.Path(__file__).with_name("reference.json")
target.write_text(json.dumps(reference, indent=1) + "\n")
