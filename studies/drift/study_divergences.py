"""Drifts of f-divergences against their definition: rho f''(rho) times the difference of two smoothed scores.

The densities are those of the mixtures smoothed by hand, without a kernel posterior; f'' comes from differences of f.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable, known

TAU, STEP = 0.8, 2e-3
P = us.GaussianMixture([[-1.0, 0.4], [1.2, -0.3]], 0.5, weights=[0.7, 0.3])
Q = us.GaussianMixture([[0.3, 0.8], [0.2, -1.1]], 0.9)
F = {
    "kl_model_target": lambda r: r * np.log(r),
    "kl_target_model": lambda r: -np.log(r),
    "chi2_model_target": lambda r: (r - 1) ** 2,
    "hellinger": lambda r: (np.sqrt(r) - 1) ** 2,
    "jensen_shannon": lambda r: (r * np.log(r) - (1 + r) * np.log((1 + r) / 2)) / 2,
}


def measure(cell, rng):
    x, f = Q.sample(60, rng), F[cell["divergence"]]
    p, q = (law.smoothed(TAU**2) for law in (P, Q))
    rho = np.exp(q.log_density(x) - p.log_density(x))
    h = STEP * rho
    # Fourth-order differences: an error of h^4, and rounding over h^2.
    second = (16 * (f(rho + h) + f(rho - h)) - f(rho + 2 * h) - f(rho - 2 * h) - 30 * f(rho)) / (12 * h**2)
    field = us.DivergenceDrift(us.Gaussian(TAU), target=P, model=Q, divergence=cell["divergence"])(x)
    gap = {}
    for name, weight in (("gap", rho * second), ("gap_rho", rho**2 * second)):
        exact = weight[:, None] * (p.score(x) - q.score(x))
        gap[name] = float((np.linalg.norm(field - exact, axis=1) / np.linalg.norm(exact, axis=1)).max())
    return known(gap, 1e-8)


study = Study(
    name="drift_divergences", title="Drifts of f-divergences against their definition",
    grid=Grid(divergence=list(F)), measure=measure,
    variables={
        "gap": Variable("Largest relative distance of the drift to rho f''(rho) times the score difference"),
        "gap_rho": Variable("Largest relative distance of the drift to rho^2 f''(rho) times the score difference"),
    },
    claims=[
        Theorem("drift.divergence_weights",
                "The drift of each of five f-divergences between two Gaussian mixtures in the plane is rho f''(rho) "
                "times the difference of the smoothed scores, rho the ratio of model to target.",
                "related work: arXiv 2603.10592; derived here", "quadrature", "gap", Inside(-1.0, 1e-5)).claim(
            control=Control("one factor rho more", variable="gap_rho"))
    ],
)  # fmt: skip
