"""The lean adjoint grows by the one-sided constant of the base drift, whose two-sided one has no integral on [0, 1].

Two modes at +-R e in a random direction e, variance nu^2 each, rectified flow. There the largest eigenvalue of grad b
over all x is known, lambda_+(t) = kappa - 2 eta / Gamma + 2 eta (alpha R / Gamma)^2, attained on the plane between the
modes; it is written out here from the schedule alone, and the drift's Jacobians come from the package.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.processes.simulate import Paths
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable, two_rules

RADIUS, VARIANCE, CUTOFF = 1.5, 0.36, 1e-6
TIMES = np.linspace(0.02, 1, 201)


def largest_eigenvalue(t, radius=RADIUS):
    """lambda_+(t) by hand: alpha = t, beta = 1 - t, kappa = 1/t, eta = (1 - t)/t."""
    spread = t**2 * VARIANCE + (1 - t) ** 2
    return 1 / t + 2 * (1 - t) / t * ((t * radius / spread) ** 2 - 1 / spread)


def growth(radius=RADIUS):
    """exp of the integral of lambda_+ from each time to 1, by the same left-point rule as the adjoint's."""
    terms = np.diff(TIMES) * largest_eigenvalue(TIMES[:-1], radius)
    return np.exp(np.append(np.cumsum(terms[::-1])[::-1], 0.0))


def process_of(direction, linear):
    modes = us.GaussianMixture(RADIUS * np.stack([direction, -direction]), VARIANCE)
    return us.TiltedProcess(modes, us.QuadraticReward(linear), "rectified_flow")


def norms(process, trajectory):
    """|a(t)| / |a(1)| along given paths."""
    steps, n, _ = trajectory.shape
    paths = Paths(TIMES[:steps], trajectory[-1], np.zeros(n), trajectory)
    adjoint = np.linalg.norm(us.lean_adjoint(process, paths), axis=2)
    return adjoint / adjoint[-1]


def exponents(process, order):
    """The largest over t of the integrals from t to 1 of the one-sided and of the two-sided constant."""
    # Over all x the Jacobian's largest eigenvalue is that between the modes, its smallest that far away.
    extremes = np.stack([np.zeros(process.dimension), 200 * process.base.means[0]])
    nodes, weights = np.polynomial.legendre.leggauss(order)
    edges = np.log(np.concatenate([np.geomspace(CUTOFF, 0.1, 6), np.linspace(0.15, 1, 18)]))
    half = np.diff(edges)[:, None] / 2
    times = np.exp(edges[:-1, None] + half * (1 + nodes))
    values = [np.linalg.eigvalsh(process.drift_jacobian(extremes, t)) for t in times.ravel()]
    for constant in (np.max(values, axis=(1, 2)), np.abs(values).max(axis=(1, 2))):
        pieces = (half * weights * times * constant.reshape(times.shape)).sum(1)
        yield np.cumsum(pieces[::-1]).max()  # pieces that end in 1, one more each time


def measure(cell, rng):
    d = cell["dimension"]
    direction = rng.standard_normal(d)
    direction /= np.linalg.norm(direction)
    process = process_of(direction, rng.standard_normal(d))
    run = us.simulate(process, 64, rng, times=TIMES, keep=True, start="tilted")
    ratios = norms(process, run.trajectory)
    between = process_of(direction, direction)
    plane = np.zeros((len(TIMES), 1, d))
    beside = plane + 0.1 * TIMES[:, None, None] * direction
    values = {
        "worst": (ratios / growth()[:, None])[:-1].max(),
        "worst_one_mode": (ratios / growth(0.0)[:, None])[:-1].max(),
        "between": (norms(between, plane)[:, 0] / growth()).min(),
        "beside": (norms(between, beside)[:, 0] / growth()).min(),
        "rounding": 1e-11,
    }
    names = ("one_sided", "two_sided")
    coarse, fine = (dict(zip(names, exponents(process, order), strict=True)) for order in (6, 8))
    values["one_sided_share"] = fine["one_sided"] * VARIANCE / RADIUS**2
    return values | two_rules(coarse, fine, rounding=1e-9)


onesided = Theorem("tilting.adjoint_onesided", source="derived here", evidence="quadrature")
study = Study(
    name="tilting_adjoint_onesided", title="The lean adjoint and the one-sided constant of the base drift",
    grid=Grid(dimension=[1, 2, 8]), measure=measure,
    variables={
        "worst": Variable("Largest |a| over the one-sided bound before the end, along paths", error="rounding"),
        "worst_one_mode": Variable("Largest |a| over the one-sided bound of a single mode before the end, along paths",
                                   error="rounding"),
        "between": Variable("Smallest |a| over the one-sided bound on the plane between the modes", error="rounding"),
        "beside": Variable("Smallest |a| over the one-sided bound on a path beside the plane between the modes",
                           error="rounding"),
        "one_sided": Variable("Largest integral of the one-sided constant", error="one_sided_error"),
        "one_sided_share": Variable("Largest integral of the one-sided constant over R^2/nu^2"),
        "two_sided": Variable("Largest integral of the two-sided constant", error="two_sided_error"),
    },
    claims=[
        onesided.claim(regime="bound", variable="worst", test=Inside(0.0, 1 + 1e-9), sharpness="worst",
                       statement="The lean adjoint obeys |a(t)| <= exp(int_t^1 lambda_+) |grad r|, lambda_+ the "
                                 "largest eigenvalue of grad b over all x.",
                       control=Control("lambda_+ of a single mode", variable="worst_one_mode")),
        onesided.claim(regime="attained", variable="between", test=Inside(1 - 1e-9, 1 + 1e-9),
                       statement="The one-sided bound is attained at every time by the path that stays between the "
                                 "modes.",
                       control=Control("a path beside the plane between them", variable="beside")),
        onesided.claim(regime="finite", variable="one_sided", test=Inside(-np.inf, RADIUS**2 / VARIANCE),
                       sharpness="one_sided_share",
                       statement="The integral of lambda_+ over (t, 1) stays below R^2/nu^2 down to t = 1e-6 in d = "
                                 "1, 2, 8.",
                       control=Control("the two-sided constant |grad b|, like 1/t at 0", variable="two_sided")),
    ],
)  # fmt: skip
