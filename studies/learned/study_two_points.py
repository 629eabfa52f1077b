"""Two points +-1 on a line: a smoothed score and a wider kernel are one curve, a smoothed density is another."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import erf, ndtri

from unifiedscore.learned import DensitySmoothedDenoiser, ScoreSmoothedDenoiser, WiderKernelDenoiser, fit_family
from unifiedscore.study import Control, Grid, Inside, Limit, Study, Theorem, Variable, known

TWO = np.array([[-1.0], [1.0]])
LEVELS = [0.2, 0.1, 0.05, 0.025]
WIDTHS = [1.0, 2.0, 4.0]  # of the queries, in smoothings
SIGMA, TAU, STEP = 1.0, 0.5, 1e-3
QUANTILES = ndtri((np.arange(1000) + 0.5) / 1000)[:, None]


def slope(denoiser):
    """At the midpoint; the function is odd, and the error of the difference is of order four."""
    near, far = denoiser(np.array([[STEP], [2 * STEP]]))[:, 0]
    return (8 * near - far) / (6 * STEP)


def best_tanh(width):
    """Share and argument of the tanh nearest to the error function, by a fine sum: no denoiser is involved."""
    x = width * QUANTILES[:, 0]
    error = lambda c: np.mean((erf(x / np.sqrt(2)) - np.tanh(c * x)) ** 2)
    found = minimize_scalar(error, bounds=(0.3, 3.0), method="bounded", options={"xatol": 1e-10})
    return 1 - found.fun / np.mean((erf(x / np.sqrt(2)) - np.sign(x)) ** 2)


def measure(cell, rng):
    h, queries = cell["level"], cell["width"] * SIGMA * QUANTILES
    score = ScoreSmoothedDenoiser(TWO, h, SIGMA, noise="population")
    density = DensitySmoothedDenoiser(TWO, h, TAU)
    wider = WiderKernelDenoiser(TWO, h, np.sqrt(SIGMA / h**2 * np.sqrt(np.pi / 2)))  # the slope of the smoothed score
    share = lambda denoiser, family: fit_family(denoiser(queries), TWO, family=family, level=h, queries=queries).share
    of_score, of_density = share(score, "kernel"), share(density, "kernel")
    oracle = best_tanh(cell["width"])
    # Fits stop at 1e-4 of their bracket; steps of the difference and the noise integral of a smoothed field at 1e-10.
    shares = {"kernel_share": of_score, "kernel_share_density": of_density, "density_share": share(score, "density")}
    slopes = {
        "score_slope": slope(score) * SIGMA * np.sqrt(np.pi / 2),
        "score_slope_density": slope(density) * SIGMA * np.sqrt(np.pi / 2),
        "density_slope": slope(density),
        "density_slope_wider": slope(wider),
    }
    gaps = {"route": of_score - oracle, "route_density": of_density - oracle}
    return known(shares, 1e-5) | known(slopes, 1e-7) | known(gaps, 1e-5)


def skip(cell):
    if cell["width"] != WIDTHS[0] and cell["level"] != LEVELS[-1]:
        return "other widths of the queries are measured at the smallest noise alone"
    return ""


FINE = {"level": LEVELS[-1]}
HERE = "derived here"
points = Theorem("learned.two_points", source=HERE, evidence="quadrature")
study = Study(
    name="learned_two_points", title="Descriptions of a denoiser of two points",
    grid=Grid(level=LEVELS, width=WIDTHS, skip=skip), measure=measure,
    variables={
        "kernel_share": Variable("Share of the score-smoothed denoiser that a wider kernel explains", symbol="R_c"),
        "kernel_share_density": Variable("Share of the density-smoothed denoiser that a wider kernel explains"),
        "density_share": Variable("Share of the score-smoothed denoiser that a smoothed density explains",
                                  symbol="R_kde"),
        "score_slope": Variable("Slope of the score-smoothed denoiser at the midpoint over sqrt(2/pi)/sigma"),
        "score_slope_density": Variable("Slope of the density-smoothed denoiser over sqrt(2/pi)/sigma"),
        "density_slope": Variable("Slope of the density-smoothed denoiser at the midpoint"),
        "density_slope_wider": Variable("Slope at the midpoint of the kernel that is widest to scale"),
        "route": Variable("Share of a wider kernel minus that of the best tanh of an error function"),
        "route_density": Variable("Share of a wider kernel, smoothed density, minus that of the best tanh"),
    },
    claims=[
        points.claim(regime="undecidable", variable="kernel_share", where=FINE, test=Inside(0.998, 1.0),
                     statement="For two points, small noise and sigma = half their distance a wider kernel explains "
                               "more than 99.8 % of the score-smoothed denoiser, queries N(0, sigma^2 ... 16 sigma^2).",
                     control=Control("the density-smoothed denoiser through the same fit",
                                     variable="kernel_share_density")),
        points.claim(regime="wider kernel by hand", variable="route", where=FINE, test=Inside(-1e-3, 1e-3),
                     statement="The share that a wider kernel explains of the score-smoothed denoiser of two points is "
                               "that of the best tanh of an error function.",
                     control=Control("the density-smoothed denoiser", variable="route_density")),
        points.claim(regime="score", variable="score_slope", where={**FINE, "width": 1.0},
                     test=Inside(0.999, 1.001),
                     statement="At noise h = a/40 the score-smoothed denoiser of +-a has the slope (a/sigma) "
                               "sqrt(2/pi) at the midpoint, within a thousandth.",
                     control=Control("the density-smoothed denoiser", variable="score_slope_density")),
        points.claim(regime="density copies", variable="density_slope", where={"width": 1.0},
                     test=Limit(0.95, 1.05, along="level", order=-2),
                     statement="As the noise falls the density-smoothed denoiser of two points copies its argument: "
                               "its slope at the midpoint is 1.",
                     control=Control("a wider kernel with the slope of the smoothed score",
                                     variable="density_slope_wider")),
    ],
)  # fmt: skip
