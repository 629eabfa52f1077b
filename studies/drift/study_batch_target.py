"""Which population field Algorithm 2 aims at: a positive multiple of the drift of the laws tilted by 1/sqrt g.

One dimension, Gaussian kernel of bandwidth 0.6, q = N(0, 1), p = N(0.7, 0.64). The estimate uses n queries, n positives
and n negatives, drawn anew; the target is a quadrature.
"""

from functools import cache

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Inside, Rate, Study, Theorem, Variable, known

KERNEL = us.Gaussian(0.6)
P, Q = us.GaussianMixture([[0.7]], 0.64), us.GaussianMixture([[0.0]], 1.0)
X = np.array([[-1.0], [0.0], [0.5], [1.5]])
BATCHES = 16
LINE = np.linspace(-2.5, 3.0, 45)[:, None]


@cache
def target(order=48):
    scale, direction = us.BatchDriftTarget(KERNEL, target=P, model=Q, order=order).parts(X)
    return scale, direction[:, 0]


def estimate(n, rng):
    y, z, x = P.sample(n, rng), Q.sample(n, rng), Q.sample(n, rng)
    scale, direction = us.BatchDriftTarget(
        KERNEL, target=us.Samples(y), model=us.Samples(z), queries=us.Samples(x)
    ).parts(X)
    return scale, direction[:, 0]


def curves(estimator, n, rng):
    """Along the line: the target, the drift of eq. 11, and one batch field."""
    field = us.BatchDriftTarget(KERNEL, target=P, model=Q)
    if estimator == "batch":
        field = us.BatchDriftTarget(
            KERNEL,
            target=us.Samples(P.sample(n, rng)),
            model=us.Samples(Q.sample(n, rng)),
            queries=us.Samples(Q.sample(n, rng)),
        )
    scale, direction = field.parts(LINE)
    plain = us.Drift(KERNEL, target=P, model=Q)(LINE)[:, 0]
    return {"line_field": scale * direction[:, 0], "line_direction": direction[:, 0], "line_plain": plain}


def measure(cell, rng):
    scale, direction = target()
    plain = us.Drift(KERNEL, target=P, model=Q)(X)[:, 0]
    drawn = curves(cell["estimator"], cell["n"], rng)
    if cell["estimator"] == "population":
        again = target(80)
        return drawn | {
            "direction": known(direction[0], float(np.abs(again[1] - direction).max()) + 1e-12),
            "plain_direction": known(plain[0], 1e-12),
            **dict.fromkeys(("error", "error_plain", "gap", "gap_plain"), np.nan),
        }
    draws = [estimate(cell["n"], rng) for _ in range(BATCHES)]
    values = np.array([s * v for s, v in draws])
    mean = np.mean([v for _, v in draws], axis=0)
    rms = lambda field: float(np.sqrt(np.mean((values - field) ** 2)))
    return drawn | {
        "direction": mean[0],
        "plain_direction": np.nan,
        "error": rms(scale * direction),
        "error_plain": rms(plain),
        "gap": float(mean[0] - direction[0]),
        "gap_plain": float(mean[0] - plain[0]),
    }


def skip(cell):
    again = cell["estimator"] == "population" and (cell["seed"] > 0 or cell["n"] > 64)
    return "the population has neither seeds nor batches" if again else ""


MC = {"estimator": "batch"}
target_law = Theorem("drift.alg2_target", source="derived here")
line = {"dims": ("position",), "coords": {"position": LINE[:, 0]}}
study = Study(
    name="drift_batch_target", title="The population field behind Algorithm 2",
    grid=Grid(estimator=["population", "batch"], n=[64, 128, 256, 512], seed=range(32), skip=skip),
    profiles={"standard": {"n": [64, 128, 256, 512, 1024]}},
    measure=measure,
    variables={
        "direction": Variable("Direction m_P - m_Q at x = -1", symbol="m_P - m_Q"),
        "plain_direction": Variable("Drift of eq. 11 at x = -1"),
        "error": Variable("Root mean square distance of the batch field to its target"),
        "error_plain": Variable("Root mean square distance of the batch field to the drift of eq. 11"),
        "line_field": Variable("Field of Algorithm 2 along the line", **line),
        "line_direction": Variable("Direction m_P - m_Q of the field of Algorithm 2 along the line", **line),
        "line_plain": Variable("Drift of eq. 11 along the line", **line),
        "gap": Variable("Mean of the batch direction minus that of the target at x = -1"),
        "gap_plain": Variable("Mean of the batch direction minus the drift of eq. 11 at x = -1"),
    },
    claims=[
        target_law.claim(variable="direction", where={"estimator": "population", "n": 64, "seed": 0},
                         evidence="quadrature", test=Inside(0.390655, 0.390665),
                         statement="The direction of the target of Algorithm 2 at x = -1 is 0.39066, not the 0.34729 "
                                   "of eq. 11.",
                         control=Control("the drift of eq. 11", variable="plain_direction")),
        target_law.claim(regime="direction", variable="gap", where=MC | {"n": 512}, profile="standard",
                         evidence="monte_carlo", test=Inside(-0.025, 0.025),
                         statement="Batches of Algorithm 2 average to the tilted direction.",
                         control=Control("the target without the tilt 1/sqrt g", variable="gap_plain")),
        target_law.claim(regime="rate", variable="error", where=MC,
                         evidence="monte_carlo", test=Rate(-0.6, -0.4, along="n"),
                         statement="The distance between the field of a batch and its target falls like n^(-1/2).",
                         control=Control("the drift of eq. 11 as target", variable="error_plain")),
    ],
)  # fmt: skip
