"""Low temperature at fixed dimension: the drift tends to (d + 1) tau^2 times the score, and its residual stays.

Population values for p = N(0, I) at x = e_1, where all vectors lie on one axis: sizes are tested, no directions. For
tau -> 0 the Laplace mean shift is (d + 1) tau^2 grad log p, of which the covariance residual keeps the share 1/(d + 1).
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior import posterior_moments
from unifiedscore.study import Control, Grid, Limit, Study, Theorem, Variable, known

BANDWIDTHS = [0.08, 0.04, 0.02, 0.01, 0.005]


def measure(cell, rng):
    d, tau = cell["dimension"], cell["bandwidth"]
    x = np.zeros((1, d))
    x[0, 0] = 1.0
    # A normal law on the first axis alone has a kernel posterior in one dimension, whatever d is.
    spread = 1.0 if cell["law"] == "normal" else np.diag(np.eye(d)[0])
    law = us.GaussianMixture(np.zeros((1, d)), spread)
    moments = posterior_moments(us.kernel_by_name(cell["kernel"], tau), law, x)
    smoothness = 0.5 if cell["kernel"] == "laplace" else float(cell["kernel"].split(":")[1])
    predicted = d + 2 * smoothness
    shift, score = moments.mean_shift[0], moments.score[0]
    constant = float(-shift[0] / tau**2)
    residual = float(np.linalg.norm(moments.residual[0]) / np.linalg.norm(shift))
    # With one component V and s are multiples of c - x, each to this relative error (in general it is that of E r).
    # The residual V - alpha s then has at most 4 times it; 10 is taken.
    error = float(moments.relative_error[0]) * 10
    return {
        "constant": constant,
        "constant_ratio": known(constant / predicted, constant / predicted * error),
        "constant_over_dimension": known(constant / d, constant / d * error),
        "residual_ratio": known(residual, error),
        "residual_scaled": known(residual * (d + 1), error * (d + 1)),
        "residual_times_dimension": known(residual * d, error * d),
        "residual_of_line": known(2 * residual, 2 * error),
        "cosine": float(shift @ score / np.linalg.norm(shift) / np.linalg.norm(score)),
    }


def limit(low, high):
    return Limit(low, high, along="bandwidth", order=-2)


LAPLACE = {"kernel": "laplace", "law": "normal"}
constant = Theorem("drift.low_temperature_constant", None,
                   "derived here; low-temperature accuracy announced in v1 of arXiv 2603.07514", "quadrature",
                   "constant_ratio", limit(0.999, 1.001))  # fmt: skip
residual = Theorem("drift.low_temperature_residual", None, "derived here", "quadrature", None, limit(0.999, 1.001))
LINE = {"kernel": "laplace", "law": "line", "dimension": [2, 3, 5, 10]}
study = Study(
    name="low_temperature", title="Low temperature: the constant and the residual that stays",
    grid=Grid(law=["normal", "line"], kernel=["laplace", "matern:1.5", "matern:2.5"], dimension=[1, 2, 3, 5, 10],
              bandwidth=BANDWIDTHS,
              skip=lambda cell: cell["law"] == "line" and (cell["kernel"] != "laplace" or cell["dimension"] == 1)),
    measure=measure,
    variables={
        "constant": Variable("Mean shift divided by τ² ∇log p", symbol="V/(τ² ∇log p)"),
        "constant_ratio": Variable("Mean shift divided by (d + 2 nu) τ² ∇log p"),
        "constant_over_dimension": Variable("Mean shift divided by d τ² ∇log p"),
        "residual_ratio": Variable("Length of the covariance residual over that of the mean shift",
                                   symbol="|delta|/|V|"),
        "residual_scaled": Variable("(d + 1) |delta|/|V|, which tends to 1 for a smooth density"),
        "residual_times_dimension": Variable("d |delta|/|V|"),
        "residual_of_line": Variable("2 |delta|/|V|, which tends to 1 for a law on a line"),
        "cosine": Variable("Cosine between mean shift and kernel score"),
    },
    claims=[
        constant.claim(regime="laplace", where=LAPLACE,
                       statement="For N(0, I) in d = 1, 2, 3, 5 and 10 dimensions at |x| = 1, as tau -> 0, the "
                                 "Laplace mean shift tends to (d + 1) tau^2 grad log p, in ratio.",
                       control=Control("constant d instead of d + 1", variable="constant_over_dimension")),
        constant.claim(regime="matern", where={"kernel": ["matern:1.5", "matern:2.5"], "law": "normal"},
                       statement="For N(0, I) in d = 1, 2, 3, 5 and 10 dimensions at |x| = 1, as l -> 0, the mean "
                                 "shift of the Matern kernel of smoothness nu (3/2, 5/2) with argument r/l tends to "
                                 "(d + 2 nu) l^2 grad log p, in ratio.",
                       control=Control("constant d instead of d + 2 nu", variable="constant_over_dimension")),
        residual.claim(regime="smooth density", where=LAPLACE, variable="residual_scaled",
                       statement="For N(0, I) in d = 1, 2, 3, 5 and 10 dimensions at |x| = 1, as tau -> 0, the "
                                 "covariance residual of the Laplace kernel has 1/(d + 1) of the length of the mean "
                                 "shift.",
                       control=Control("the share 1/d", variable="residual_times_dimension")),
        residual.claim(regime="law on a line", where=LINE, variable="residual_of_line",
                       statement="For a normal law on a line in 2 to 10 dimensions, at a point of the line, as tau -> "
                                 "0, the covariance residual of the Laplace kernel keeps half of the mean shift.",
                       control=Control("a smooth density in as many dimensions", where={"law": "normal"})),
        residual.claim(regime="law on a line, ambient dimension", where=LINE, variable="residual_scaled",
                       expect="refuted",
                       statement="For a normal law on a line in 2 to 10 dimensions, as tau -> 0, the covariance "
                                 "residual of the Laplace kernel keeps the share 1/(d + 1) of the mean shift."),
    ],
)  # fmt: skip
