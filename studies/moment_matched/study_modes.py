"""Mode coverage against the number of particles, on mixtures whose masses are known.

Without smoothing the tilt vanishes and the limit law is the mixture itself: three modes of masses 1/2, 1/3, 1/6 on the
line, .5, .3, .2 in the plane. On the line the law of P particles is exact (a quotient of Fourier integrals from P = 12
on, a circle at P = 3); elsewhere independent systems are sampled from uniform starts.
"""

import warnings
from dataclasses import replace
from functools import cache

import numpy as np

import unifiedscore as us
from unifiedscore import references
from unifiedscore.references.finite_particles import finite_averages
from unifiedscore.samplers import ManifoldChain
from unifiedscore.study import Control, Grid, Hypothesis, Inside, Limit, Rate, Study, Theorem, Variable, known

LINE = np.array([[-1.5], [0.2], [1.6]]), np.array([3.0, 2.0, 1.0]) / 6, 0.45
PLANE = np.array([[-1.2, 0.0], [1.0, 1.0], [1.0, -1.2]]), np.array([0.5, 0.3, 0.2]), 0.5
EXACT, SAMPLED = (20, 40, 80, 160, 320), (3, 4, 10, 20, 60, 120)
STEP, STEPS, PARTICLES = 0.05, 150, 480


def frame(means, weights, delta):
    """The mixture, its mean and the Cholesky factor of its covariance."""
    law = us.GaussianMixture(means, delta**2, weights)
    return law, law.mean, np.linalg.cholesky(law.covariance_matrix)


def modes_of(z, means):
    return ((z[..., None, :] - means) ** 2).sum(-1).argmin(-1)


def known_masses(means, weights, delta):
    """Mass of every Voronoi cell of the means, on a lattice."""
    law, d = frame(means, weights, delta)[0], means.shape[1]
    side = np.arange(-5.0, 5.0, 0.002 if d == 1 else 0.02) + 0.001
    nodes = np.stack(np.meshgrid(*[side] * d, indexing="ij"), axis=-1).reshape(-1, d)
    mass = np.exp(law.log_density(nodes))
    return np.bincount(modes_of(nodes, means), mass, minlength=3) / mass.sum()


@cache
def exact_masses(p, mesh):
    """Masses of one of P particles on the line; a smooth edge of width .02 stands for the border of a cell."""
    means = LINE[0]
    law, mean, factor = frame(*LINE)
    borders = (0.5 * (means[1:, 0] + means[:-1, 0]) - mean[0]) / factor[0, 0]
    potential = lambda y: -law.log_density(mean + factor[0, 0] * np.ravel(y)[:, None]).reshape(np.shape(y))
    above = [lambda y, b=b: 1 / (1 + np.exp(-np.clip((y - b) / 0.02, -500, 500))) for b in borders]
    if p == 3:
        tails = [references.three_particles(potential, f) for f in above]
        limits = tails
    else:
        line = references.line_law(potential, mesh=mesh)
        tails, limits = finite_averages(line, above, p, nodes=160), [line.average(f) for f in above]
    cells = lambda t: np.array([1 - t[0], t[0] - t[1], t[1]])
    return cells(tails), cells(limits)


def sampled_masses(means, weights, delta, p, rng):
    """Masses from independent systems, and their overlap with the uniform start."""
    law, mean, factor = frame(means, weights, delta)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain = ManifoldChain(us.CenteredStiefel(p, means.shape[1]), STEP)

    def force(y):
        z = (mean + y @ factor.T).reshape(-1, means.shape[1])
        return -law.score(z).reshape(y.shape) @ factor

    start = chain.manifold.sample(rng, systems=(PARTICLES // p,))
    state = chain.start(start, rng)
    for _ in range(STEPS):
        state = chain.advance(state, force, rng)
    z = mean + state.y @ factor.T
    return np.bincount(modes_of(z, means).ravel(), minlength=3) / z[..., 0].size, float((start * state.y).mean())


def measure(cell, rng):
    case, p = cell["case"], cell["n_particles"]
    found = dict.fromkeys(NAMES, np.nan)
    if case == "exact":
        fine, limit = exact_masses(p, 0.01)
        error = float(np.abs(fine - exact_masses(p, 0.0125)[0]).max()) + 1e-9
        gap = float(fine[2] - limit[2])
        return found | {
            "masses": fine, "limit": known_masses(*LINE),
            **known({"size": abs(gap), "signed": gap, "equal": fine[2] - 1 / 3, "equal_size": 1 / 3 - fine[2]}, error),
        }  # fmt: skip
    mixture = LINE if case == "line" else PLANE
    masses, overlap = sampled_masses(*mixture, p, rng)
    wanted = known_masses(*mixture)
    gap = float(masses[2] - wanted[2])
    if case == "line" and p in (3, *EXACT):
        found |= {"finite_gap": masses[2] - exact_masses(p, 0.02)[0][2],
                  "simplex_gap": masses[2] - exact_masses(3, 0.02)[0][2]}  # fmt: skip
    return found | {"masses": masses, "limit": wanted, "gap": gap, "overlap": overlap}


NAMES = {
    "size": "Distance of the mass of the rarest mode to its limit", "signed": "Mass of the rarest mode minus its limit",
    "equal": "Mass of the rarest mode minus 1/3", "equal_size": "Distance of the mass of the rarest mode to 1/3",
    "finite_gap": "Sampled mass of the rarest mode minus the exact one at that P",
    "simplex_gap": "Sampled mass of the rarest mode minus the exact one of three particles",
    "gap": "Sampled mass of the rarest mode minus that of the mixture", "overlap": "Overlap with the uniform start",
}  # fmt: skip
ALONG = {"along": "n_particles"}
STATIONARY = (Hypothesis("start forgotten", "overlap", low=-0.2, high=0.2),)
THERE = {"case": "exact", "seed": 0, "n_particles": slice(20, 160)}


coverage = Theorem("moment_matched.mode_coverage", None,
                   "abstract of arXiv 2605.14276 (diversity); derived here")  # fmt: skip
exact_law = replace(coverage, evidence="quadrature", where=THERE)
sampled_law = replace(coverage, evidence="monte_carlo", hypotheses=STATIONARY)


def skip(cell):
    if cell["case"] == "exact":
        return cell["seed"] > 0 or cell["n_particles"] not in (3, *EXACT)
    return cell["n_particles"] not in SAMPLED


MASSES = {"dims": ("mode",), "coords": {"mode": ["first", "second", "rarest"]}}
study = Study(
    name="moment_matched_modes", title="Mode coverage against the number of particles",
    grid=Grid(case=["exact", "line", "plane"], n_particles=[3, 20, 40, 80, 160], seed=range(16), skip=skip),
    measure=measure,
    variables={name: Variable(words) for name, words in NAMES.items()} | {
        "masses": Variable("Mass of each mode", **MASSES), "limit": Variable("Mass of each mode in the mixture",
                                                                             **MASSES)},
    profiles={"standard": {"n_particles": sorted({3, *EXACT, *SAMPLED})}},
    claims=[
        exact_law.claim(regime="limit", variable="signed", test=Limit(-2e-3, 2e-3, order=1, **ALONG),
                        statement="As P grows the mass of the rarest mode tends to that of the mixture.",
                        control=Control("equal masses", variable="equal")),
        exact_law.claim(regime="rate", variable="size", test=Rate(-1.3, -0.7, **ALONG),
                        statement="As P grows the mass of the rarest mode approaches its limit like 1/P.",
                        control=Control("distance to equal masses", variable="equal_size")),
        sampled_law.claim(regime="line", variable="finite_gap", where={"case": "line", "n_particles": 20},
                          test=Inside(-0.02, 0.02),
                          statement="On the line twenty sampled particles give the rarest mode its exact mass.",
                          control=Control("the mass of three particles", variable="simplex_gap")),
        sampled_law.claim(regime="plane", variable="gap", where={"case": "plane", "n_particles": 20},
                          test=Inside(-0.03, 0.03),
                          statement="In the plane twenty particles give the rarest mode its mass in the mixture.",
                          control=Control("d + 1 = 3 particles, a rigid simplex", where={"n_particles": 3})),
        sampled_law.claim(regime="plane, every P", variable="gap", profile="standard",
                          where={"case": "plane", "n_particles": [10, 20, 60, 120]}, test=Inside(-0.03, 0.03),
                          statement="In the plane 10 to 120 particles give the rarest mode its mass in the mixture.",
                          control=Control("d + 1 = 3 particles", where={"n_particles": 3})),
    ],
)  # fmt: skip
