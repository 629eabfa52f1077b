"""Bias of the estimator from K neighbours and L random points: exact where L takes all, halved where L doubles.

The ratio of two unbiased sums. Its first-order error has mean zero and is subtracted from every draw: what is left is
the bias, free of most noise.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Rate, Study, Variable

COUNT, DIMENSION, NEAREST, BANDWIDTH, REPEATS = 3000, 4, 5, 0.9, 1500


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
    queries = x[:4] + 0.5 * rng.standard_normal((4, DIMENSION))
    found, size = np.mean([bias(x, q, cell["remainder"], rng) for q in queries], axis=0)
    everything = NeighbourMeans(x, nearest=NEAREST, remainder=COUNT - NEAREST)
    some = NeighbourMeans(x, nearest=NEAREST, remainder=cell["remainder"])
    dense = us.Barycenter(us.Gaussian(BANDWIDTH), x)(queries)
    error = lambda m: float(np.abs(m(queries, bandwidth=BANDWIDTH, rng=rng) - dense).max())
    share = 1 - cell["remainder"] / (COUNT - NEAREST)
    return {"bias": found, "infinite": found / share, "ratio": found / size, "doubled": 2 * found / size,
            "exact": error(everything), "some": error(some),
            "scale": float((queries**2).sum(1).max() / BANDWIDTH**2)}  # fmt: skip


def claim(regime, statement, evidence, variable, test, control, where=None):
    return Claim(id="moment_matched.knn_estimator", regime=regime, statement=statement, source="derived here",
                 evidence=evidence, variable=variable, test=test, control=control, where=where or {})  # fmt: skip


ALONG = dict(along="remainder")
study = Study(
    name="moment_matched_neighbours",
    title="Bias of neighbours and random points against the number of random points",
    grid=Grid(remainder=[32, 64, 128, 256], seed=range(16), paired=("remainder",)),
    measure=measure,
    variables={
        "bias": Variable("Bias along its predicted direction"),
        "infinite": Variable("The same over 1 - L/(N - K), its factor for draws without replacement"),
        "ratio": Variable("The bias over its predicted size"),
        "doubled": Variable("The bias over half its predicted size"),
        "exact": Variable("Error with all points drawn"),
        "some": Variable("Error with L points drawn"),
        "scale": Variable("Largest squared norm over the squared bandwidth"),
    },
    claims=[
        claim("all points", "with L = N - K it is exact", "exact", "exact", Identity(200, "scale"),
              Control("L points", variable="some"), where={"remainder": 32}),
        claim("rate", "the bias halves where L doubles", "monte_carlo", "infinite", Rate(-1.15, -0.85, **ALONG),
              Control("it falls like the noise, L^-1/2", test=Rate(-0.6, -0.4, **ALONG))),
        claim("constant", "-Cov(n, d)/d^2 + n Var(d)/d^3 at L = 256", "monte_carlo", "ratio", Inside(0.9, 1.1),
              Control("half of it", variable="doubled"), where={"remainder": 256}),
    ],
)  # fmt: skip
