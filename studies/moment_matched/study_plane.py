"""Many particles in the plane, from data to samples: smoothed score, sampler and solved multipliers against each other.

Six skewed points, smoothed by one antithetic tuple that all particles share, so that field, sampler and tilt have one
potential. The particles are those of `sample_moment_matched` with the near-field estimator; the law is that of
`MomentMatchedTilt` with the multipliers of `solve_tilt`, integrated on a lattice.
"""

from dataclasses import replace
from functools import cache

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable

DATA = np.array([[-1.4, -1.0], [-1.1, -1.3], [-0.9, 0.2], [0.6, 0.4], [1.5, 1.6], [1.9, 0.9]])
DELTA, SMOOTHING = 0.5, 0.6
HALF = np.array([[0.9, -0.4], [-0.3, 1.2], [1.6, 0.8]])
NOISE = us.Noise("shared", given=np.concatenate([HALF, -HALF]))
SCORE = us.SmoothedScore(DATA, DELTA, SMOOTHING, noise=NOISE)
STEP, STEPS, THIN = 0.02, 240, 20
MARGINS = {"third": 0.02, "fourth": 0.03, "cosine": 0.03}
STATISTICS = {
    "third": ("E y_1^2 y_2", lambda y: y[..., 0] ** 2 * y[..., 1]),
    "fourth": ("E y_1^2 y_2^2", lambda y: y[..., 0] ** 2 * y[..., 1] ** 2),
    "cosine": ("E cos(2 y_1 + y_2)", lambda y: np.cos(2 * y[..., 0] + y[..., 1])),
}


@cache
def laws():
    """Averages under the tilted law, the law with half of the multipliers, and the law without them."""
    tilt = us.solve_tilt(SCORE)
    root = np.linalg.cholesky(tilt.covariance)
    side = np.arange(-8.0, 8.0, DELTA / 5)
    z = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    y = np.linalg.solve(root, (z - tilt.mean).T).T
    found = {}
    for name, share in (("", 1.0), ("_half", 0.5), ("_untilted", 0.0)):
        part = replace(tilt, linear=share * tilt.linear, quadratic=share * tilt.quadratic)
        logs = us.MomentMatchedTilt(SCORE, part).potential(z)
        mass = np.exp(logs - logs.max())
        mass /= mass.sum()
        found |= {f"{key}{name}": float(mass @ f(y)) for key, (_, f) in STATISTICS.items()}
    return found, tilt.mean, root


def measure(cell, rng):
    exact, mean, root = laws()
    run = us.sample_moment_matched(
        DATA, cell["n_particles"], noise_level=DELTA, smoothing=SMOOTHING, noise=NOISE, estimator=us.Near(1e-10),
        step=STEP, n_steps=STEPS, thin=THIN, scheme="geodesic-leimkuhler-matthews", rng=rng,
    )  # fmt: skip
    # The second half of the run; particles start at the data.
    y = np.linalg.solve(root, (run.trajectory[STEPS // THIN // 2 :] - mean).reshape(-1, 2).T).T
    found = {key: float(f(y).mean()) for key, (_, f) in STATISTICS.items()}
    gaps = {f"{key}{name}": found[key] - exact[f"{key}{name}"] for key in found for name in ("", "_half", "_untilted")}
    return gaps | {"overlap": float(run.overlap[-1])}


WORDS = {"": "", "_half": " with half of the multipliers", "_untilted": " without multipliers"}
limit = Theorem("moment_matched.large_p_limit", None, "Yao and Paulin 2026, arXiv 2605.14276", "monte_carlo",
                where={"n_particles": 600})  # fmt: skip
study = Study(
    name="moment_matched_plane", title="Many particles in the plane against the tilted law with solved multipliers",
    grid=Grid(n_particles=[600], seed=range(16)), measure=measure,
    profiles={"standard": {"n_particles": [30, 600], "seed": range(64)}},
    variables={
        **{f"{key}{end}": Variable(f"{words} of sampled particles minus that of the tilted law{more}")
           for key, (words, _) in STATISTICS.items() for end, more in WORDS.items()},
        "overlap": Variable("Overlap of the particles with their start"),
    },
    claims=[
        limit.claim(regime=f"sampled in the plane, {key}", variable=key, test=Inside(-MARGINS[key], MARGINS[key]),
                    statement=f"{words} of 600 particles that `sample_moment_matched` moves by the smoothed score of "
                              "six points in the plane is that of the tilted law with solved multipliers, within "
                              f"{MARGINS[key]}.",
                    control=Control("without multipliers", variable=f"{key}_untilted") if key == "third" else
                    Control("half of the multipliers", variable=f"{key}_half"))
        for key, (words, _) in STATISTICS.items()
    ],
)  # fmt: skip
