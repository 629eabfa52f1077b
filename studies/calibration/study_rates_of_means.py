"""Rates and limits of means, where the noise of the replicates changes along x.

E y = 1/x exactly, but the replicates at small x are averages of many draws and those at large x of few, as where work
of equal cost is measured: chi-square noise over min(64, 65536/x) draws, or a log sd that falls like x^(-1/4). The mean
of log y then has another slope. The rule that took one slope of the logarithms per seed, which is that of the geometric
mean, is the control: it refutes the true exponent.
"""

import numpy as np

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL
from unifiedscore.study import Claim, Control, Grid, Limit, Proportion, Rate, Study, Variable

TRIALS = 20
X = {
    "averaged_chi_square": 65536.0 / 2.0 ** np.arange(5, -1, -1),
    "falling_lognormal": 4.0 ** np.arange(6),
    "lognormal_1": 4.0 ** np.arange(2, 8),
    "moving_as_one": 4.0 ** np.arange(2, 8),
    "normal": 4.0 ** np.arange(2, 8),
}


def factor(noise, x, seeds, rng):
    """Positive factors (x, seed) of mean 1."""
    shape = x.size, seeds
    if noise == "averaged_chi_square":
        draws = np.minimum(64, 65536 / x)[:, None]
        return rng.chisquare(draws, shape) / draws
    if noise == "normal":
        return 1 + 0.1 * rng.normal(size=shape)
    log_sd = {"falling_lognormal": 1.2 * x**-0.25, "lognormal_1": np.ones_like(x)}.get(noise)
    if log_sd is not None:
        return np.exp(log_sd[:, None] * rng.normal(size=shape) - log_sd[:, None] ** 2 / 2)
    sizes = np.linspace(0.1, 1.0, x.size)[:, None]  # all labels of one seed share their draw
    return np.exp(sizes * rng.normal(size=seeds) - sizes**2 / 2)


def tests(kind):
    """The test of means, and the former rule or its analogue; both with the truth in the middle of their region."""
    if kind == "rate":
        ends = {"low": -1.1, "high": -0.9, "along": "x"}
        return Rate(**ends), Rate(**ends, of="geometric_mean"), -1.0
    ends = {"low": 0.9, "high": 1.1, "along": "x", "order": 1}
    return Limit(**ends), Limit(**ends, of="geometric_mean"), 1.0


def measure(cell, rng):
    x = X[cell["noise"]]
    mean_test, former, truth = tests(cell["test"])
    expected = 1 / x if cell["test"] == "rate" else 1 + 2 * x[0] / x
    names = ("refuted", "refuted_per_seed", "missed", "missed_per_seed")
    counts, widths = dict.fromkeys(names, 0), []
    for _ in range(TRIALS):
        y = expected[:, None] * factor(cell["noise"], x, cell["seeds"], rng)
        for way, test in (("", mean_test), ("_per_seed", former)):
            wide, narrow = (test.estimate(y, x=x, level=level) for level in (REFUTE_LEVEL, SUPPORT_LEVEL))
            counts[f"refuted{way}"] += not wide.covers(truth)
            counts[f"missed{way}"] += not narrow.covers(truth)
            widths.append(min(narrow.high - narrow.low, 100.0))
    ratio = np.median(np.divide(widths[::2], widths[1::2]))
    return {name: count / TRIALS for name, count in counts.items()} | {"width": float(ratio)}


STATEMENTS = {
    "averaged_chi_square": "chi-square noise averaged over min(64, 65536/x) draws",
    "falling_lognormal": "lognormal noise whose log sd falls like x^(-1/4)",
    "lognormal_1": "lognormal noise of log sd 1",
    "moving_as_one": "lognormal noise that the labels of a seed share and that grows along x",
}
CALLED = {"rate": "Rate, the exponent of 1/x,", "limit": "Limit, the limit 1 at order 1,"}
# A constant log sd moves no slope, so that the former rule is right about rates there; limits it always moves.
POWER = [("rate", "averaged_chi_square", 256), ("rate", "moving_as_one", 256),
         ("limit", "averaged_chi_square", 256), ("limit", "lognormal_1", 256)]  # fmt: skip


def claims():
    for kind, noise, seeds in POWER:
        yield Claim(
            "calibration.means_along_x",
            f"{CALLED[kind]} misses the law of the means with its 99 % interval at most 3 times in 100 under "
            f"{STATEMENTS[noise]}, at {seeds} seeds.",
            "derived here, from the levels of the decision rule", "monte_carlo", "missed", Proportion(0, 0.03, TRIALS),
            where={"test": kind, "noise": noise, "seeds": seeds}, regime=f"{kind}_{noise}",
            profile="quick" if noise == "averaged_chi_square" and kind == "rate" else "standard",
            control=Control("one slope or intercept per seed, of the geometric mean", variable="missed_per_seed"),
        )  # fmt: skip


study = Study(
    name="calibration_rates_of_means", title="Rates and limits of means under noise that changes along x",
    grid=Grid(test=["rate"], noise=["averaged_chi_square"], seeds=[256], seed=range(16)),
    profiles={"standard": {"test": ["rate", "limit"], "noise": list(X), "seeds": [16, 256], "seed": range(32)}},
    measure=measure,
    variables={
        "refuted": Variable("Share of true laws of means that are refuted"),
        "refuted_per_seed": Variable("Share of true laws of means that one slope or intercept per seed refutes"),
        "missed": Variable("Share of 99 % intervals that miss the law of the means"),
        "missed_per_seed": Variable("Share of 99 % intervals over one slope or intercept per seed that miss it"),
        "width": Variable("Median width of the 99 % interval over that of one slope or intercept per seed"),
    },
    claims=list(claims()),
)  # fmt: skip
