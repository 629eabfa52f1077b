"""Copies by chance: how many fresh points the ratio of the two nearest distances calls memorised.

On a circle with the distance along it and on a sphere with the straight distance the volume of a ball is an exact power
of its radius, so that the rate is the threshold to the power of the intrinsic dimension at every number of points.
"""

import numpy as np

from unifiedscore.learned import chance_copy_rate, copy_rate
from unifiedscore.study import Control, Grid, Inside, Rate, Study, Theorem, Variable

USUAL = 1 / 3
THRESHOLDS = [0.2, USUAL, 0.5, 0.7]
TRAINING, FRESH = 1000, 2500
INTRINSIC = {"circle": 1, "sphere": 2}


def draw(law, n, rng):
    """Uniform points; those of the circle as a coordinate in [0, 1], which `wrapped` closes."""
    if law == "circle":
        return rng.random((n, 1))
    x = rng.standard_normal((n, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def wrapped(law, training):
    """The training points once around in both directions: the straight distance is then that along the circle."""
    return np.concatenate([training - 1, training, training + 1]) if law == "circle" else training


def copying(law, training, threshold, rng):
    """The rate of a copier: training points moved by a twentieth of the usual distance of neighbours."""
    size = {"circle": 1.0, "sphere": np.sqrt(4 * np.pi)}[law] * TRAINING ** (-1 / INTRINSIC[law])
    copies = training[:TRAINING] + 0.05 * size * rng.standard_normal((TRAINING, training.shape[1]))
    return copy_rate(copies + (law == "circle"), training, threshold=threshold)


def measure(cell, rng):
    law, threshold = cell["law"], cell["threshold"]
    data, queries = rng.spawn(2)
    training, fresh = wrapped(law, draw(law, TRAINING, data)), draw(law, FRESH, queries)
    chance = chance_copy_rate(INTRINSIC[law], threshold=threshold)
    rate = copy_rate(fresh, training, threshold=threshold)
    doubled = copy_rate(fresh, np.concatenate([training, training[::2]]), threshold=threshold)
    copier = copying(law, training, threshold, queries) if threshold == USUAL else np.nan
    return {"rate": rate, "excess": rate - chance, "excess_doubled": doubled - chance, "copier": copier - chance}


chance = Theorem("learned.chance_copies", source="derived here", evidence="monte_carlo")
study = Study(
    name="learned_copies", title="Fresh points that the ratio of distances calls copies",
    grid=Grid(law=list(INTRINSIC), threshold=THRESHOLDS, seed=range(16), paired=("threshold",)), measure=measure,
    variables={
        "rate": Variable("Share of fresh points with d_1 < kappa d_2"),
        "excess": Variable("Share of fresh points with d_1 < kappa d_2 minus kappa^d"),
        "excess_doubled": Variable("Share with d_1 < kappa d_2 minus kappa^d, every second training point doubled"),
        "copier": Variable("Share of noisy training points with d_1 < kappa d_2 minus kappa^d"),
    },
    claims=[
        chance.claim(regime="rate", variable="excess", where={"threshold": THRESHOLDS[1:]}, test=Inside(-0.02, 0.02),
                     statement="Fresh points of a circle and of a sphere have d_1 < kappa d_2 at the rate kappa^d, d "
                               "the intrinsic dimension, 1000 training points.",
                     control=Control("every second training point doubled", variable="excess_doubled")),
        *(chance.claim(regime=f"exponent, {law}", variable="rate", where={"law": law},
                       test=Rate(d - 0.15, d + 0.15, along="threshold"),
                       statement=f"The share of fresh points of a {law} with d_1 < kappa d_2 is a power of kappa whose "
                                 f"exponent is the intrinsic dimension {d}.",
                       control=Control("a law of another dimension", where={"law": other}))
          for law, d, other in (("circle", 1, "sphere"), ("sphere", 2, "circle"))),
        chance.claim(regime="a third on a curve", variable="rate", where={"law": "circle", "threshold": USUAL},
                     test=Inside(0.3, 0.36),
                     statement="The usual threshold of one third calls a third of the true samples of a curve copies.",
                     control=Control("samples of a sphere", where={"law": "sphere"})),
        chance.claim(regime="copies are seen", variable="copier", where={"threshold": USUAL},
                     test=Inside(0.25, 1.0),
                     statement="The copy rate minus the chance rate exceeds one fourth for a sampler that returns "
                               "training points with noise of a twentieth of their distance, threshold one third.",
                     control=Control("fresh points", variable="excess")),
    ],
)  # fmt: skip
