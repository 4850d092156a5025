"""Impact: SciPy, statsmodels."""

import numpy
from scipy import optimize
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.tsa.statespace.sarimax import SARIMAX

random = numpy.random.default_rng(20260107)


def ar1(n, phi):
    values = [random.normal()]
    for _ in range(n - 1):
        values.append(phi * values[-1] + numpy.sqrt(1 - phi**2) * random.normal())
    return numpy.array(values)


def nonnegative():
    """Weights of a synthetic control, some of them 0."""
    cases = []
    for n, controls in [(30, 2), (56, 5), (60, 12)]:
        columns = numpy.array([ar1(n, 0.4) for _ in range(controls)]).round(4)
        values = (columns.T @ random.normal(0.3, 0.5, controls) + ar1(n, 0.4)).round(4)
        weights, _ = optimize.nnls(columns.T, values)
        cases.append({"columns": columns, "values": values, "weights": weights})
    return cases


def portfolios():
    """How far truths lie apart by Paule and Mandel, the mean of all, and what that makes of each."""
    cases = []
    for n, apart in [(4, 3.0), (10, 1.0), (25, 0.5)]:
        errors = random.uniform(0.3, 1.5, n).round(3)
        values = (random.normal(2, apart, n) + errors * random.normal(size=n)).round(3)
        found = combine_effects(values, errors**2, method_re="iterated", atol=1e-12)
        spread = max(found.tau2, 0)
        weights = 1 / (errors**2 + spread)
        mean = weights @ values / weights.sum()
        share = (n - 3) / (n - 1) * errors**2 / (errors**2 + spread)
        cases.append({"values": values, "errors": errors, "shrunk": mean + (1 - share) * (values - mean), "shares": share})
    return cases


def changes():
    """A step at day 60 beside controls, neighbours alike, by maximum likelihood."""
    cases = []
    for phi, effect, controls in [(0.3, 1.0, 0), (0.5, 0.0, 1), (0.6, 2.0, 3), (0.0, 0.5, 2)]:
        common = ar1(88, phi)
        like = [numpy.sqrt(0.6) * common + numpy.sqrt(0.4) * ar1(88, phi) for _ in range(controls + 1)]
        step = (numpy.arange(88) >= 60) * 1.0
        values = (10 + like[0] + effect * step).round(4)
        others = numpy.array(like[1:]).round(4).reshape(controls, 88)
        # The first days are left over by whole weeks.
        explaining = numpy.column_stack([numpy.ones(84), step[4:], *others[:, 4:]])
        fit = SARIMAX(values[4:], exog=explaining, order=(1, 0, 0)).fit(disp=0)
        cases.append({"values": values, "controls": others, "effect": fit.params[1], "error": fit.bse[1]})
    return cases


def cases():
    return {"nonnegative": nonnegative(), "portfolios": portfolios(), "changes": changes()}
