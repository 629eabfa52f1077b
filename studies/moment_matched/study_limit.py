"""Many particles: the one-particle law against the tilted Gibbs law, its rate and coefficient, without sampling.

One dimension, V = .2 y^3 + .25 y^4 - .8 cos 2y in standardised coordinates. The law of P particles is that of P draws
conditioned on mean and variance: a quotient of Fourier integrals gives it for every P.
"""

from functools import cache

import numpy as np

import unifiedscore as us
from unifiedscore import references
from unifiedscore.references.finite_particles import finite_averages
from unifiedscore.study import Claim, Control, Grid, Inside, Limit, Rate, Study, Variable, known

POTENTIAL = lambda y: 0.2 * y**3 + 0.25 * y**4 - 0.8 * np.cos(2 * y)
STATISTICS = {"fourth": lambda y: y**4, "cosine": lambda y: np.cos(2 * y), "third": lambda y: y**3}
FUNCTIONS = [lambda y: y**2, *STATISTICS.values()]
POSITIONS = np.linspace(-2.8, 2.8, 57)
BUMPS = [lambda y, c=c: np.exp(-0.5 * ((y - c) / 0.1) ** 2) / (0.1 * np.sqrt(2 * np.pi)) for c in POSITIONS]


FOUR, DELTA = np.array([[-1.2], [0.1], [1.7], [2.0]]), 0.3
SPREAD = float(np.sqrt(FOUR.var() + DELTA**2))
DATA_THIRD = float(((FOUR - FOUR.mean()) ** 3).mean()) / SPREAD**3


@cache
def smoothed_law(s):
    """The tilted law of four data points smoothed by s, in standardised coordinates."""
    score = us.SmoothedScore(FOUR, DELTA, s, noise="population")
    potential = lambda y: -score.potential(FOUR.mean() + SPREAD * np.ravel(y)[:, None]).reshape(np.shape(y))
    return references.line_law(potential, mesh=0.03)


def third_gaps(p):
    """Third moment of one of P particles minus that of the data, with smoothing 1 and without, and its error."""
    functions = [lambda y: y**2, lambda y: y**3]
    found = {}
    for name, s in (("data_gap", 1.0), ("data_gap_sharp", 0.0)):
        fine, coarse = (finite_averages(smoothed_law(s), functions, p, nodes=n) for n in (160, 120))
        found[name] = known(fine[1] - DATA_THIRD, abs(fine[1] - coarse[1]) + abs(fine[0] - 1) + 1e-10)
    return found


def on_the_sphere(gaussian, p):
    """Gap of E y^4 of one of P Gaussian particles, uniform on a sphere in P - 1 dimensions, to 3 (P-1)/(P+1)."""
    fine, coarse = (finite_averages(gaussian, FUNCTIONS[:2], p, nodes=n)[1] for n in (160, 120))
    gaps = {"sphere": fine - 3 * (p - 1) / (p + 1), "sphere_more": fine - 3 * p / (p + 2)}
    return known(gaps, abs(fine - coarse) + 1e-10)


def measure(cell, rng):
    p = cell["n_particles"]
    law, gaussian = references.line_law(POTENTIAL, mesh=0.03), references.line_law(lambda y: 0.5 * y**2, mesh=0.03)
    fine, coarse = (finite_averages(law, FUNCTIONS, p, nodes=n) for n in (160, 120))
    # The second moment is exactly 1: its error is the accuracy of the quotient.
    found, noise = {}, np.abs(fine - coarse) + abs(fine[0] - 1) + 1e-10
    for (name, f), value, error in zip(STATISTICS.items(), fine[1:], noise[1:], strict=True):
        limit, untilted = law.average(f), law.untilted_average(f)
        coefficient, other = references.finite_coefficient(law, f), references.finite_coefficient(gaussian, f)
        wrong = other if abs(other) > 1e-6 else np.inf
        values = {name: value, f"{name}_gap": abs(value - limit), f"{name}_signed": value - limit,
                  f"{name}_second": abs(value - limit - coefficient / p),
                  f"{name}_untilted": value - untilted}  # fmt: skip
        found |= known(values, error) | {
            f"{name}_ratio": known(p * (value - limit) / coefficient, p * error / abs(coefficient)),
            f"{name}_normal": known(p * (value - limit) / wrong, p * error / abs(wrong)),
        }
    density = np.stack([
        finite_averages(law, BUMPS, p, nodes=120), [law.average(f) for f in BUMPS],
        [references.finite_coefficient(law, f) for f in BUMPS],
    ])  # fmt: skip
    distance, plane, growing = (references.total_variation(p, d) for d in (1, 2, p // 10))
    return (
        found
        | third_gaps(p)
        | on_the_sphere(gaussian, p)
        | {
            "density": density,
            "distance": known(distance, 1e-9),
            "distance_growing": known(growing, 1e-9),
            "distance_scaled": known((p - 1) * distance, 1e-9 * p),
            "distance_scaled_plane": known((p - 1) * plane, 1e-9 * p),
            "newton": known(float(len(law.residuals) - 1), 0.0),
            "newton_residual": known(law.residuals[-1], 0.0),
            "first_residual": known(law.residuals[0], 0.0),
        }
    )


PAPER, DERIVED = "Yao and Paulin 2026, arXiv 2605.14276", "derived here; the paper's own rate is unknown"
ALONG = {"along": "n_particles"}
NAMES = {"fourth": "E y^4", "cosine": "E cos 2y", "third": "E y^3"}


SUFFIXES = {
    "": " of one particle", "_gap": ", distance of one particle to the tilted law",
    "_signed": " of one particle minus that of the tilted law",
    "_second": ", distance of one particle to the tilted law with the coefficient over P",
    "_untilted": " of one particle minus that of the law without tilt",
    "_ratio": ": P (E_P - E) over the coefficient", "_normal": ": P (E_P - E) over the Gaussian coefficient",
}  # fmt: skip


def coefficient(name):
    return Claim("moment_matched.large_p_coefficient",
                 f"P times the deviation of {NAMES[name]} from its limit tends to the explicit coefficient.",
                 DERIVED, "quadrature", f"{name}_ratio", Limit(0.99, 1.01, order=1, **ALONG), regime=name,
                 control=Control("the coefficient of a Gaussian law", variable=f"{name}_normal"))  # fmt: skip


def rate(name):
    return Claim("moment_matched.large_p_rate",
                 f"{NAMES[name]} of one of P particles on the line approaches its limit like 1/P.",
                 DERIVED, "quadrature", f"{name}_gap", Rate(-1.1, -0.9, **ALONG), regime=name,
                 control=Control("the coefficient over P subtracted", variable=f"{name}_second"))  # fmt: skip


def limit(name):
    return Claim("moment_matched.large_p_limit",
                 f"{NAMES[name]} of one particle tends to that of the tilted Gibbs law.",
                 PAPER, "quadrature", f"{name}_signed", Limit(-1e-3, 1e-3, order=1, **ALONG), regime=name,
                 control=Control("the law without tilt", variable=f"{name}_untilted"))  # fmt: skip


study = Study(
    name="moment_matched_limit",
    title="Moment-matched particles tend to the tilted Gibbs law: limit, rate and coefficient",
    grid=Grid(n_particles=[20, 40, 80, 160, 320]), measure=measure,
    variables={
        **{f"{name}{suffix}": Variable(words + more) for name, words in NAMES.items()
           for suffix, more in SUFFIXES.items()},
        "density": Variable("Densities of one particle and its limit", dims=("curve", "position"),
                            coords={"curve": ["particle", "limit", "coefficient"], "position": POSITIONS.tolist()}),
        "distance": Variable("Total variation to a normal law for V = 0 on the line", symbol="TV"),
        "distance_growing": Variable("Total variation to a normal law for V = 0 in P/10 dimensions"),
        "distance_scaled": Variable("P - 1 times the total variation to a normal law for V = 0 on the line"),
        "distance_scaled_plane": Variable("P - 1 times the total variation to a normal law for V = 0 in the plane"),
        "data_gap": Variable("Third moment of one particle minus that of four data points, smoothing 1"),
        "data_gap_sharp": Variable("Third moment of one particle minus that of four data points, without smoothing"),
        "sphere": Variable("E y^4 of one of P Gaussian particles minus 3 (P-1)/(P+1)"),
        "sphere_more": Variable("E y^4 of one of P Gaussian particles minus 3 P/(P+2), that of one particle more"),
        "newton": Variable("Newton iterations of the tilt"),
        "newton_residual": Variable("Moment error of the tilt"),
        "first_residual": Variable("Moment error before the first iteration"),
    },
    claims=[
        *map(coefficient, ("fourth", "cosine")), *map(rate, ("fourth", "cosine")), *map(limit, NAMES),
        Claim("moment_matched.gaussian_limit_rate",
              "For V = 0 on the line the total variation of one particle to a normal law is O(1/P).",
              "derived here", "quadrature", "distance", Rate(-1.08, -0.92, **ALONG),
              control=Control("the dimension grows like P/10", variable="distance_growing")),
        Claim("moment_matched.gaussian_limit_rate",
              "For V = 0 on the line P - 1 times the total variation of one particle to a normal law tends to .35.",
              "derived here", "quadrature", "distance_scaled", Limit(0.3431, 0.3571, order=1, **ALONG),
              regime="constant", control=Control("the plane", variable="distance_scaled_plane")),
        Claim("moment_matched.finite_particles",
              "For V = 0 on the line E y^4 of one of P particles with exact mean and variance is 3 (P-1)/(P+1), P = 20 "
              "... 320.",
              "derived here: the particles lie uniformly on a sphere", "quadrature", "sphere", Inside(-1e-5, 1e-5),
              control=Control("one particle more", variable="sphere_more")),
        Claim("moment_matched.third_moments_free",
              "At smoothing 1 the third moment of one of P particles for four points on the line tends to a value that "
              "lies .061 (standardised) from the third moment of the data: more particles do not match it.",
              "derived here", "quadrature", "data_gap", Limit(0.05, np.inf, order=1, **ALONG), regime="no decay in P",
              control=Control("no smoothing: the limit is the kernel density", variable="data_gap_sharp")),
        Claim("moment_matched.dual_convex_newton",
              "Damped Newton for the tilt, begun at 0, reaches a moment error of 1e-11.",
              "derived here", "quadrature", "newton_residual", Inside(-1e-11, 1e-11),
              control=Control("before the first step", variable="first_residual")),
    ],
)  # fmt: skip
