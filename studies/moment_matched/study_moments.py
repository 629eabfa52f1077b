"""Third and fourth moments across dimension and particle number, for a law that is not uniform.

V depends on one standardised coordinate alone: V = .2 y^3 + .25 y^4 - .8 cos 2y of y_1. Given the first column of Y the
others are uniform on a smaller Stiefel manifold, so that the first coordinate has the law of P particles on the line in
every dimension (a quotient of Fourier integrals), and with F = E y_1^4

    E y_1^2 y_2^2 = P/(P - 2) (1 - 1/P - F/P),  E y_2^4 = 3P/(P - 2) ((1 - 1/P)^2 - 2(1 - 1/P)/P + F/P^2).

A quadratic in all coordinates is added: it must drop out. The factor L is a full triangle, so that pull-back matters.
"""

import numpy as np

import unifiedscore as us
from unifiedscore import references
from unifiedscore.references.finite_particles import finite_averages
from unifiedscore.samplers import ManifoldChain
from unifiedscore.study import Control, Grid, Hypothesis, Inside, Study, Theorem, Variable

SHAPES = [(12, 3), (12, 2), (24, 6), (48, 3), (48, 12), (96, 3)]
PARTICLES, STEP, TIME = 3600, 0.03, 4.0
POTENTIAL = lambda y: 0.2 * y**3 + 0.25 * y**4 - 0.8 * np.cos(2 * y)
SLOPE = lambda y: 0.6 * y**2 + y**3 + 1.6 * np.sin(2 * y)


def predicted(p):
    """E y_1^3, E y_1^4, E y_1^2 y_2^2, E y_2^4 at P particles, and E y_1^3, E y_1^4 of the limit law."""
    law = references.line_law(POTENTIAL, mesh=0.03)
    third, fourth = finite_averages(law, [lambda y: y**3, lambda y: y**4], p, nodes=160)
    ratio, rest = p / (p - 2), 1 - 1 / p
    mixed = ratio * (rest - fourth / p)
    other = 3 * ratio * (rest**2 - 2 * rest / p + fourth / p**2)
    return np.array([third, fourth, mixed, other])


def sampled(p, d, rng, *, potential=True):
    """The same four by independent systems, from a uniform start, and the overlap with it."""
    factor = np.tril(0.5 * rng.standard_normal((d, d)), -1) + np.diag(0.5 + rng.random(d))
    bowl = rng.standard_normal((d, d))
    bowl = 0.2 * bowl @ bowl.T
    chain = ManifoldChain(us.CenteredStiefel(p, d), STEP)
    start = chain.manifold.sample(rng, systems=(PARTICLES // p,))
    state = chain.start(start, rng)

    def force(y):
        z = y @ factor.T  # about the mean
        gradient = z @ bowl
        if potential:
            # L is a lower triangle: the first standardised coordinate is z_1/L_11.
            gradient[..., 0] += SLOPE(z[..., 0] / factor[0, 0]) / factor[0, 0]
        return gradient @ factor

    for _ in range(round(TIME / STEP)):
        state = chain.advance(state, force, rng)
    y = state.y
    first, second = y[..., 0], y[..., 1]
    values = (first**3).mean(), (first**4).mean(), (first**2 * second**2).mean(), (second**4).mean()
    return np.array(values), float((start * y).mean())


def measure(cell, rng):
    p, d = SHAPES[cell["shape"]]
    values, overlap = sampled(p, d, rng)
    wanted = predicted(p)
    gaps = dict(zip(NAMES, (values - wanted).tolist(), strict=True))
    # Fourth moments of the uniform law: 3 (P - 1)/(P + 1) and a third of it; its third moment is 0.
    uniform = references.fourth_moment(p)
    wrong = values - np.array([0.0, 3.0, 1.0, 3.0])
    return gaps | {f"{name}_normal": float(w) for name, w in zip(NAMES, wrong, strict=True)} | {
        "overlap": overlap, "exact": wanted, "found": values, "uniform": np.array([0.0, uniform, uniform / 3, uniform])
    }  # fmt: skip


NAMES = {"third": "E y_1^3", "fourth": "E y_1^4", "mixed": "E y_1^2 y_2^2", "other": "E y_2^4"}
MARGINS = {"third": 0.08, "fourth": 0.12, "mixed": 0.05, "other": 0.15}
TABLE = {"dims": ("moment",), "coords": {"moment": list(NAMES)}}


across = Theorem("moment_matched.moments_across_dimension", None, "derived here", "monte_carlo",
                 hypotheses=(Hypothesis("start forgotten", "overlap", low=-0.1, high=0.1),))  # fmt: skip


def claim(name, shapes, regime, profile):
    margin = MARGINS[name]
    return across.claim(regime=regime, variable=name, where={"shape": shapes}, test=Inside(-margin, margin),
                        profile=profile, statement=f"The chain of P particles in dimension d has the exact "
                                                   f"{NAMES[name]}.",
                        control=Control("its value for normal coordinates", variable=f"{name}_normal"))  # fmt: skip


EVERY = list(range(len(SHAPES)))
study = Study(
    name="moment_matched_moments", title="Third and fourth moments across dimension and particle number",
    grid=Grid(shape=[0], seed=range(16)), measure=measure,
    variables={
        **{name: Variable(f"{words} minus its exact value") for name, words in NAMES.items()},
        **{f"{name}_normal": Variable(f"{words} minus its normal value") for name, words in NAMES.items()},
        "overlap": Variable("Overlap of the particles with their start"),
        "exact": Variable("Exact moments of P particles", **TABLE),
        "found": Variable("Sampled moments of P particles", **TABLE),
        "uniform": Variable("Moments of uniform systems", **TABLE),
    },
    profiles={"standard": {"shape": EVERY}},
    claims=[claim(name, 0, f"{name}, P = 12, d = 3", "quick") for name in NAMES]
    + [claim(name, EVERY, f"{name}, six shapes", "standard") for name in NAMES],
)  # fmt: skip
