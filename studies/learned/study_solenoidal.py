"""Rotations added to a velocity change no marginal of an isotropic Gaussian, however large the error of the score."""

import numpy as np

from unifiedscore.learned import Preconditioning
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable, known

SCALE, STEPS = 1.3, 200
SPINS = {
    2: np.array([[0.0, 1.0], [-1.0, 0.0]]),
    3: np.array([[0.0, 0.8, -0.3], [-0.8, 0.0, 0.5], [0.3, -0.5, 0.0]]),
}


def velocity(x, t):
    """The exact velocity of N(0, SCALE^2 I): the preconditioned network whose output is 0."""
    return Preconditioning(t, scale=SCALE).velocity(x, np.zeros_like(x))


def flow(start, error, steps=STEPS):
    """Runge-Kutta steps of dx/dt = velocity + error from 0 to 1."""
    h, x = 1 / steps, start
    field = lambda y, t: velocity(y, min(t, 1.0)) + y @ error.T
    for k in range(steps):
        t = k * h
        a = field(x, t)
        b = field(x + h / 2 * a, t + h / 2)
        c = field(x + h / 2 * b, t + h / 2)
        x = x + h / 6 * (a + 2 * b + 2 * c + field(x + h * c, t + h))
    return x


def gaussian_distance(covariance):
    """W2 between N(0, covariance) and N(0, SCALE^2 I)."""
    return np.sqrt(np.sum((np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0)) - SCALE) ** 2))


def distances(cell, rng):
    """W2 at the end and the mean square error at t = 1/2, for a rotation and for a gradient of the same energy."""
    spin, omega = SPINS[cell["dimension"]], cell["omega"]
    d = len(spin)
    gradient = np.linalg.norm(spin) / np.sqrt(d) * np.eye(d)
    found, energies = {}, {}
    half_variance = (SCALE / 2) ** 2 + 0.25
    nodes = np.sqrt(d * half_variance) * np.concatenate([np.eye(d), -np.eye(d)])
    for name, matrix in (("rotation", omega * spin), ("gradient", omega * gradient)):
        # The flow is linear: its map is what it does to the axes.
        map_ = flow(np.eye(d), matrix).T
        found[name] = gaussian_distance(map_ @ map_.T)
        energies[f"{name}_energy"] = np.mean(np.sum((nodes @ matrix.T) ** 2, axis=1))
    predicted = omega**2 * np.linalg.norm(spin) ** 2 * half_variance
    return known(found, 1e-6) | known(
        {
            "energy": energies["rotation_energy"] - predicted,
            "energy_gradient": energies["gradient_energy"] - predicted,
            "energy_root": energies["rotation_energy"] - omega * np.linalg.norm(spin) ** 2 * half_variance,
            "ranking": found["rotation"] - small_gradient(d),
            "ranking_gradient": found["gradient"] - small_gradient(d),
        },
        1e-6,
    )


def small_gradient(d):
    """W2 of a gradient error of a hundredth of the size."""
    map_ = flow(np.eye(d), 0.01 * np.eye(d))
    return gaussian_distance(map_ @ map_.T)


HERE = "derived here; related work: arXiv 2606.06179"
free = Theorem("learned.solenoidal_free", source=HERE, evidence="quadrature")
study = Study(
    name="learned_solenoidal", title="Rotations and gradients of the same size added to a velocity",
    grid=Grid(dimension=list(SPINS), omega=[0.0, 1.0, 10.0]), measure=distances,
    variables={
        "rotation": Variable("W2 of the end to the data with omega M x added", symbol="W2"),
        "gradient": Variable("W2 of the end to the data with a gradient of the same energy added", symbol="W2"),
        "energy": Variable("E|omega M x|^2 at t = 1/2 minus omega^2 |M|^2 Gamma"),
        "energy_gradient": Variable("E|gradient error|^2 at t = 1/2 minus omega^2 |M|^2 Gamma"),
        "energy_root": Variable("E|omega M x|^2 at t = 1/2 minus omega |M|^2 Gamma"),
        "ranking": Variable("W2 of the rotation minus W2 of the gradient x/100"),
        "ranking_gradient": Variable("W2 of the gradient error minus W2 of the gradient x/100"),
    },
    claims=[
        free.claim(regime="isotropic", variable="rotation", test=Inside(-np.inf, 1e-4),
                   statement="For an isotropic Gaussian in two and three dimensions the flow of v + omega M x, M "
                             "antisymmetric, ends in the law of the data for omega = 0, 1, 10.",
                   control=Control("a gradient error of the same energy", variable="gradient")),
        free.claim(regime="error grows", variable="energy", test=Inside(-1e-3, 1e-3),
                   statement="The rotation omega M x has the mean square error omega^2 |M|^2 Gamma_t, at t = 1/2.",
                   control=Control("omega in place of its square", variable="energy_root")),
        free.claim(regime="ranking by error", variable="ranking", where={"omega": [1.0, 10.0]},
                   test=Inside(1e-3, np.inf), expect="refuted",
                   statement="A velocity with a larger mean square error ends farther from an isotropic Gaussian law "
                             "in W2: a rotation with omega = 1 or 10 against the gradient x/100."),
        free.claim(regime="ranking by error, gradients", variable="ranking_gradient", where={"omega": [1.0, 10.0]},
                   test=Inside(1e-3, np.inf),
                   statement="Among gradient errors the velocity with the larger mean square error ends farther from "
                             "an isotropic Gaussian law in W2.",
                   control=Control("a rotation of the same energy", variable="ranking")),
    ],
)  # fmt: skip
