"""Drift and score difference of two rings of modes in the plane, on a grid: the picture behind the identities."""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior import posterior_vectors
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable, known

AXIS = np.linspace(-4.5, 4.5, 41)
NAMES = ("drift_x", "drift_y", "score_x", "score_y")


def measure(cell, rng):
    kernel = us.kernel_by_name(cell["kernel"], 1.0)
    p, q = us.load_pair("ring_mog", dimension=2)
    x = np.stack(np.meshgrid(AXIS, AXIS), axis=-1).reshape(-1, 2)
    target, model = (posterior_vectors(kernel, law, x) for law in (p, q))
    drift, score = target.mean_shift - model.mean_shift, target.score - model.score
    # Both fields vanish near the centre: the angle is meaningful where they are larger than rounding.
    size = np.linalg.norm(drift, axis=1) * np.linalg.norm(score, axis=1)
    sine = np.abs(drift[:, 0] * score[:, 1] - drift[:, 1] * score[:, 0]) / np.where(size > 1e-12, size, np.inf)
    values = [a.reshape(len(AXIS), len(AXIS)) for a in (*drift.T, *score.T)]
    return dict(zip(NAMES, values, strict=True)) | {"largest_sine": known(float(sine.max()), 1e-9)}


grid = {"dims": ("row", "column"), "coords": {"row": AXIS, "column": AXIS}}
parallel = Theorem("drift.gaussian_parallel", "Drift and score difference are parallel at every point of the plane.",
                   "Lai et al. 2026, arXiv 2603.07514, Theorem 1", "quadrature", "largest_sine",
                   Inside(-1.0, 1e-6))  # fmt: skip
study = Study(
    name="fields_2d", title="Drift and score difference in the plane",
    grid=Grid(kernel=["gaussian", "laplace"]), measure=measure,
    variables={
        "drift_x": Variable("First component of the drift", **grid),
        "drift_y": Variable("Second component of the drift", **grid),
        "score_x": Variable("First component of the score difference", **grid),
        "score_y": Variable("Second component of the score difference", **grid),
        "largest_sine": Variable("Largest sine of the angle between drift and score difference"),
    },
    claims=[
        parallel.claim(regime="gaussian", where={"kernel": "gaussian"},
                       control=Control("Laplace kernel", where={"kernel": "laplace"})),
        parallel.claim(regime="laplace", where={"kernel": "laplace"}, expect="refuted"),
    ],
)  # fmt: skip
