"""Closed-form diffusion: velocity, continuity, gradient structure and what smoothing does [arXiv 2310.12395]."""

import numpy as np
import sympy as sp
from _diffusion import POINTS, SIGMA, WEIGHTS, H, T, Z, barycenter, kernels, opaque, score, zero

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

PAPER = "Scarvelis et al. 2025, arXiv 2310.12395"
NOISE = sp.symbols("e0:2", real=True)
OTHERS = sp.symbols("u0:3", positive=True)
EPS = np.finfo(float).eps


def velocity_gap(factor=1 / T):
    """(z + h s)/t against (x_sigma - z)/h, the scores by differentiation at z + sigma e_m, the centre z restored."""
    queries = [Z + SIGMA * e for e in NOISE]
    scores = [score(q, names=names) for q, names in zip(queries, (WEIGHTS, OTHERS), strict=True)]
    smoothed = sum(scores) / 2 + SIGMA * sum(NOISE) / 2 / H**2
    center = (barycenter(WEIGHTS) + barycenter(OTHERS)) / 2
    return zero((factor * (Z + H * smoothed) - (center - Z) / H).subs(H, 1 - T))


def continuity_gap(factor=1):
    """d_t rho + d_z (rho v) with h = 1 - t."""
    masses = [k / (1 - T) for k in kernels(Z, T, 1 - T)]
    density = sum(masses)
    flux = sum(m * (x - Z) for m, x in zip(masses, POINTS, strict=True)) / (1 - T)
    return zero(opaque(sp.diff(density, T) + factor * sp.diff(flux, Z), Z, T, 1 - T))


def jacobian_gap(factor=T / H**2):
    """d x / dz by differentiation against t Var_w(x) / h^2."""
    mean = sum(k * x for k, x in zip(kernels(), POINTS, strict=True)) / sum(kernels())
    second = sum(w * x**2 for w, x in zip(WEIGHTS, POINTS, strict=True)) / sum(WEIGHTS)
    return zero(opaque(sp.diff(mean, Z)) - factor * (second - barycenter() ** 2))


def gradient_gaps(beta=H**2 / T):
    """x = dA/dz, A = beta log mean exp((x_i z - t x_i^2/2)/beta); and its weights are those of the kernel."""
    heights = [(x * Z - T * x**2 / 2) / beta for x in POINTS]
    slope = sp.diff(beta * sp.log(sum(sp.exp(a) for a in heights)), Z)
    named = slope.xreplace({sp.exp(a): w for a, w in zip(heights, WEIGHTS, strict=True)})
    logits = [-((Z - T * x) ** 2) / (2 * H**2) - a for x, a in zip(POINTS, heights, strict=True)]
    return [zero(named - barycenter()), zero(sp.expand(logits[1] - logits[0])), zero(sp.expand(logits[2] - logits[0]))]


def one_point_slopes(of_density=None):
    """One point at 0: slopes of the smoothed score and of the score of the smoothed density."""
    u = sp.Symbol("u", real=True)
    exponent = -((Z - u) ** 2) / (2 * H**2) - u**2 / (2 * SIGMA**2)
    # The integral over u of exp(quadratic) is its maximum times a constant.
    log_density = exponent.subs(u, sp.solve(sp.diff(exponent, u), u)[0])
    smoothed = sp.diff(sp.diff(-(Z**2) / (2 * H**2) - SIGMA**2 / (2 * H**2), Z), Z)
    expected = -1 / (H**2 + SIGMA**2) if of_density is None else of_density
    return [sp.simplify(smoothed + 1 / H**2), sp.simplify(sp.diff(log_density, Z, 2) - expected)]


def gaussian_gap(law=None):
    """E over e of x(z + sigma e) minus x(z), with x the posterior mean of N(m, v) by integration."""
    e, x, m = sp.symbols("e x m", real=True)
    v = sp.Symbol("v", positive=True)
    if law is None:
        exponent = -((Z - T * x) ** 2) / (2 * H**2) - (x - m) ** 2 / (2 * v)
        a = -sp.expand(exponent).coeff(x, 2)
        b = sp.expand(exponent).coeff(x, 1)
        # The mean of exp(-a x^2 + b x) is its stationary point.
        law = sp.Lambda(Z, b / (2 * a))
    density = sp.exp(-(e**2) / 2) / sp.sqrt(2 * sp.pi)
    return sp.simplify(sp.integrate(sp.expand(law(Z + SIGMA * e) - law(Z)) * density, (e, -sp.oo, sp.oo)))


def draw(rng):
    return rng.normal(size=3), rng.normal(size=(1, 1)), 0.2 + 0.6 * rng.random()


def softmax(points, z, time):
    weight = sp.lambdify([Z, T, H, *POINTS], kernels(), "numpy")
    return np.array(weight(z, time, 1 - time, *points))


def agree_velocity(rng):
    points, z, time = draw(rng)
    noise = rng.normal(size=(2, 1))
    mean = sp.lambdify([*WEIGHTS, *POINTS], barycenter(), "numpy")
    centers = [mean(*softmax(points, z[0, 0] + 0.3 * e, time), *points) for e in noise[:, 0]]
    value = (np.mean(centers) - z[0, 0]) / (1 - time)
    code = us.ClosedFormVelocity(points[:, None], time, 0.3, noise=noise)(z)[0, 0]
    return float(abs(value - code) / (EPS * (1 + abs(value) + np.abs(points).max() ** 2) / (1 - time) ** 2))


def agree_jacobian(rng):
    points, z, time = draw(rng)
    w = softmax(points, z[0, 0], time)
    w = w / w.sum()
    value = time / (1 - time) ** 2 * (w @ points**2 - (w @ points) ** 2)
    code = us.Barycenter(us.Gaussian(1 - time), points[:, None], scale=time).jacobian(z)[0, 0, 0]
    return float(abs(value - code) / (EPS * (1 + points @ points) / (1 - time) ** 3))


def agree_score(rng):
    points, z, time = draw(rng)
    value = sp.lambdify([Z, T, H, *POINTS, *WEIGHTS], score(), "numpy")
    expected = value(z[0, 0], time, 1 - time, *points, *softmax(points, z[0, 0], time))
    code = us.ClosedFormScore(points[:, None], time)(z)[0, 0]
    return float(abs(expected - code) / (EPS * (1 + abs(expected) + points @ points) / (1 - time) ** 4))


def agree_gradient(rng):
    points, z, time = draw(rng)
    beta = (1 - time) ** 2 / time
    field = us.Barycenter(us.Gaussian(1 - time), points[:, None], scale=time)
    other = z + 0.5
    formula = [
        beta * np.log(np.mean(np.exp((points * y - time * points**2 / 2) / beta))) for y in (z[0, 0], other[0, 0])
    ]
    code = field.potential(other)[0] - field.potential(z)[0]
    return float(abs(formula[1] - formula[0] - code) / (EPS * (1 + points @ points + 2 * z[0, 0] ** 2) / time))


def agree_slopes(rng):
    z, time, sigma = rng.normal(size=(1, 1)), 0.2 + 0.6 * rng.random(), 0.1 + rng.random()
    h = 1 - time
    smoothed = us.SmoothedClosedFormScore([[0.0]], time, sigma, noise="population")(z)[0, 0] + z[0, 0] / h**2
    density = us.GaussianMixture([[0.0]], h**2).smoothed(sigma**2).score(z)[0, 0] + z[0, 0] / (h**2 + sigma**2)
    return float(max(abs(smoothed), abs(density)) / (EPS * (1 + abs(z[0, 0]) + sigma) / h**2))


def agree_gaussian(rng):
    z, time = rng.normal(size=(1, 1)), 0.2 + 0.6 * rng.random()
    field = us.Barycenter(us.Gaussian(1 - time), us.GaussianMixture([[0.7]], 1.3), scale=time)
    gain = time * 1.3 / (time**2 * 1.3 + (1 - time) ** 2)
    smoothed = us.Smoothed(field, 0.4, noise="population")(z)[0, 0]
    # The quadrature behind the population field is good to 1e-13.
    return float(abs(smoothed - 0.7 - gain * (z[0, 0] - time * 0.7)) / (EPS * (10 + abs(z[0, 0])) / time))


derivations = [
    Derivation(
        claim="closed_form.velocity_identity",
        residual=velocity_gap,
        control=lambda: velocity_gap(T),
        agrees=agree_velocity,
        mutation="factor t instead of 1/t",
        statement="The velocity (z + (1-t) s)/t of the smoothed score is (x_sigma - z)/(1-t).",
        source=PAPER,
    ),
    Derivation(
        claim="closed_form.continuity",
        residual=continuity_gap,
        control=lambda: continuity_gap(T),
        agrees=agree_score,
        mutation="the velocity multiplied by t",
        statement="Without smoothing the velocity carries rho_t: d_t rho + div(rho v) = 0.",
        source=PAPER,
    ),
    Derivation(
        claim="closed_form.jacobian",
        residual=jacobian_gap,
        control=lambda: jacobian_gap(1 / H**2),
        agrees=agree_jacobian,
        mutation="the factor t dropped",
        statement="The Jacobian of the barycenter is t Cov_w(x)/(1-t)^2.",
        source="derived here",
    ),
    Derivation(
        claim="closed_form.gradient_field",
        residual=gradient_gaps,
        control=lambda: gradient_gaps(H**2 / T**2),
        agrees=agree_gradient,
        mutation="temperature (1-t)^2/t^2 instead of (1-t)^2/t",
        statement="The barycenter is the gradient of a log-sum-exp: the velocity of fixed noise is a gradient field.",
        source="derived here",
    ),
    Derivation(
        claim="closed_form.smoothed_not_density",
        residual=one_point_slopes,
        control=lambda: one_point_slopes(-1 / H**2),
        agrees=agree_slopes,
        mutation="the two scores are equal",
        statement="Smoothing averages the log-density, not the density: one point gives the slopes -1/(1-t)^2 and "
        "-1/((1-t)^2 + sigma^2).",
        source="derived here",
    ),
    Derivation(
        claim="closed_form.gaussian_invariance",
        residual=gaussian_gap,
        control=lambda: gaussian_gap(sp.Lambda(Z, Z**3)),
        agrees=agree_gaussian,
        mutation="a barycenter that is not affine",
        statement="The barycenter of a Gaussian law is affine, so population smoothing has no effect on it.",
        source="derived here",
        agreement=1e4,
    ),
]
