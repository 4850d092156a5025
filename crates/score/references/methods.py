"""The methods: each function judges one series, and names what it did."""

import numpy
import pymannkendall

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
