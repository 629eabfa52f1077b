"""Bias of a mean shift from n samples to first order, and weights without it [derived here].

The posterior mean is a ratio of two sample means, f(N, D) = N/D; its bias is tr(H Cov)/2n + O(1/n^2) with H the
Hessian of f at the expectations (delta method, finite second moments).
"""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

ATOMS = sp.symbols("y0:3", real=True)
MASSES = sp.symbols("m0:2", positive=True)
KERNELS = sp.symbols("k0:3", positive=True)
PROBABILITIES = (*MASSES, 1 - sum(MASSES))
SHARES = sp.symbols("w0:2", real=True)
WEIGHTS = (*SHARES, 1 - sum(SHARES))


def average(values):
    return sum(p * v for p, v in zip(PROBABILITIES, values, strict=True))


def delta_method():
    top, bottom = sp.symbols("N D", positive=True)
    pairs = [[k * y for k, y in zip(KERNELS, ATOMS, strict=True)], list(KERNELS)]
    means = [average(values) for values in pairs]
    covariance = sp.Matrix(
        2, 2, lambda i, j: average([a * b for a, b in zip(pairs[i], pairs[j], strict=True)]) - means[i] * means[j]
    )
    hessian = sp.hessian(top / bottom, (top, bottom)).subs({top: means[0], bottom: means[1]})
    return (hessian * covariance).trace() / 2


def claimed(sign=-1):
    """sign E[k^2 (y - m)]/Z^2; the theorem has sign -1."""
    z = average(KERNELS)
    mean = average([k * y for k, y in zip(KERNELS, ATOMS, strict=True)]) / z
    return sign * average([k**2 * (y - mean) for k, y in zip(KERNELS, ATOMS, strict=True)]) / z**2


def bias_gap(sign=-1):
    return sp.cancel(sp.together(delta_method() - claimed(sign)))


def agrees_bias(rng):
    """On the empirical law itself, corrected minus plain mean shift is minus the plug-in bias divided by n."""
    bandwidth, x, y = 0.5 + rng.random(), rng.normal(size=(1, 1)), rng.normal(size=(3, 1))
    kernel = us.Laplace(bandwidth)
    k = np.exp(kernel.log_profile(np.abs(y - x).ravel()))
    expected = sp.lambdify([*ATOMS, *MASSES, *KERNELS], claimed(), "numpy")(*y.ravel(), 1 / 3, 1 / 3, *k)
    got = 3 * (us.MeanShift(kernel, y)(x) - us.CorrectedMeanShift(kernel, y)(x)).item()
    return float(abs(got - expected) / (np.finfo(float).eps * np.abs(y - x).max() * 3))


def corrected(concentration=1):
    """w_i (1 + w_i - sum w^2); `concentration` = 0 forgets the last term."""
    total = sum(w**2 for w in WEIGHTS)
    return [w * (1 + w - concentration * total) for w in WEIGHTS]


def correction_gaps(concentration=1):
    """The weights give the plain mean plus sum w^2 (y - mean), and sum to 1."""
    mean = sum(w * y for w, y in zip(WEIGHTS, ATOMS, strict=True))
    plug_in = mean + sum(w**2 * (y - mean) for w, y in zip(WEIGHTS, ATOMS, strict=True))
    weights = corrected(concentration)
    return [
        sp.expand(sum(w * y for w, y in zip(weights, ATOMS, strict=True)) - plug_in),
        sp.expand(sum(weights) - 1),
        # Non-negative: 1 - sum w^2 = sum over i of w_i (1 - w_i), a sum of non-negative terms.
        sp.expand(1 - sum(w**2 for w in WEIGHTS) - sum(w * (1 - w) for w in WEIGHTS)),
    ]


def agrees_correction(rng):
    bandwidth, x, y = 0.5 + rng.random(), rng.normal(size=(1, 1)), rng.normal(size=(3, 1))
    kernel = us.Laplace(bandwidth)
    k = np.exp(kernel.log_profile(np.abs(y - x).ravel()))
    w = k / k.sum()
    expected = sp.lambdify(SHARES, corrected(), "numpy")(*w[:2])
    return float(np.abs(us.CorrectedMeanShift(kernel, y).weights(x)[0] - expected).max() / np.finfo(float).eps)


derivations = [
    Derivation(
        claim="drift.finite_sample_bias",
        residual=bias_gap,
        control=lambda: bias_gap(sign=1),
        agrees=agrees_bias,
        mutation="the opposite sign",
        statement="A mean shift from n samples has bias -E[k^2 (y - m)]/(n Z^2) to first order in 1/n.",
        source="derived here (delta method); reported in arXiv 2604.27239",
    ),
    Derivation(
        claim="drift.bias_correction",
        residual=correction_gaps,
        control=lambda: correction_gaps(concentration=0)[1],
        agrees=agrees_correction,
        mutation="the weights w_i (1 + w_i), which do not sum to 1",
        statement="Subtracting the plug-in bias gives the weights w_i (1 + w_i - sum w^2), which are non-negative and "
        "sum to 1.",
        source="arXiv 2604.27239; form derived here",
    ),
]
