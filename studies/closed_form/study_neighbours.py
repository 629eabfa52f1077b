"""The neighbour estimator by enumeration of every remainder: eight points x_i = i/2, query .8."""

from itertools import combinations, product

import numpy as np

import unifiedscore as us
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.study import Control, Grid, Identity, Inside, Study, Theorem, Variable

POINTS, QUERY = 0.5 * np.arange(8.0)[:, None], np.array([[0.8]])


def enumerate_bias(x, search, cell, *, replacement=False):
    """Mean error over every draw, and its first-order formula, at one query with neighbours of `search`."""
    k, count, time = cell["nearest"], cell["remainder"], cell["time"]
    means = NeighbourMeans(POINTS, nearest=k, remainder=count)
    near = means.neighbours(search, scale=time)
    rest = np.array([j for j in range(8) if j not in near[0]])
    drawn = product(range(8 - k), repeat=count) if replacement else combinations(range(8 - k), count)
    draws = rest[np.array(list(drawn))]
    many = lambda a: np.repeat(a, len(draws), axis=0)
    value = means.combine(many(x), many(near), draws, scale=time, bandwidth=1 - time)[:, 0]
    exact = us.Barycenter(us.Gaussian(1 - time), POINTS, scale=time)(x)[0, 0]
    weight = np.exp(-((x - time * POINTS) ** 2) / (2 * (1 - time) ** 2))[:, 0]
    weighted = weight * POINTS[:, 0]
    n, d = (((8 - k) * v[draws].mean(1) + v[near[0]].sum()) for v in (weighted, weight))
    covariance, variance = np.cov(n, d, bias=True)[0, 1], d.var()
    return value.mean() - exact, -covariance / d.mean() ** 2 + n.mean() * variance / d.mean() ** 3


def measure(cell, rng):
    cell = dict(cell)
    queries = [QUERY + cell["smoothing"] * e for e in (-1.0, 1.0)] if cell["smoothing"] else [QUERY]
    good, formula = np.mean([enumerate_bias(x, x, cell) for x in queries], axis=0)
    bad = np.mean([enumerate_bias(x, QUERY, cell)[0] for x in queries])
    out = {"bias": good, "size": abs(good), "bias_search_at_z": bad, "formula": formula, "scale": 3.5, "error": 1e-14}
    out |= dict.fromkeys(("relative_gap", "relative_gap_twice", "doubling", "doubling_replaced"), np.nan)
    left = 8 - cell["nearest"] - cell["remainder"]
    if abs(formula) < 1e-13:
        return out  # nothing left to divide by
    if left > 0 and not cell["smoothing"]:
        out |= {"relative_gap": formula / good - 1, "relative_gap_twice": 2 * formula / good - 1}
    if left > cell["remainder"] and not cell["smoothing"]:
        twice = cell | {"remainder": 2 * cell["remainder"]}
        half = enumerate_bias(QUERY, QUERY, twice)[0]
        out["doubling"] = good / half if half else np.nan
        if cell["remainder"] <= 2:  # 6^4 draws of four
            one, two = (enumerate_bias(QUERY, QUERY, c, replacement=True)[0] for c in (cell, twice))
            out["doubling_replaced"] = one / two
    return out


enumerated = Theorem(source="derived here by enumeration", evidence="exact")
LATE = {"time": 0.9, "smoothing": 0.5, "nearest": 2, "remainder": 2}
EARLY = {"time": 0.5, "smoothing": 0.0, "nearest": 2}
study = Study(
    name="closed_form_neighbours", title="Bias of the neighbour estimator, by enumeration",
    grid=Grid(time=[0.5, 0.9], smoothing=[0.0, 0.25, 0.5, 1.0], nearest=[2, 3], remainder=[1, 2, 3, 4, 5, 6],
              skip=lambda cell: "there are eight points" if cell["nearest"] + cell["remainder"] > 8 else ""),
    measure=measure,
    variables={
        "bias": Variable("Bias of the neighbour barycenter", error="error"),
        "size": Variable("Absolute bias of the neighbour barycenter", error="error"),
        "bias_search_at_z": Variable("Bias of the barycenter with neighbours searched at the unperturbed point",
                                     error="error"),
        "formula": Variable("First-order formula of the bias", error="error"),
        "relative_gap": Variable("First-order formula over bias, minus one"),
        "relative_gap_twice": Variable("Twice the first-order formula over bias, minus one"),
        "doubling": Variable("Bias with L random points over bias with 2 L"),
        "doubling_replaced": Variable("Bias with L random points over bias with 2 L, drawn with replacement"),
        "scale": Variable("Size of the largest point"),
    },
    claims=[
        enumerated.claim(id="closed_form.nn_exact", variable="bias", where={"nearest": 2, "remainder": 6},
                         test=Identity(c=1e3, scale="scale"),
                         statement="The neighbour estimator is exact if every point is used, L = N - K.",
                         control=Control("L = N - K - 1", where={"remainder": 5})),
        enumerated.claim(id="closed_form.nn_ratio_bias", regime="first order", variable="relative_gap",
                         where=EARLY | {"remainder": [1, 2, 3, 4, 5]}, test=Inside(-0.1, 0.1),
                         statement="The bias of the neighbour estimator of eight points is its first-order formula "
                                   "within 10 %.",
                         control=Control("twice the formula", variable="relative_gap_twice")),
        enumerated.claim(id="closed_form.nn_ratio_bias", regime="1/L - 1/(N-K)", variable="doubling",
                         where=EARLY | {"remainder": 2}, test=Inside(3.9, 4.1),
                         statement="The bias of the neighbour estimator follows 1/L - 1/(N-K): it falls by a factor "
                                   "of four from L = 2 to 4 of six.",
                         control=Control("draws with replacement", variable="doubling_replaced")),
        enumerated.claim(id="closed_form.nn_search_point", variable="bias", where=LATE, test=Inside(-1e-9, 1e-9),
                         statement="With neighbours of the perturbed point the bias vanishes as t -> 1, to 1e-9 at t "
                                   "= .9.",
                         control=Control("neighbours searched at the unperturbed point", variable="bias_search_at_z")),
        enumerated.claim(id="closed_form.nn_k_not_monotone", variable="size",
                         where={"time": 0.5, "smoothing": 0.5, "remainder": 2, "nearest": 3}, minus={"nearest": 2},
                         test=Inside(1e-3, np.inf),
                         statement="A larger number K of nearest neighbours can increase the bias: of eight points "
                                   "with L = 2 random ones, from K = 2 to 3 at t = .5 and sigma = .5.",
                         control=Control("L = 5 random points", where={"remainder": 5})),
    ],
)  # fmt: skip
