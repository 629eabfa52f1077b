"""The neighbour estimator by enumeration of every remainder: eight points x_i = i/2, query .8."""

from itertools import combinations

import numpy as np

import unifiedscore as us
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Study, Variable

POINTS, QUERY = 0.5 * np.arange(8.0)[:, None], np.array([[0.8]])


def enumerate_bias(x, search, cell):
    """Mean error over every draw, and its first-order formula, at one query with neighbours of `search`."""
    k, count, time = cell["nearest"], cell["remainder"], cell["time"]
    means = NeighbourMeans(POINTS, nearest=k, remainder=count)
    near = means.neighbours(search, scale=time)
    rest = np.array([j for j in range(8) if j not in near[0]])
    draws = rest[np.array(list(combinations(range(8 - k), count)))]
    many = lambda a: np.repeat(a, len(draws), axis=0)
    value = means.combine(many(x), many(near), draws, scale=time, bandwidth=1 - time)[:, 0]
    exact = us.Barycenter(us.Gaussian(1 - time), POINTS, scale=time)(x)[0, 0]
    weight = np.exp(-((x - time * POINTS) ** 2) / (2 * (1 - time) ** 2))[:, 0]
    product = weight * POINTS[:, 0]
    n, d = (((8 - k) * v[draws].mean(1) + v[near[0]].sum()) for v in (product, weight))
    covariance, variance = np.cov(n, d, bias=True)[0, 1], d.var()
    return value.mean() - exact, -covariance / d.mean() ** 2 + n.mean() * variance / d.mean() ** 3


def measure(cell, rng):
    cell = dict(cell)
    queries = [QUERY + cell["smoothing"] * e for e in (-1.0, 1.0)] if cell["smoothing"] else [QUERY]
    good, formula = np.mean([enumerate_bias(x, x, cell) for x in queries], axis=0)
    bad = np.mean([enumerate_bias(x, QUERY, cell)[0] for x in queries])
    out = {"bias": good, "size": abs(good), "bias_search_at_z": bad, "formula": formula, "scale": 3.5, "error": 1e-14}
    out |= dict.fromkeys(("relative_gap", "relative_gap_twice", "doubling"), np.nan)
    left = 8 - cell["nearest"] - cell["remainder"]
    if abs(formula) < 1e-13:
        return out  # nothing left to divide by
    if left > 0 and not cell["smoothing"]:
        out |= {"relative_gap": formula / good - 1, "relative_gap_twice": 2 * formula / good - 1}
    if left > cell["remainder"] and not cell["smoothing"]:
        twice = cell | {"remainder": 2 * cell["remainder"]}
        half = enumerate_bias(QUERY, QUERY, twice)[0]
        out["doubling"] = good / half if half else np.nan
    return out


enumerated = dict(evidence="exact", source="derived here by enumeration")
LATE = {"time": 0.9, "smoothing": 0.5, "nearest": 2, "remainder": 2}
EARLY = {"time": 0.5, "smoothing": 0.0, "nearest": 2}
study = Study(
    name="closed_form_neighbours",
    title="Bias of the neighbour estimator, by enumeration",
    grid=Grid(
        time=[0.5, 0.9],
        smoothing=[0.0, 0.25, 0.5, 1.0],
        nearest=[2, 3],
        remainder=[1, 2, 3, 4, 5, 6],
        skip=lambda cell: cell["nearest"] + cell["remainder"] > 8,
    ),
    measure=measure,
    variables={
        "bias": Variable("Bias of the barycenter", error="error"),
        "size": Variable("Absolute bias of the barycenter", error="error"),
        "bias_search_at_z": Variable("Bias with neighbours searched at the unperturbed point", error="error"),
        "formula": Variable("First-order formula of the bias", error="error"),
        "relative_gap": Variable("Formula over bias, minus one"),
        "relative_gap_twice": Variable("Twice the formula over bias, minus one"),
        "doubling": Variable("Bias at L over bias at 2 L"),
        "scale": Variable("Largest point"),
    },
    claims=[
        Claim(
            **enumerated,
            id="closed_form.nn_exact",
            variable="bias",
            test=Identity(c=1e3, scale="scale"),
            where={"nearest": 2, "remainder": 6},
            statement="the estimator is exact if every point is used, L = N - K",
            control=Control("L = N - K - 1", where={"remainder": 5}),
        ),
        Claim(
            **enumerated,
            id="closed_form.nn_ratio_bias",
            variable="relative_gap",
            regime="first order",
            test=Inside(-0.1, 0.1),
            where=EARLY | {"remainder": [1, 2, 3, 4, 5]},
            statement="the bias is its first-order formula within 10 %",
            control=Control("twice the formula", variable="relative_gap_twice"),
        ),
        Claim(
            **enumerated,
            id="closed_form.nn_ratio_bias",
            variable="doubling",
            regime="1/L - 1/(N-K)",
            test=Inside(3.9, 4.1),
            where=EARLY | {"remainder": 2},
            statement="the bias follows 1/L - 1/(N-K): from L = 2 to 4 of six it falls by a factor of four",
            control=Control("the bias halves when L doubles", test=Inside(1.9, 2.1)),
        ),
        Claim(
            **enumerated,
            id="closed_form.nn_search_point",
            variable="bias",
            test=Inside(-1e-9, 1e-9),
            where=LATE,
            statement="with neighbours of the perturbed point the bias vanishes as t -> 1",
            control=Control("neighbours searched at the unperturbed point", variable="bias_search_at_z"),
        ),
        Claim(
            **enumerated,
            id="closed_form.nn_k_not_monotone",
            variable="size",
            test=Inside(1e-3, np.inf),
            where={"time": 0.5, "smoothing": 0.5, "remainder": 2, "nearest": 3},
            minus={"nearest": 2},
            statement="a larger K can increase the bias",
            control=Control("the bias falls as K grows", test=Inside(-np.inf, -1e-3)),
        ),
    ],
)
