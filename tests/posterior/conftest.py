"""Brute-force posteriors that share no code with the engine: plain two-pass NumPy sums and direct integration."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import gammaln, ive, kve

EPS = np.finfo(float).eps
NODES, UNIT = np.polynomial.legendre.leggauss(40)


def forms(kernel):
    """log k(r) and 1/b(r), written out again from the table of kernels, for r > 0."""
    t, name = kernel.bandwidth, kernel.name
    if name == "gaussian":
        return lambda r: -(r**2) / (2 * t**2), lambda r: np.full_like(r, t**2)
    if name == "laplace":
        return lambda r: -r / t, lambda r: t * r
    if name == "matern":
        nu = kernel.smoothness
        start = (1 - nu) * np.log(2) - gammaln(nu)
        return (
            lambda r: start + nu * np.log(r / t) + np.log(kve(nu, r / t)) - r / t,
            lambda r: t * r * kve(nu, r / t) / kve(nu - 1, r / t),
        )
    if name == "rational_quadratic":
        beta = kernel.exponent
        return lambda r: -beta * np.log1p((r / t) ** 2), lambda r: (t**2 + r**2) / (2 * beta)
    nu, d = kernel.degrees, kernel.dimension
    return (
        lambda r: -(nu + d) / 2 * np.log1p(r**2 / (nu * t**2)),
        lambda r: (nu * t**2 + r**2) / (nu + d),
    )


def of_samples(kernel, points, x, weights=None, exclude=None):
    """Every moment by direct differences and two passes, with the scale of its rounding."""
    points, x = points.astype(float), x.astype(float)
    log_k, inverse_of = forms(kernel)
    gap = points[None] - x[:, None]
    r = np.sqrt((gap**2).sum(-1))
    positive = np.where(r > 0, r, 1.0)
    log_weight = np.where(r > 0, log_k(positive), 0.0)
    at_zero = float(kernel.inverse_weight(np.zeros(())))
    inverse = np.where(r > 0, inverse_of(positive), at_zero)
    b = np.where(inverse > 0, 1 / np.where(inverse > 0, inverse, 1.0), 0.0)
    size = np.abs(log_weight)
    weights = np.full(len(points), 1.0) if weights is None else weights
    with np.errstate(divide="ignore"):
        log_weight = log_weight + np.log(weights / weights.sum())
    for i, j in enumerate([] if exclude is None else exclude):
        if j >= 0:
            log_weight[i, j] = -np.inf
    top = log_weight.max(1, keepdims=True)
    pi = np.exp(log_weight - top)
    total = pi.sum(1, keepdims=True)
    pi /= total
    shift, score = np.einsum("nm,nmd->nd", pi, gap), np.einsum("nm,nmd->nd", pi * b, gap)
    alpha = (pi * inverse).sum(1)
    # Cov(1/b, b (y - x)) with both factors centred first: no cancellation between V and alpha s.
    centred = b[:, :, None] * gap - score[:, None]
    residual = np.einsum("nm,nmd->nd", pi * (inverse - alpha[:, None]), centred)
    center = points.mean(0)
    far = np.linalg.norm(x - center, axis=1)[:, None] + np.linalg.norm(points - center, axis=1)
    # log-weights are wrong by eps |log k|, and by b eps (|x|^2 + |y|^2) where r^2 comes from inner products.
    gram = np.where(r**2 > 1e-6 * far**2, b * far**2, 0.0)
    # Centring rounds every difference y - x, and with it r, by eps times the distance from the centre.
    condition = 1 + (pi * (size + gram + b * r * far)).sum(1)
    products = b * far
    scale = {
        "log_normalizer": condition,
        "mean_shift": (condition * (pi * far).sum(1))[:, None],
        "score": (condition * (pi * products).sum(1))[:, None],
        "preconditioner": condition * (pi * (inverse + kernel.bandwidth * far)).sum(1),
        "mean_distance": condition * (pi * far).sum(1),
        "effective_samples": condition / (pi**2).sum(1),
        "residual": (condition * ((pi * far).sum(1) + alpha * (pi * products).sum(1)))[:, None],
    }
    values = {
        "log_normalizer": top[:, 0] + np.log(total[:, 0]),
        "mean_shift": shift,
        "score": score,
        "preconditioner": alpha,
        "mean_distance": (pi * r).sum(1),
        "effective_samples": 1 / (pi**2).sum(1),
        "residual": residual,
    }
    return SimpleNamespace(values=values, scale=scale, pi=pi, b=b, r=r, gap=gap, centred=centred)


def panels(top, scale):
    """Gauss-Legendre nodes and weights on (0, top), refined geometrically towards 0 where profiles may be rough."""
    inner = np.geomspace(1e-9 * scale, 0.2 * scale, 22)
    edges = np.concatenate([[0.0], inner, np.arange(0.2 * scale, top, 0.25 * scale)[1:], [top]])
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * NODES).ravel(), (half[:, None] * UNIT).ravel()


def _finish(total, shift, score, alpha, distance):
    return {
        "log_normalizer": np.log(total),
        "mean_shift": shift / total,
        "score": score / total,
        "preconditioner": alpha / total,
        "mean_distance": distance / total,
    }


def of_isotropic(kernel, means, variances, weights, x):
    """One query against an isotropic mixture: the law of r is noncentral chi, the mean cosine a ratio of Bessel I."""
    log_k, inverse_of = forms(kernel)
    d = len(x)
    total = alpha = distance = 0.0
    shift, score = np.zeros(d), np.zeros(d)
    for center, variance, mass in zip(means, variances, weights, strict=True):
        far, sigma = np.linalg.norm(x - center), np.sqrt(variance)
        r, step = panels(far + 14 * sigma, min(sigma, kernel.bandwidth))
        if far > 0:
            with np.errstate(divide="ignore", invalid="ignore"):
                bessel = ive(d / 2 - 1, r * far / variance)
                cosine = np.nan_to_num(ive(d / 2, r * far / variance) / bessel)
                log_p = np.log(r / variance) + (d / 2 - 1) * np.log(r / far) + np.log(bessel)
            log_p = log_p - (r - far) ** 2 / (2 * variance)
        else:
            cosine = 0 * r
            log_p = np.log(2) + (d - 1) * np.log(r) - r**2 / (2 * variance)
            log_p = log_p - d / 2 * np.log(2 * variance) - gammaln(d / 2)
        density = mass * step * np.exp(log_p + log_k(r))
        unit = (center - x) / far if far > 0 else 0 * x
        inverse = inverse_of(r)
        total += density.sum()
        alpha += (density * inverse).sum()
        distance += (density * r).sum()
        shift = shift + unit * (density * r * cosine).sum()
        score = score + unit * (density * r * cosine / inverse).sum()
    return _finish(total, shift, score, alpha, distance)


def shells(density, x, top):
    """Mass and mean direction of a smooth density on circles or spheres around a query, at panel nodes of r."""
    if len(x) == 2:
        angle = 2 * np.pi * np.arange(128) / 128
        unit, solid = np.stack([np.cos(angle), np.sin(angle)], 1), np.full(128, 2 * np.pi / 128)
    else:
        angle = 2 * np.pi * np.arange(64) / 64
        height, weight = np.polynomial.legendre.leggauss(40)
        side = np.sqrt(1 - height**2)
        axes = np.outer(side, np.cos(angle)), np.outer(side, np.sin(angle)), np.outer(height, np.ones(64))
        unit, solid = np.stack(axes, axis=-1).reshape(-1, 3), np.repeat(weight * 2 * np.pi / 64, 64)
    r, step = panels(top, 2.0)
    mass, flow = np.empty(len(r)), np.empty((len(r), len(x)))
    for i, radius in enumerate(r):
        p = density(x + radius * unit) * solid * step[i] * radius ** (len(x) - 1)
        mass[i], flow[i] = p.sum(), radius * (p @ unit)
    return r, mass, flow


def of_shells(kernel, r, mass, flow):
    """One query against the density of `shells`."""
    log_k, inverse_of = forms(kernel)
    k, inverse = np.exp(log_k(r)), inverse_of(r)
    return _finish(k @ mass, k @ flow, (k / inverse) @ flow, (k * inverse) @ mass, (k * r) @ mass)


@pytest.fixture(scope="session")
def oracle():
    return SimpleNamespace(of_samples=of_samples, of_isotropic=of_isotropic, shells=shells, of_shells=of_shells)


@pytest.fixture
def rng():
    return np.random.default_rng(20260307)
