"""Far field: at high noise every denoiser is the Gaussian one, up to 1/h, or 1/h^2 where third cumulants vanish."""

import numpy as np

import unifiedscore as us
from unifiedscore.learned import GaussianDenoiser
from unifiedscore.study import Control, Grid, Rate, Study, Theorem, Variable, two_rules

TURN = np.array([[0.8, -0.6], [0.6, 0.8]])
EVEN = np.array([[-1.0, -0.5], [1.0, 0.5], [0.4, -1.2], [-0.4, 1.2]])
SKEW = np.array([[-1.0, 0.2], [1.0, -0.7], [0.3, 1.1]])
LAWS = {
    "two_equal": us.Samples([[-1.0], [1.0]]),
    "two_unequal": us.Samples([[-1.0], [1.0]], [0.2, 0.8]),
    "even": us.Samples(EVEN @ TURN),
    "skew": us.Samples(SKEW, [0.5, 0.2, 0.3]),
}
# What a control measures instead: a law whose third cumulants do not vanish.
SIBLING = {"two_equal": "two_unequal", "even": "skew"}


def ratio(law, level, order):
    """sqrt(E|D - D_lin|^2 / E|D_lin - mean|^2) over the noised law, by Gauss-Hermite nodes at every point."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    grid = np.stack(np.meshgrid(*[nodes] * law.dimension, indexing="ij"), axis=-1).reshape(-1, law.dimension)
    mass = np.prod(np.meshgrid(*[weights / weights.sum()] * law.dimension, indexing="ij"), axis=0).ravel()
    x = (law.points[:, None] + level * grid).reshape(-1, law.dimension)
    w = np.outer(law.weights, mass).ravel()
    exact, linear = us.Barycenter(us.Gaussian(level), law)(x), GaussianDenoiser(law, level)(x)
    square = lambda gap: w @ np.einsum("nd,nd->n", gap, gap)
    return np.sqrt(square(exact - linear) / square(exact - law.mean))


def measure(cell, rng):
    law, level = LAWS[cell["law"]], cell["level"]
    other = LAWS[SIBLING.get(cell["law"], cell["law"])]
    orders = (40, 60) if law.dimension == 1 else (16, 24)
    rules = [{"gap": ratio(law, level, n), "gap_skew": ratio(other, level, n)} for n in orders]
    return two_rules(*rules, rounding=1e-11)


def rate(slope):
    return Rate(slope - 0.05, slope + 0.05, along="level")


far = Theorem("learned.far_field", source="Wang, Vastola 2024, arXiv 2412.09726; rates derived here",
              evidence="quadrature", variable="gap")  # fmt: skip
SYMMETRIC, GENERAL = {"law": list(SIBLING)}, {"law": ["two_unequal", "skew"]}
study = Study(
    name="learned_far_field", title="Denoisers at high noise against the Gaussian denoiser",
    grid=Grid(law=list(LAWS), level=[8.0, 16.0, 32.0, 64.0, 128.0]), measure=measure,
    variables={
        "gap": Variable("Root mean square of D - D_lin over that of D - mean"),
        "gap_skew": Variable("Root mean square of D - D_lin over that of D - mean, for a law with third cumulants"),
    },
    claims=[
        far.claim(regime="general", where=GENERAL, test=rate(-1),
                  statement="For a law with third cumulants, on a line and in the plane, the denoiser differs from the "
                            "Gaussian denoiser by 1/h of its own size at high noise h.",
                  control=Control("laws whose third cumulants vanish", where=SYMMETRIC)),
        far.claim(regime="symmetric", where=SYMMETRIC, test=rate(-2),
                  statement="For a law whose third cumulants vanish, on a line and in the plane, the denoiser differs "
                            "from the Gaussian denoiser by 1/h^2 of its own size at high noise h.",
                  control=Control("a law with third cumulants", variable="gap_skew")),
    ],
)  # fmt: skip
