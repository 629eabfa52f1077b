"""The metrics that the other studies read, on laws and samples where their values are known.

MMD and the Sinkhorn divergence between normal laws have closed forms; a translation has a transport distance by
definition; fields of unequal lengths tell a ratio of means from a mean of ratios; noise of known size tells a
cross-fitted cosine from the plain ones.
"""

import numpy as np
from scipy.special import ndtri

from unifiedscore.metrics import (
    cross_fitted_cosine,
    global_cosine,
    mean_cosine,
    replicated_cosines,
    sinkhorn_divergence,
    sliced_wasserstein2,
    unbiased_mmd2,
    wasserstein2,
)
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Theorem, Variable, two_rules

WIDTHS = np.array([0.5, 1.0, 3.0])
DRAWS, NX, NY, SHIFT, STD, D = 200, 12, 9, 0.6, 1.4, 2
MOVE = np.array([1.7, -0.4, 0.9])
QUERIES, REPLICATES, TURN = 400, 4, 1.2
EPSILON = 4.0


def mmd_of_laws():
    """Squared MMD of N(0, I) and N(SHIFT e_1, STD^2 I) in the plane for Gaussian kernels of the three widths."""
    h2 = WIDTHS**2
    inner = lambda variance, gap: (h2 / (h2 + variance)) ** (D / 2) * np.exp(-(gap**2) / (2 * (h2 + variance)))
    return inner(2, 0) + inner(2 * STD**2, 0) - 2 * inner(1 + STD**2, SHIFT)


def with_pairs_of_one(x, y):
    """Biased estimate: every point is paired with itself, too."""
    mean = lambda a, b: np.exp(-((a[:, None] - b) ** 2).sum(2)[..., None] / (2 * WIDTHS**2)).mean((0, 1))
    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


def mmd_gap(rng):
    rows = []
    for _ in range(DRAWS):
        x = rng.standard_normal((NX, D))
        y = STD * rng.standard_normal((NY, D)) + np.array([SHIFT, 0.0])
        rows.append((unbiased_mmd2(x, y, bandwidths=WIDTHS), with_pairs_of_one(x, y)))
    return np.mean(rows, axis=0) - mmd_of_laws()


def transport(rng):
    """Distances of a sample to its translation, exact and sliced, over their definitions; and of two lines."""
    x = rng.standard_normal((60, 3))
    seed = int(rng.integers(2**31))
    sliced = sliced_wasserstein2(x, x + MOVE, n_directions=50, rng=np.random.default_rng(seed))
    directions = np.random.default_rng(seed).standard_normal((50, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    length = float(np.linalg.norm(MOVE))
    projected = float(np.sqrt(np.mean((directions @ MOVE) ** 2)))
    # Eight points against five: quantile functions on the fortieths.
    a, b = np.sort(rng.standard_normal(8)), np.sort(2 * rng.standard_normal(5) + 1)
    line = float(np.sqrt(np.mean((np.repeat(a, 5) - np.repeat(b, 8)) ** 2)))
    found = wasserstein2(x, x + MOVE) / length, sliced / projected, wasserstein2(a[:, None], b[:, None]) / line
    squares = length, projected, line
    return max(abs(v - 1) for v in found), max(abs(v * s - 1) for v, s in zip(found, squares, strict=True))


def entropic_cost(first, second, gap):
    """Entropic cost of N(0, first^2) and N(gap, second^2) for the cost r^2, epsilon = EPSILON [arXiv 2006.02572]."""
    half = EPSILON / 2
    root = np.sqrt(4 * first**2 * second**2 + half**2)
    return gap**2 + first**2 + second**2 - root + half * (1 - np.log(2 * half) + np.log(root + half))


def divergence(points, factor=1.0):
    """Sinkhorn divergence of the quantiles of N(0, 1) and N(SHIFT, STD^2) over that of the laws, minus 1."""
    z = ndtri((np.arange(points) + 0.5) / points)[:, None]
    exact = entropic_cost(1, STD, SHIFT) - (entropic_cost(1, 1, 0) + entropic_cost(STD, STD, 0)) / 2
    return sinkhorn_divergence(z, STD * z + SHIFT, epsilon=factor * EPSILON) / exact - 1


def cosines(rng):
    """A cosine of fields whose lengths and angles change from query to query, over its definition."""
    angle, length, other = rng.uniform(0, 2.5, QUERIES), rng.uniform(0.1, 3, QUERIES), rng.uniform(0.5, 2, QUERIES)
    length = np.where(angle < 1, 3 * length, length)  # long where aligned: the two means differ
    first = length[:, None] * np.stack([np.ones(QUERIES), np.zeros(QUERIES)], axis=1)
    second = other[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    exact = np.mean(length * other * np.cos(angle)) / np.sqrt(np.mean(length**2) * np.mean(other**2))
    return global_cosine(first, second) - exact, mean_cosine(first, second) - exact


def crossed(rng):
    """Cross-fitted and same-sample cosine minus the truth, fields at an angle of 1.2 with one noise in both."""
    first, turned = rng.standard_normal((2, QUERIES, D))
    truth = np.cos(TURN)
    second = truth * first + np.sin(TURN) * turned
    exact = global_cosine(first, second)
    noise = rng.standard_normal((REPLICATES, QUERIES, D))
    drift, score = first + noise, second + noise
    return cross_fitted_cosine(drift, score).value - exact, replicated_cosines(drift, score).same_sample.value - exact


def measure(cell, rng):
    (mmd, biased), (move, squared) = mmd_gap(rng), transport(rng)
    (ratio, mean), (cross, same) = cosines(rng), crossed(rng)
    nothing_random = {"sinkhorn_gap": np.nan, "sinkhorn_gap_half": np.nan}
    if cell["seed"] == 0:
        coarse, fine = (
            {"sinkhorn_gap": divergence(points), "sinkhorn_gap_half": divergence(points, factor=2)}
            for points in (200, 400)
        )
        nothing_random = two_rules(coarse, fine)
    return nothing_random | {
        "mmd_gap": mmd,
        "mmd_gap_biased": biased,
        "transport_gap": move,
        "transport_gap_squared": squared,
        "cosine_gap": ratio,
        "cosine_gap_mean": mean,
        "crossed_gap": cross,
        "crossed_gap_same": same,
    }


width = {"dims": ("bandwidth",), "coords": {"bandwidth": WIDTHS}}
exact = Theorem(None, None, "found here (definitions and closed forms)", "exact", test=Inside(-1e-12, 1e-12),
                where={"seed": 0})  # fmt: skip
study = Study(
    name="drift_metrics", title="Metrics where their values are known",
    grid=Grid(seed=range(16)), measure=measure,
    variables={
        "mmd_gap": Variable("Mean unbiased squared MMD of samples of 12 and 9 points minus that of their laws",
                            **width),
        "mmd_gap_biased": Variable("Mean squared MMD of 12 and 9 points, pairs of a point with itself included, minus "
                                   "that of their laws", **width),
        "transport_gap": Variable("Largest relative distance of W2 and sliced W2 to their values for a translation and "
                                  "on a line"),
        "transport_gap_squared": Variable("Largest relative distance of the squares of W2 and sliced W2 to the values "
                                          "of W2 for a translation and on a line"),
        "sinkhorn_gap": Variable("Relative distance of the Sinkhorn divergence of quantiles to that of their laws"),
        "sinkhorn_gap_half": Variable("Relative distance of the Sinkhorn divergence of quantiles, epsilon meant for "
                                      "half the squared distance, to that of their laws"),
        "cosine_gap": Variable("Global cosine of two fields of unequal lengths minus its definition"),
        "cosine_gap_mean": Variable("Mean of the pointwise cosines of two fields of unequal lengths minus the "
                                    "definition of the global cosine"),
        "crossed_gap": Variable("Cross-fitted cosine of noisy fields minus the cosine without noise"),
        "crossed_gap_same": Variable("Same-sample cosine of noisy fields minus the cosine without noise"),
    },
    claims=[
        Claim("drift.metric_mmd",
              "The unbiased squared MMD of samples of 12 and 9 points has the mean of the squared MMD of their laws, "
              "two unequal normal laws in the plane, at bandwidths .5, 1 and 3.",
              "Gretton et al. 2012, JMLR 13, Lemma 6", "monte_carlo", "mmd_gap", Inside(-0.02, 0.02),
              control=Control("pairs of a point with itself are kept", variable="mmd_gap_biased")),
        exact.claim(id="drift.metric_transport", variable="transport_gap",
                    statement="W2 and sliced W2 of a sample and its translation are the length of the translation and "
                              "its root mean square over the directions; W2 of 8 and 5 points on a line is that of "
                              "their quantiles.",
                    control=Control("the square of the distance", variable="transport_gap_squared")),
        Claim("drift.metric_sinkhorn",
              "The Sinkhorn divergence of 400 quantiles each of N(0, 1) and N(.6, 1.4^2) at epsilon = 4 is that of the "
              "laws.",
              "Janati et al. 2020, arXiv 2006.02572, Theorem 1", "quadrature", "sinkhorn_gap", Inside(-3e-3, 3e-3),
              where={"seed": 0},
              control=Control("epsilon for half the squared distance", variable="sinkhorn_gap_half")),
        exact.claim(id="drift.metric_cosine", variable="cosine_gap",
                    statement="The global cosine of two fields whose lengths and angles vary is the mean product over "
                              "the root of the mean squares.",
                    control=Control("the mean of the cosines at the queries", variable="cosine_gap_mean")),
        Claim("drift.metric_cross_fitting",
              "With four replicates whose noise has the size of the signal and is shared by both fields, the "
              "cross-fitted cosine of fields at an angle of 1.2 has the value without noise.",
              "derived here", "monte_carlo", "crossed_gap", Inside(-0.05, 0.05),
              control=Control("both fields from the same replicate", variable="crossed_gap_same")),
    ],
)  # fmt: skip
