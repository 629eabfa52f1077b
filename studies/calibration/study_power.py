"""Power: how often a test decides, against how far the truth lies from the end of the region.

The documented alternatives are those in the docstrings of `Inside`, `Rate` and `Limit`, in units of the noise of one
seed: the half-width of a region with the truth in its middle, which is supported; the distance of the truth from the
region, which is refuted. Both with chance 0.9 at least. Every trial is a data set of 16 normal seeds.
"""

import numpy as np

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, decide
from unifiedscore.study import Claim, Control, Grid, Inside, Limit, Proportion, Rate, Study, Variable

SEEDS, TRIALS = 16, 128
X = 4.0 ** np.arange(2, 11)
NOISE = {"inside": 1.0, "rate": 0.3, "limit": 1.0}
TRUTH = {"inside": 0.0, "rate": -1.0, "limit": 2.0}
DOCUMENTED = {
    ("inside", "middle"): 1.3,
    ("inside", "outside"): 2.0,
    ("rate", "middle"): 0.27,
    ("rate", "outside"): 0.35,
    ("limit", "middle"): 0.7,
    ("limit", "outside"): 1.0,  # not documented: a scale for the curve, no claim
}


def build(test, low, high):
    if test == "inside":
        return Inside(low, high)
    return Rate(low, high, along="x") if test == "rate" else Limit(low, high, along="x", order=1)


def draw(test, rng):
    """One data set of 16 seeds whose statistic is TRUTH[test]."""
    if test == "inside":
        return rng.normal(size=SEEDS)
    noise = NOISE[test] * rng.normal(size=(X.size, SEEDS))
    return np.exp(noise) / X[:, None] if test == "rate" else TRUTH[test] + 5 / X[:, None] + noise


def measure(cell, rng):
    name, outside = cell["test"], cell["truth"] == "outside"
    size = cell["effect"] * DOCUMENTED[name, cell["truth"]] * NOISE[name]
    half = DOCUMENTED[name, "middle"] * NOISE[name] if outside else size
    middle = TRUTH[name] + (half + size if outside else 0.0)
    test = build(name, middle - half, middle + half)
    level = REFUTE_LEVEL if outside else SUPPORT_LEVEL
    outcomes = [decide(test.estimate(draw(name, rng), x=X, level=level), test.low, test.high) for _ in range(TRIALS)]
    return {"power": outcomes.count("refuted" if outside else "supported") / TRIALS}


study = Study(
    name="calibration_power", title="How often a test decides, against the size of the effect",
    grid=Grid(test=["inside"], truth=["middle", "outside"], effect=[0.5, 1.0], seed=range(16)),
    profiles={"standard": {"test": list(NOISE), "effect": [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0], "seed": range(32)}},
    measure=measure, variables={"power": Variable("Share of trials that are decided rightly")},
    claims=[
        Claim("calibration.power",
              f"{test.capitalize()} decides 9 times in 10 at its documented alternative, {value:g} s with the truth "
              f"{truth}.",
              "docstrings of the tests", "monte_carlo", "power", Proportion(0.9, 1.1, TRIALS),
              where={"test": test, "truth": truth, "effect": 1.0}, regime=f"{test}_{truth}",
              control=Control("half the effect", where={"effect": 0.5}),
              profile="quick" if test == "inside" else "standard")
        for (test, truth), value in DOCUMENTED.items() if (test, truth) != ("limit", "outside")
    ],
)  # fmt: skip
