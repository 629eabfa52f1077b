"""A whole ledger of 60 true claims, again and again: how many hold a wrong refutation?

30 values, 15 rates and 15 limits, judged by `judge` on data sets of 16 seeds as `run` stores them. Ten of the truths
sit on an end of their region, where a wrong refutation is most frequent; the others are spread evenly over it. A
ledger of K Monte Carlo verdicts prints the bound K x 1e-4 on its chance of any wrong refutation.
"""

from dataclasses import replace

import numpy as np

from unifiedscore.inference import SUPPORT_LEVEL
from unifiedscore.ledger import Ledger
from unifiedscore.study import Claim, Control, Grid, Inside, Limit, Proportion, Rate, Study, Variable, judge

SEEDS, LEDGERS, CLAIMS = 16, 100, 60
X = 4.0 ** np.arange(2, 11)
VALUES, SERIES = 30, 15


def places():
    """Where in its region each truth lies, from 0 (its lower end) to 1."""
    inner = np.linspace(0.02, 0.98, CLAIMS)
    inner[::6] = np.arange(CLAIMS // 6) % 2
    return inner


PLACES = places()


def synthetic(name, grid, tests, places):
    """A study of true claims: the truth of y_i lies at places[i] of the region of tests[i]."""
    variables = {f"{name}_{i}": Variable("Synthetic value of a true claim") for i in range(len(tests))}
    claims = [
        Claim(variable, "The claim is true by construction.", "synthetic", "monte_carlo", variable, test,
              control=Control("a far region", test=far(test)))
        for variable, test in zip(variables, tests, strict=True)
    ]  # fmt: skip
    return Study(
        name=name, title="True claims", grid=grid, measure=lambda cell, rng: {}, variables=variables, claims=claims
    )


def far(test):
    return replace(test, low=test.low + 40, high=test.high + 40)


# Noise of mean zero in the logarithm, some of it Student's, whose exponential has no mean.
RATE = Rate(0.0, 0.15, along="x", of="geometric_mean")
ALONG = Grid(x=X.tolist(), seed=range(SEEDS))
WORLDS = [
    (synthetic("values", Grid(seed=range(SEEDS)), [Inside(0.0, 2.6)] * VALUES, PLACES[:30]), PLACES[:30] * 2.6),
    (synthetic("rates", ALONG, [RATE] * SERIES, PLACES[30:45]), PLACES[30:45] * 0.15),
    (synthetic("limits", ALONG, [Limit(0.0, 1.4, along="x", order=1)] * SERIES, PLACES[45:]), PLACES[45:] * 1.4),
]


def data(study, truths, rng):
    """A data set (x, seed) or (seed,) with these truths, as `run` would have stored it."""
    import xarray as xr

    shape = study.grid.shape
    variables = {}
    for position, (name, truth) in enumerate(zip(study.variables, truths, strict=True)):
        noise = rng.normal(size=shape)
        if position % 3 == 1:  # heavy tails
            noise = rng.standard_t(5, size=shape) / np.sqrt(5 / 3)
        if position % 3 == 2:  # unequal seeds, or points of a seed that move together
            noise = noise * np.linspace(0.1, 1.9, SEEDS) if len(shape) == 1 else 0.3 * noise + rng.normal(size=SEEDS)
        if study.name == "rates":
            value = np.exp(0.3 * noise) * X[:, None] ** truth
        else:
            value = truth + noise + (5 / X[:, None] if study.name == "limits" else 0)
        variables[name] = (tuple(study.grid.axes), value)
    return xr.Dataset(variables, {axis: list(labels) for axis, labels in study.grid.axes.items()})


def missed_at_support_level(verdict):
    """Whether the interval that support needs already misses the region: refuting there would be refuting too early."""
    interval, region = verdict.interval, verdict.region
    if verdict.outcome == "refuted":
        return True
    if interval["level"] != SUPPORT_LEVEL:
        return False
    return interval["low"] > region["high"] or interval["high"] < region["low"]


def measure(cell, rng):
    counts = dict.fromkeys(("ledger_wrong", "ledger_wrong_early", "ledger_over_bound", "verdict_wrong"), 0)
    supported = 0
    for _ in range(cell["ledgers"]):
        verdicts = [v for study, truths in WORLDS for v in judge(study, data(study, truths, rng))]
        ledger = Ledger(profile="quick", root_seed=0, verdicts=verdicts)
        wrong = sum(verdict.outcome == "refuted" for verdict in ledger.verdicts)
        counts["ledger_wrong"] += wrong > 0
        counts["verdict_wrong"] += wrong / CLAIMS
        counts["ledger_wrong_early"] += any(map(missed_at_support_level, ledger.verdicts))
        counts["ledger_over_bound"] += ledger.family_wise_bound > BOUND
        supported += sum(verdict.outcome == "supported" for verdict in ledger.verdicts)
    return {name: count / cell["ledgers"] for name, count in counts.items()} | {
        "supported": supported / cell["ledgers"] / CLAIMS
    }


BOUND = CLAIMS * 1e-4
study = Study(
    name="calibration_ledger", title="Wrong refutations in whole ledgers of true claims",
    grid=Grid(ledgers=[4], seed=range(1)),  # quick: only to see that it runs
    profiles={"standard": {"ledgers": [LEDGERS], "seed": range(16)}}, measure=measure,
    variables={
        "ledger_wrong": Variable("Share of ledgers with a wrong refutation"),
        "ledger_wrong_early": Variable("Share of ledgers with a wrong refutation, were 99 % enough to refute"),
        "ledger_over_bound": Variable("Share of ledgers that print a bound above the nominal one"),
        "verdict_wrong": Variable("Share of verdicts that are wrong refutations"),
        "supported": Variable("Share of verdicts that are supported"),
    },
    claims=[
        Claim("calibration.family_wise",
              f"A ledger of {CLAIMS} true claims holds a wrong refutation with chance at most {BOUND:g}.",
              "derived here: the union bound that every ledger prints", "monte_carlo", "ledger_wrong",
              Proportion(0, BOUND, LEDGERS), where={"ledgers": LEDGERS}, profile="standard",
              control=Control("refute at 99 % as well", variable="ledger_wrong_early")),
    ],
)  # fmt: skip
