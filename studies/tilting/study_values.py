"""Values, not only gradients: log Z, the value function, and the Jacobian of the drift, against sums over a grid.

Bases: a Gaussian, equal and unequal modes on the line, two isotropic modes in the plane, three full covariances there
with a reward whose matrix is indefinite. The sums know the base density, the reward and the noise alone.
"""

import numpy as np
from _laws import GAUSSIAN, GAUSSIAN_REWARD, PLANE, PLANE_REWARD, REWARD, SYMMETRIC, UNEQUAL

import unifiedscore as us
from unifiedscore.processes import SCHEDULES
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable, known, two_rules

CASES = {
    "gaussian": (GAUSSIAN, GAUSSIAN_REWARD),
    "equal_modes": (SYMMETRIC, REWARD),
    "unequal_modes": (UNEQUAL, REWARD),
    "isotropic_plane": (
        us.GaussianMixture([[1.0, -0.5], [-1.0, 0.3]], [0.4, 0.8], weights=[0.3, 0.7]),
        us.QuadraticReward([0.6, -0.2], 0.5),
    ),
    "plane": (PLANE, PLANE_REWARD),
}
TIMES = (0.2, 0.5, 0.8)


def grid_of(d, step):
    """Points of a grid wide enough for every law, and the volume of a cell."""
    axis = np.arange(-9, 9 + step / 2, step)
    return np.stack([a.ravel() for a in np.meshgrid(*[axis] * d, indexing="ij")], axis=1), step**d


def log_total(terms, cell):
    """log of the sum of exp(terms) times the cell, over the first axis."""
    top = terms.max(axis=0)
    return top + np.log(np.exp(terms - top).sum(axis=0) * cell)


def sums(process, states, step):
    """log Z, and V at the states, by sums over the data."""
    data, cell = grid_of(process.dimension, step)
    base, reward = process.base.log_density(data), process.reward.value(data)
    found = {"normalizer": log_total(base + reward, cell)}
    for t in TIMES:
        alpha, noise = process.schedule.alpha(t), process.schedule.beta_squared(t)
        near = -((states[None] - alpha * data[:, None]) ** 2).sum(2) / (2 * noise) + base[:, None]
        found[t] = log_total(near, cell) - log_total(near + reward[:, None], cell)
    return found


def jacobian_gap(process, states, t, sigma):
    """Largest relative difference of `drift_jacobian` at that sigma from differences of the memoryless drift."""
    step, d = 1e-3, process.dimension
    shifts = step * np.eye(d)
    slope = lambda k: np.stack([process.drift(states + k * e, t) - process.drift(states - k * e, t) for e in shifts], 2)
    differences = (8 * slope(1) - slope(2)) / (12 * step)
    gaps = process.drift_jacobian(states, t, sigma=sigma) - differences
    return np.abs(gaps).max() / np.abs(differences).max()


def measure(cell, rng):
    base, reward = CASES[cell["law"]]
    process = us.TiltedProcess(base, reward, cell["schedule"])
    states = rng.uniform(-1.5, 1.5, (6, process.dimension))
    coarse, fine = (sums(process, states, step) for step in (0.15, 0.1))
    even = us.TiltedProcess(even_masses(base), reward, cell["schedule"])
    gaps = [process.value(states, t) for t in TIMES], [coarse[t] for t in TIMES], [fine[t] for t in TIMES]
    values, rough, exact = (np.concatenate(part) for part in gaps)
    worst = np.abs(values - exact).max()
    missing = np.abs(values + process.log_normalizer - exact).max()
    slack = np.abs(rough - exact).max() + 1e-10
    return {
        "normalizer": two_rules(
            process.log_normalizer - coarse["normalizer"], process.log_normalizer - fine["normalizer"], rounding=1e-10
        ),
        "normalizer_even": known(even.log_normalizer - fine["normalizer"], 1e-6),
        "value": known(worst, slack),
        "value_unnormalised": known(missing, slack),
        "jacobian": known(max(jacobian_gap(process, states, t, None) for t in TIMES), 1e-7),
        "jacobian_velocity": known(max(jacobian_gap(process, states, t, 0.0) for t in TIMES), 1e-7),
    }


def even_masses(law):
    """The same modes with equal masses."""
    if law.variances is not None:
        return us.GaussianMixture(law.means, law.variances)
    covariances = np.einsum("mik,mk,mjk->mij", law.eigenvectors, law.eigenvalues, law.eigenvectors)
    return us.GaussianMixture(law.means, covariances)


family = Theorem("tilting.mixture_family", source="derived here", evidence="quadrature", test=Inside(-1e-5, 1e-5))
study = Study(
    name="tilting_values", title="Values of log Z and of the value function",
    grid=Grid(law=list(CASES), schedule=list(SCHEDULES)), measure=measure,
    variables={
        "normalizer": Variable("log Z minus its sum over a grid"),
        "normalizer_even": Variable("log Z of the modes with equal masses minus the sum over a grid of the base's own"),
        "value": Variable("Largest gap of the value function from sums over a grid, t = 0.2, 0.5, 0.8"),
        "value_unnormalised": Variable("Largest gap of the value function from sums over a grid without log Z in it"),
        "jacobian": Variable("Largest relative gap of the Jacobian of the memoryless drift from differences"),
        "jacobian_velocity": Variable("Largest relative gap of the Jacobian of the velocity from differences of the "
                                      "memoryless drift"),
    },
    claims=[
        family.claim(regime="normaliser", variable="normalizer",
                     statement="Over a Gaussian, equal and unequal modes on the line, isotropic modes and full "
                               "covariances in the plane the closed form of log Z is the sum of exp(r) over the base.",
                     control=Control("equal masses", variable="normalizer_even")),
        family.claim(regime="value", variable="value",
                     statement="Over a Gaussian, equal and unequal modes on the line, isotropic modes and full "
                               "covariances in the plane the value function is -log E[exp r | x], in all "
                               "three schedules.",
                     control=Control("log Z left out", variable="value_unnormalised")),
        family.claim(regime="jacobian", variable="jacobian",
                     statement="Over a Gaussian, equal and unequal modes on the line, isotropic modes and full "
                               "covariances in the plane the Jacobian of the memoryless drift is that of its "
                               "differences.",
                     control=Control("the Jacobian of the velocity", variable="jacobian_velocity")),
    ],
)  # fmt: skip
