"""Particles under their own drift: mass that does not move between distant modes, and the residual velocity.

Laplace kernel of bandwidth 1 on the line; the target has two equal modes, the model starts with a quarter of its
particles in the left one. The residual velocity of a conservative Gaussian flow
towards N(0, 1) is recorded beside it.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.samplers import DriftingFlow
from unifiedscore.study import Claim, Control, Grid, Hypothesis, Inside, Rate, Study, Variable

N, STEPS = 32, 60


def imbalance(separation, rng):
    """Share of the left mode before and after, and the energy left over the energy at the start."""
    centers = np.array([[-separation / 2], [separation / 2]])
    data = us.GaussianMixture(centers, 0.04).sample(60, rng)
    start = 0.2 * rng.standard_normal((N, 1)) + centers[(np.arange(N) >= N // 4).astype(int)]
    path = DriftingFlow(us.Laplace(1.0), data, step=0.5).run(start, n_steps=STEPS, modes=centers)
    return path.mode_masses[0, 0], path.mode_masses[-1, 0]


def residual_velocity(n, rng):
    """Root mean square velocity after twenty steps, bandwidth n^(-1/5)."""
    flow = DriftingFlow(us.Gaussian(n**-0.2), us.GaussianMixture([[0.0]], 1.0), step=1.0, self_terms="keep")
    return float(np.sqrt(flow.run(rng.standard_normal((n, 1)), n_steps=20).energy[-1]))


def measure(cell, rng):
    before, after = imbalance(cell["separation"], rng)
    near = cell["separation"] == 2.0
    return {
        "moved": abs(after - before),
        "missing": 0.5 - after,
        "velocity": residual_velocity(cell["n"], rng) if near else np.nan,
        # "h-uniform quadrature regularity" of the particles is a condition nobody can measure from one run.
        "regularity": np.nan,
    }


study = Study(
    name="drift_particles", title="Particles under their own drift",
    grid=Grid(separation=[2.0, 12.0], n=[16, 32, 64], seed=range(16)),
    profiles={"standard": {"n": [16, 32, 64, 128, 256], "seed": range(32)}},
    measure=measure,
    variables={
        "moved": Variable("Share of particles that changed their mode"),
        "missing": Variable("Share of particles still missing in the left mode"),
        "velocity": Variable("Root mean square velocity of a conservative flow after 20 steps"),
        "regularity": Variable("Uniform quadrature regularity of the particles (cannot be measured)"),
    },
    claims=[
        Claim("drift.mass_metastable",
              "A wrong share of 1/4 in a mode twelve bandwidths away is still wrong after 60 steps.",
              "reported in arXiv 2605.05118 and a public audit; example derived here", "exact", "missing",
              Inside(0.2, 0.3), where={"separation": 12.0, "n": 16, "seed": 0},
              control=Control("modes two bandwidths apart", where={"separation": 2.0})),
        Claim("drift.finite_particle_rate",
              "The root residual velocity of a conservative drift of n particles falls like n^(-1/(d + 4)).",
              "Balasubramanian 2026, arXiv 2605.22795 (abstract)", "monte_carlo", "velocity",
              Rate(-0.25, -0.15, along="n"),
              where={"separation": 2.0},
              hypotheses=(Hypothesis("h-uniform quadrature regularity", "regularity", low=0.5),),
              expect="inconclusive"),
    ],
)  # fmt: skip
