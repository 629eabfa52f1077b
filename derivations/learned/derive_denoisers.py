"""Denoisers: the linear minimiser and its flow, preconditioning, smoothed densities, blends, the steps of a sampler."""

from itertools import pairwise

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.learned import (
    DensitySmoothedDenoiser,
    GaussianDenoiser,
    Preconditioning,
    gaussian_sampling_gain,
    hybrid_weight,
    loss_weight,
)
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
T, U = sp.symbols("t u", positive=True)
H, S, TAU, A = sp.symbols("h s tau a", positive=True)
X, F, Y, Z, THETA, START = sp.symbols("x f y z theta theta_0", real=True)
NOISY = T**2 * S**2 + (1 - T) ** 2  # n^2: variance of a coordinate of x_t


def linear_gaps(rate=2, minimiser=T * S**2 / NOISY):
    """In an eigenvector of the covariance, of variance s^2: stationary point, excess and gradient flow."""
    loss = THETA**2 * NOISY - 2 * T * THETA * S**2 + S**2
    flow = minimiser + (START - minimiser) * sp.exp(-rate * NOISY * U)
    return sp.Matrix(
        [
            sp.simplify(sp.diff(loss, THETA).subs(THETA, minimiser)),
            sp.simplify(loss - loss.subs(THETA, minimiser) - (THETA - minimiser) ** 2 * NOISY),
            sp.simplify(sp.diff(flow, U) + sp.diff(loss, THETA).subs(THETA, flow)),
        ]
    )


def agree_linear(rng):
    b = rng.normal(size=(2, 2))
    covariance, t = b @ b.T + 0.2 * np.eye(2), float(rng.uniform(0.1, 0.9))
    values, vectors = np.linalg.eigh(covariance)
    map_ = sp.lambdify((T, S), T * S**2 / NOISY)
    expected = (vectors * map_(t, np.sqrt(values))) @ vectors.T
    got = GaussianDenoiser(us.GaussianMixture([[0.0, 0.0]], covariance), (1 - t) / t)(np.eye(2)).T / t
    return float(np.abs(got - expected).max() / (EPS * 10 * np.abs(expected).max()))


DENOISER = T * S**2 / NOISY * X + (1 - T) * S / sp.sqrt(NOISY) * F
VELOCITY = S / sp.sqrt(NOISY) * F - ((1 - T) - T * S**2) / NOISY * X
SCORE = -X / NOISY + T * S / ((1 - T) * sp.sqrt(NOISY)) * F


def precondition_gaps(swap=False):
    """Velocity and score from the denoiser, and the variance of the target of F for data N(0, s^2)."""
    velocity = VELOCITY.subs(T, 1 - T) if swap else VELOCITY
    target = sp.solve(sp.Eq(DENOISER.subs(X, T * Y + (1 - T) * Z), Y), F)[0]
    on_data, on_noise = sp.diff(target, Y), sp.diff(target, Z)
    return sp.Matrix(
        [
            sp.cancel(sp.expand(velocity - (DENOISER - X) / (1 - T))),
            sp.cancel(sp.expand(SCORE - (T * DENOISER - X) / (1 - T) ** 2)),
            sp.cancel(sp.expand(on_data**2 * S**2 + on_noise**2 - 1)),
        ]
    )


def agree_precondition(rng):
    t, s, x, f = float(rng.uniform(0.1, 0.9)), 0.5 + rng.random(), *rng.normal(size=2)
    at, worst = Preconditioning(t, scale=s), 0.0
    for expression, method in ((DENOISER, at.denoiser), (VELOCITY, at.velocity), (SCORE, at.score)):
        expected = float(expression.subs({T: t, S: s, X: x, F: f}))
        worst = max(worst, abs(method([[x]], [[f]])[0, 0] - expected) / (abs(expected) + 10 / (1 - t) ** 2))
    return worst / EPS


def smoothed_points(width):
    """Density, up to a factor, of two points -a and a of unequal masses convolved with a Gaussian."""
    return sum(m * sp.exp(-((X - c) ** 2) / (2 * width)) for m, c in ((2, -A), (3, A)))


def density_gap(width=H**2 + TAU**2):
    """Tweedie's formula at noise h for the density smoothed by tau, against the closed form."""
    tweedie = X + H**2 * sp.diff(sp.log(smoothed_points(H**2 + TAU**2)), X)
    center = X + width * sp.diff(sp.log(smoothed_points(width)), X)
    return sp.cancel(tweedie - (TAU**2 * X + H**2 * center) / (H**2 + TAU**2))


def agree_density(rng):
    h, tau, a, x = *(0.5 + rng.random(3)), rng.normal()
    expression = X + H**2 * sp.diff(sp.log(smoothed_points(H**2 + TAU**2)), X)
    expected = float(expression.subs({H: h, TAU: tau, A: a, X: x}))
    got = DensitySmoothedDenoiser(us.Samples([[-a], [a]], [0.4, 0.6]), h, tau)([[x]])[0, 0]
    return abs(got - expected) / (EPS * 10 * (1 + abs(x) + a))


def blend_gaps(sign=1):
    """The parabola of the blend of two linear denoisers b x and c x + d against truth g x, E x = 0, E x^2 = 1."""
    b, c, d, g, weight = sp.symbols("b c d g lambda", real=True)
    error = (weight * b + (1 - weight) * c - g) ** 2 + ((1 - weight) * d) ** 2
    best = ((c - g) * (c - b) + sign * d**2) / ((c - b) ** 2 + d**2)
    return sp.simplify(sp.diff(error, weight).subs(weight, best))


def agree_blend(rng):
    x = np.array([[-1.0], [1.0]])
    b, c, d, g = rng.normal(size=4)
    expected = ((c - g) * (c - b) + d**2) / ((c - b) ** 2 + d**2)
    got = hybrid_weight(b * x, c * x + d, g * x).weight
    return abs(got - expected) / (EPS * 10 * (1 + abs(expected)) * (1 + 1 / ((c - b) ** 2 + d**2)))


def weight_gaps(power=1):
    """Losses in time as weights over log h: |dt/d log h| times what each makes of a unit error of the denoiser."""
    level = (1 - T) / T
    rate = -1 / sp.diff(sp.log(level), T)
    return sp.Matrix(
        [
            sp.simplify(rate / (1 - T) ** 2 - level**-power),
            sp.simplify(rate * (1 - T) / T * (T / (1 - T) ** 2) ** 2 - level**-2),
        ]
    )


def agree_weight(rng):
    h = float(np.exp(rng.normal()))
    return max(abs(loss_weight("flow_matching", h) * h - 1), abs(loss_weight("kl", h) * h**2 - 1)) / EPS


def step_gaps(last=1):
    """One DDIM step on N(0, s^2), and the part of the last one that steps cannot mend, to second order in h."""
    after = sp.Symbol("h_1", positive=True)
    denoised = S**2 / (S**2 + H**2) * X
    step = denoised + after / H * (X - denoised)
    factor = 1 + (after - H) * H / (H**2 + S**2)
    flow = S / sp.sqrt(H**2 + S**2)
    rest = sp.series(factor.subs(after, 0) / flow, H, 0, 3).removeO()
    return sp.Matrix([sp.simplify(step - factor * X), sp.simplify(rest - 1 + last * H**2 / (2 * S**2))])


def agree_step(rng):
    levels, s = np.array([3.0, 1.0, 0.3, 0.0]), 0.5 + rng.random()
    x = np.hypot(3.0, s)
    for h, after in pairwise(levels):
        denoised = s**2 / (s**2 + h**2) * x
        x = denoised + after / h * (x - denoised)
    return abs(gaussian_sampling_gain(levels, scale=s, scheme="ddim") - x / s) / (EPS * 10)


HERE = "derived here"
derivations = [
    Derivation(
        claim="learned.linear_minimiser",
        residual=linear_gaps,
        control=lambda: linear_gaps(rate=1)[2],
        agrees=agree_linear,
        mutation="half the rate of decay",
        statement="Along an eigenvector of the covariance, of variance s^2, the linear minimiser of the denoising loss "
        "is t s^2/C, C = t^2 s^2 + (1-t)^2, the excess C (theta - theta_t)^2 and gradient flow decays as exp(-2 C u).",
        source=HERE,
    ),
    Derivation(
        claim="learned.preconditioning",
        residual=precondition_gaps,
        control=lambda: precondition_gaps(swap=True)[0],
        agrees=agree_precondition,
        mutation="t and 1 - t exchanged in the velocity",
        statement="The coefficients of velocity and score follow from those of the denoiser, and for data N(0, s^2) "
        "the target of the network has variance 1 at every t.",
        source="Karras et al. 2022, arXiv 2206.00364, in the time of closed-form diffusion",
    ),
    Derivation(
        claim="learned.density_smoothed",
        residual=density_gap,
        control=lambda: density_gap(width=H**2),
        agrees=agree_density,
        mutation="the empirical denoiser at h in place of sqrt(h^2 + tau^2)",
        statement="The exact denoiser at noise h of two points convolved with N(0, tau^2) is (tau^2 x + h^2 Dhat)/(h^2 "
        "+ tau^2), Dhat the empirical denoiser at sqrt(h^2 + tau^2).",
        source=HERE,
    ),
    Derivation(
        claim="learned.hybrid",
        residual=blend_gaps,
        control=lambda: blend_gaps(sign=-1),
        agrees=agree_blend,
        mutation="the offset enters with the other sign",
        statement="The error of a blend of two linear denoisers is stationary at E<D_2 - D*, D_2 - D_1>/E|D_2 - "
        "D_1|^2.",
        source=HERE,
    ),
    Derivation(
        claim="learned.loss_weights",
        residual=weight_gaps,
        control=lambda: weight_gaps(power=2)[0],
        agrees=agree_weight,
        mutation="1/h^2 for flow matching",
        statement="Flow matching and the KL-weighted score are the squared error of the denoiser with the weights 1/h "
        "and 1/h^2 over log h.",
        source=HERE,
    ),
    Derivation(
        claim="learned.sampling_bias",
        residual=step_gaps,
        control=lambda: step_gaps(last=2)[1],
        agrees=agree_step,
        mutation="twice the bias of the last step",
        statement="A DDIM step multiplies N(0, s^2) by 1 + (h' - h) h/(h^2 + s^2); the last one, to 0, falls short of "
        "the flow by h^2/(2 s^2) of the deviation.",
        source=HERE,
    ),
]
