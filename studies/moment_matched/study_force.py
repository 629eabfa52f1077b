"""The force of the moment-matched sampler: what noise given for each particle changes in a tiny step, by two routes.

Two runs share start and dynamics and differ in their noise tuples alone. Over a step h their particles part by h times
the difference of two smoothed scores, pulled back to the manifold; Brownian parts cancel.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.samplers import CenteredStiefel
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable, known

PARTICLES, STEP, LEVEL, SMOOTHING = 12, 1e-8, 0.4, 0.5


def run(data, noise, start):
    """Particles in standard coordinates after one step, and the start, both (P, d), with mean and factor."""
    result = us.sample_moment_matched(
        data, PARTICLES, noise_level=LEVEL, smoothing=SMOOTHING, noise=us.Noise("fresh", given=noise), step=STEP,
        n_steps=1, scheme="euler-maruyama", start=start, thin=1, rng=np.random.default_rng(1),
    )  # fmt: skip
    factor = np.linalg.cholesky(result.covariance)
    back = lambda x: np.linalg.solve(factor, (x - result.mean).T).T
    return back(result.trajectory[-1]), back(result.trajectory[0]), result.mean, factor


def forces(data, y, noise, mean, factor):
    """Gradients of the potential in standard coordinates: with the noise, and without the mean of its linear term."""
    field = us.Smoothed(us.KernelScore(us.Gaussian(LEVEL), data), SMOOTHING, noise=noise[0][0])
    whole = -field.evaluate(mean + y @ factor.T, noise=noise[0]) @ factor
    return whole, whole - SMOOTHING * noise[0].mean(1) @ factor / LEVEL**2


def measure(cell, rng):
    d = cell["dimension"]
    data = rng.standard_normal((20, d)) @ np.diag(np.linspace(0.5, 1.5, d)) + 1.0
    start = rng.standard_normal((PARTICLES, d))
    noises = rng.standard_normal((2, 1, PARTICLES, 3, d))
    runs = [run(data, noise, start) for noise in noises]
    (first, y, mean, factor), (second, *_) = runs
    parted = (first - second) / STEP
    manifold = CenteredStiefel(PARTICLES, d)
    pairs = zip(*(forces(data, y, noise, mean, factor) for noise in noises), strict=True)
    out = {}
    for name, (one, two) in zip(("force", "force_without_mean"), pairs, strict=True):
        exact = -manifold.project(y, one - two)
        out[name] = float(np.abs(parted - exact).max() / np.abs(exact).max())
    # Retraction and Brownian curvature are of order h^(1/2) relative to the parting; rounding is eps/h.
    return known(out, 1e-3)


study = Study(
    name="moment_matched_force", title="The force of the sampler is that of the smoothed score",
    grid=Grid(dimension=[1, 2, 4]), measure=measure,
    variables={
        "force": Variable("Largest relative distance of the parting over the step to the difference of the forces"),
        "force_without_mean": Variable("Largest relative distance of the parting over the step to the difference "
                                       "of forces that leave out the mean of the noise"),
    },
    claims=[
        Theorem("moment_matched.force",
                "Two systems of twelve particles that differ in the noise given for each particle part in a tiny step "
                "by the step times the difference of their smoothed scores, pulled back by the factor, d = 1, 2, 4.",
                "Yao and Paulin 2026, arXiv 2605.14276", "quadrature", "force", Inside(-1.0, 0.01)).claim(
            control=Control("the mean of the noise forgotten", variable="force_without_mean")),
    ],
)  # fmt: skip
