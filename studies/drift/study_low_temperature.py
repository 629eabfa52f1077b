"""Low temperature at fixed dimension: the drift points along the score, with constant d + 1, not with a small residual.

Population values for p = N(0, I) at x = e_1. For tau -> 0 the Laplace mean shift is (d + 1) tau^2 grad log p, while the
covariance residual keeps the share 1/(d + 1) of it: accuracy there is about direction and the constant.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior import posterior_moments
from unifiedscore.study import Claim, Control, Grid, Limit, Study, Theorem, Variable, known

BANDWIDTHS = [0.08, 0.04, 0.02, 0.01, 0.005]


def measure(cell, rng):
    d, tau = cell["dimension"], cell["bandwidth"]
    x = np.zeros((1, d))
    x[0, 0] = 1.0
    moments = posterior_moments(us.kernel_by_name(cell["kernel"], tau), us.GaussianMixture(np.zeros((1, d)), 1.0), x)
    smoothness = 0.5 if cell["kernel"] == "laplace" else float(cell["kernel"].split(":")[1])
    predicted = d + 2 * smoothness
    shift, score = moments.mean_shift[0], moments.score[0]
    constant = float(-shift[0] / tau**2)
    residual = float(np.linalg.norm(moments.residual[0]) / np.linalg.norm(shift))
    # The residual is a difference of two terms of the size of the shift.
    error = float(moments.relative_error[0]) * 10
    return {
        "constant": constant,
        "constant_ratio": known(constant / predicted, constant / predicted * error),
        "constant_over_dimension": known(constant / d, constant / d * error),
        "residual_ratio": known(residual, error),
        "residual_scaled": known(residual * (d + 1), error * (d + 1)),
        "cosine": float(shift @ score / np.linalg.norm(shift) / np.linalg.norm(score)),
    }


def limit(low, high):
    return Limit(low, high, along="bandwidth", order=-2)


LAPLACE = {"kernel": "laplace"}
constant = Theorem("drift.low_temperature_constant", None,
                   "derived here; low-temperature accuracy announced in v1 of arXiv 2603.07514", "quadrature",
                   "constant_ratio", limit(0.999, 1.001))  # fmt: skip
study = Study(
    name="low_temperature", title="Low temperature: the constant and the residual that stays",
    grid=Grid(kernel=["laplace", "matern:1.5", "matern:2.5"], dimension=[1, 2, 3, 5, 10], bandwidth=BANDWIDTHS),
    measure=measure,
    variables={
        "constant": Variable("Mean shift over τ² times the score of the law", symbol="V/(τ² ∇log p)"),
        "constant_ratio": Variable("Mean shift over (d + 2 nu) τ² times the score of the law"),
        "constant_over_dimension": Variable("Mean shift over d τ² times the score of the law"),
        "residual_ratio": Variable("Share of the covariance residual in the mean shift", symbol="|delta|/|V|"),
        "residual_scaled": Variable("(d + 1) times the share of the covariance residual in the mean shift"),
        "cosine": Variable("Cosine between mean shift and kernel score"),
    },
    claims=[
        constant.claim(regime="laplace", where=LAPLACE,
                       statement="As tau -> 0 the Laplace mean shift is (d + 1) tau^2 grad log p.",
                       control=Control("constant d instead of d + 1", variable="constant_over_dimension")),
        constant.claim(regime="matern", where={"kernel": ["matern:1.5", "matern:2.5"]},
                       statement="As l -> 0 the Matern mean shift is (d + 2 nu) l^2 grad log p.",
                       control=Control("constant d instead of d + 2 nu", variable="constant_over_dimension")),
        Claim("drift.low_temperature_residual",
              "As tau -> 0 the covariance residual of the Laplace kernel keeps the share 1/(d + 1) of the mean shift.",
              "derived here", "quadrature", "residual_scaled", limit(0.999, 1.001), where=LAPLACE,
              control=Control("the share tends to 0", test=limit(-0.001, 0.001))),
    ],
)  # fmt: skip
