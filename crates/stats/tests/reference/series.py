"""Series: pymannkendall, SciPy, statsmodels, ruptures."""

import numpy
import pymannkendall
import ruptures
from scipy import stats
from statsmodels.tsa.seasonal import MSTL

random = numpy.random.default_rng(20260106)


def ar1(n, phi):
    values = [random.normal()]
    for _ in range(n - 1):
        values.append(phi * values[-1] + numpy.sqrt(1 - phi**2) * random.normal())
    return numpy.array(values)


def trends():
    """Without autocorrelation, ties among them."""
    cases = []
    for n, slope, digits in [(8, 0.3, 3), (28, 0.05, 3), (90, 0, 3), (90, 0.01, 0), (168, -0.01, 1)]:
        values = (ar1(n, 0) + slope * numpy.arange(n)).round(digits)
        test = pymannkendall.original_test(values)
        line = stats.theilslopes(values, numpy.arange(n), alpha=0.95)
        # SciPy's interval, and what it takes its ranks from.
        half_width = stats.norm.ppf(0.975) * numpy.sqrt(test.var_s)
        cases.append({"values": values, "s": test.s, "variance": test.var_s, "p_value": test.p, "slope": line.slope,
                      "interval": [line.low_slope, line.high_slope], "half_width": half_width})
    return cases


def segments():
    """The cheapest cuts by PELT at a penalty, levels of two values or more."""
    cases = []
    for n, penalty, steps in [(120, 12.0, [(40, 2), (80, -1)]), (300, 15.0, [(100, 1.5), (150, -2), (260, 3)]), (200, 20.0, [])]:
        values = ar1(n, 0.2)
        for at, height in steps:
            values[at:] += height
        values = values.round(4)
        cuts = ruptures.Pelt(model="l2", min_size=5, jump=1).fit(values).predict(pen=penalty)[:-1]
        cases.append({"values": values, "penalty": penalty, "cuts": cuts})
    return cases


def seasons():
    """An hourly series with a day and a week, whose seasons are known."""
    hours = numpy.arange(24 * 7 * 5)
    season = 3 * numpy.sin(2 * numpy.pi * hours / 24) + 2 * numpy.cos(2 * numpy.pi * hours / 168)
    values = (20 + season + 0.5 * ar1(len(hours), 0.4)).round(4)
    found = MSTL(values, periods=(24, 168), windows=(8401, 8401), stl_kwargs={"seasonal_deg": 0}).fit()
    return [{"values": values, "periods": [24, 168], "season": found.seasonal.sum(axis=1)}]


def cases():
    return {"trends": trends(), "segments": segments(), "seasons": seasons()}
