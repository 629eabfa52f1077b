"""Bias of the estimator from K neighbours and L random points: exact where L takes all, halved where L doubles.

The ratio of two unbiased sums. Its first-order error has mean zero and is subtracted from every draw: what is left is
the bias, free of most noise.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.study import Control, Grid, Identity, Inside, Study, Theorem, Variable

COUNT, DIMENSION, NEAREST, BANDWIDTH, REPEATS = 3000, 4, 5, 0.9, 1500
LENGTHS = (64, 128)


def bias(x, q, remainder, rng):
    """Bias along its predicted direction, for draws of L points, and the predicted size."""
    means = NeighbourMeans(x, nearest=NEAREST, remainder=remainder)
    near = means.neighbours(q[None])
    weight = np.exp(-0.5 * ((x - q) ** 2).sum(1) / BANDWIDTH**2)
    rest = np.setdiff1d(np.arange(len(x)), near[0])
    r, total = len(rest), weight.sum()
    exact = weight @ x / total
    # f: weights of the rest, g: weights times distances from the exact mean; n/d - mean = (sum g)/(sum f).
    f, g = weight[rest], weight[rest, None] * (x[rest] - exact)
    factor = r**2 / remainder * (1 - remainder / r) / total**2
    predicted = -factor * ((f - f.mean())[:, None] * (g - g.mean(0))).sum(0) / (r - 1)
    others = means.draw_remainder(np.repeat(near, REPEATS, axis=0), rng)
    drawn = means.combine(np.repeat(q[None], REPEATS, axis=0), np.repeat(near, REPEATS, axis=0), others,
                          bandwidth=BANDWIDTH)  # fmt: skip
    every = weight[:, None] * (x - exact)
    linear = (every[near[0]].sum(0) + r * every[others].mean(1)) / total
    size = np.linalg.norm(predicted)
    return float((drawn - exact - linear).mean(0) @ predicted / size), float(size)


def measure(cell, rng):
    x = rng.standard_normal((COUNT, DIMENSION))
    queries = x[:3] + 0.5 * rng.standard_normal((3, DIMENSION))
    found = {count: np.mean([bias(x, q, count, rng) for q in queries], axis=0) for count in LENGTHS}
    (less, _), (more, size) = (found[count] for count in LENGTHS)
    everything, some = (NeighbourMeans(x, nearest=NEAREST, remainder=r) for r in (COUNT - NEAREST, LENGTHS[0]))
    dense = us.Barycenter(us.Gaussian(BANDWIDTH), x)(queries)
    error = lambda means: float(np.abs(means(queries, bandwidth=BANDWIDTH, rng=rng) - dense).max())
    return {"halving": less / more, "ratio": more / size, "doubled": 2 * more / size, "exact": error(everything),
            "some": error(some), "scale": float((queries**2).sum(1).max() / BANDWIDTH**2)}  # fmt: skip


estimator = Theorem("moment_matched.knn_estimator", source="derived here", evidence="monte_carlo")
study = Study(
    name="moment_matched_neighbours", title="Bias of neighbours and random points against the number of random points",
    grid=Grid(seed=range(16)), measure=measure,
    variables={
        "halving": Variable("Bias with 64 random points over bias with 128"),
        "ratio": Variable("Bias with 128 random points over its predicted size"),
        "doubled": Variable("Bias with 128 random points over half its predicted size"),
        "exact": Variable("Error of the barycenter with all points drawn"),
        "some": Variable("Error of the barycenter with 64 points drawn"),
        "scale": Variable("Size of the largest squared norm over the squared bandwidth"),
    },
    claims=[
        estimator.claim(regime="all points", evidence="exact", variable="exact", test=Identity(200, "scale"),
                        statement="The neighbour estimator with L = N - K random points is exact.",
                        control=Control("64 points", variable="some")),
        estimator.claim(regime="halving", variable="halving", test=Inside(1.6, 2.4),
                        statement="The bias of the neighbour estimator halves where L doubles from 64 to 128.",
                        finding="first judged as a rate over L = 32 to 256, supported on root seed 3, inconclusive on "
                                "2, where the local slopes of the last doubling are noise; now the ratio of the "
                                "claims table, in its region",
                        control=Control("it falls like the noise, by sqrt 2", test=Inside(1.2, 1.6))),
        estimator.claim(regime="constant", variable="ratio", test=Inside(0.9, 1.1),
                        statement="The bias of the neighbour estimator with L = 128 is -Cov(n, d)/d^2 + n Var(d)/d^3.",
                        control=Control("half of it", variable="doubled")),
    ],
)  # fmt: skip
