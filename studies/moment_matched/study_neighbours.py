"""What the estimators of a sampler leave out: near points alone, or K neighbours and L random points.

Near points: what is neglected is bounded by the tolerance, and a far shell of points nearly attains the bound.
Neighbours: the ratio of two unbiased sums is exact where L takes all, and its bias halves where L doubles. Its
first-order error has mean zero and is subtracted from every draw: what is left is the bias, free of most noise.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.study import Control, Grid, Identity, Inside, Study, Theorem, Variable

COUNT, DIMENSION, NEAREST, BANDWIDTH, REPEATS = 3000, 4, 5, 0.9, 1500
LENGTHS = (64, 128)
POINTS, TOLERANCE = 2000, 1e-3


def neglected(rng):
    """Error of `Near` over tolerance times radius, for a shell just beyond its reach; and that of half its reach.

    One point at the query, twenty near a pole of a sphere at nine tenths of its radius (they fill up a leaf of the
    search), the other points at the pole, where the squared radius exceeds 2 h^2 log(m/tolerance) by a thousandth. What
    is left out weighs nearly the tolerance, and all of it on one side. Half of that squared reach would leave out a
    shell at its own radius.
    """
    pole = 1e-3 * rng.standard_normal((POINTS - 1, DIMENSION)) + np.eye(DIMENSION)[0]
    pole /= np.linalg.norm(pole, axis=1, keepdims=True)
    pole[:20] *= 0.9
    query, ratios = np.zeros((1, DIMENSION)), []
    for share in (2.0, 1.0):
        # At time 1/2 bandwidth and scale are one half: lengths of the data are in bandwidths.
        radius = np.sqrt(1.001 * share * np.log(POINTS / TOLERANCE))
        x = np.concatenate([query, radius * pole])
        dense = us.Barycenter(us.Gaussian(0.5), x, scale=0.5)(query)
        kept = us.Near(TOLERANCE).prepare(x, rng=rng)(query, 0.5)[0] if share == 2.0 else query
        ratios.append(float(np.linalg.norm(kept - dense) / (TOLERANCE * radius)))
    return ratios


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
    spread = float(((drawn - exact) @ predicted / size).std())
    return float((drawn - exact - linear).mean(0) @ predicted / size), float(size), spread


def measure(cell, rng):
    x = rng.standard_normal((COUNT, DIMENSION))
    queries = x[:3] + 0.5 * rng.standard_normal((3, DIMENSION))
    found = {count: np.mean([bias(x, q, count, rng) for q in queries], axis=0) for count in LENGTHS}
    (less, _, wide), (more, size, narrow) = (found[count] for count in LENGTHS)
    near, short = neglected(rng)
    everything, some = (NeighbourMeans(x, nearest=NEAREST, remainder=r) for r in (COUNT - NEAREST, LENGTHS[0]))
    dense = us.Barycenter(us.Gaussian(BANDWIDTH), x)(queries)
    error = lambda means: float(np.abs(means(queries, bandwidth=BANDWIDTH, rng=rng) - dense).max())
    bounds = {"near": near, "near_short": short, "noise": wide / narrow}
    return bounds | {"halving": less / more, "ratio": more / size, "doubled": 2 * more / size,
                     "exact": error(everything),
            "some": error(some), "scale": float((queries**2).sum(1).max() / BANDWIDTH**2)}  # fmt: skip


estimator = Theorem("moment_matched.knn_estimator", source="derived here", evidence="monte_carlo")
study = Study(
    name="moment_matched_neighbours", title="Bias of neighbours and random points against the number of random points",
    grid=Grid(seed=range(16)), measure=measure,
    variables={
        "near": Variable("Error of the near-field barycenter over tolerance times the radius of the data"),
        "near_short": Variable("Error of a barycenter with half of the squared reach over tolerance times radius"),
        "noise": Variable("Standard deviation of a draw with 64 random points over that with 128"),
        "halving": Variable("Bias with 64 random points over bias with 128"),
        "ratio": Variable("Bias with 128 random points over its predicted size"),
        "doubled": Variable("Bias with 128 random points over half its predicted size"),
        "exact": Variable("Error of the barycenter with all points drawn"),
        "some": Variable("Error of the barycenter with 64 points drawn"),
        "scale": Variable("Size of the largest squared norm over the squared bandwidth"),
    },
    claims=[
        estimator.claim(id="moment_matched.near_field_bound", evidence="monte_carlo", variable="near",
                        test=Inside(0.9, 1.0), sharpness="near",
                        statement="`Near(tolerance)` moves a barycenter by at most the tolerance times the radius of "
                                  "the data, and by 90 % of that or more where most points lie just beyond its reach.",
                        control=Control("half of the squared reach, h^2 log(m/tolerance)", variable="near_short")),
        estimator.claim(regime="all points", evidence="exact", variable="exact", test=Identity(200, "scale"),
                        statement="The neighbour estimator with L = N - K random points is exact.",
                        control=Control("64 points", variable="some")),
        estimator.claim(regime="halving", variable="halving", test=Inside(1.6, 2.4),
                        statement="The bias of the neighbour estimator halves where L doubles from 64 to 128.",
                        finding="first judged as a rate over L = 32 to 256, supported on root seed 3, inconclusive on "
                                "2, where the local slopes of the last doubling are noise; now the ratio of the "
                                "claims table, in its region",
                        control=Control("the standard deviation of a draw", variable="noise")),
        estimator.claim(regime="constant", variable="ratio", test=Inside(0.9, 1.1),
                        statement="The bias of the neighbour estimator with L = 128 is -Cov(n, d)/d^2 + n Var(d)/d^3.",
                        control=Control("half of it", variable="doubled")),
    ],
)  # fmt: skip
