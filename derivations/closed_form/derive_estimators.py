"""The neighbour estimator's parts and bias, by enumeration, and the shrinkage of curves [derived here]."""

from itertools import combinations

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
REST, DRAWN = 4, 2  # N - K and L: every case of the two-point covariances occurs
WEIGHTS, POINTS = sp.symbols("w0:4", positive=True), sp.symbols("x0:4", real=True)
COUNT = sp.Symbol("n", positive=True)
SUBSETS = list(combinations(range(REST), DRAWN))


def scaled_sum(values, subset):
    return sp.Rational(REST, DRAWN) * sum(values[j] for j in subset)


def parts_gaps(finite=True):
    """Numerator and denominator are unbiased, and Var(d) = (N-K)^2 s^2/L (1 - L/(N-K))."""
    products = [w * x for w, x in zip(WEIGHTS, POINTS, strict=True)]
    sums = [scaled_sum(WEIGHTS, subset) for subset in SUBSETS]
    center = sum(WEIGHTS) / REST
    spread = sum((w - center) ** 2 for w in WEIGHTS) / (REST - 1)
    formula = sp.Rational(REST**2, DRAWN) * spread * (1 - sp.Rational(DRAWN, REST) if finite else 1)
    return [
        sp.expand(sum(sums) / len(SUBSETS) - sum(WEIGHTS)),
        sp.expand(sum(scaled_sum(products, subset) for subset in SUBSETS) / len(SUBSETS) - sum(products)),
        sp.expand(sum((value - sum(WEIGHTS)) ** 2 for value in sums) / len(SUBSETS) - formula),
    ]


def bias_gap(factor=1):
    """The second-order term of E[(n + s dn)/(d + s dd)] is -Cov(n, d)/d^2 + n Var(d)/d^3."""
    products = [w * x for w, x in zip(WEIGHTS, POINTS, strict=True)]
    n, d, u, v, step = sp.symbols("N D u v s")
    term = sp.diff((n + step * u) / (d + step * v), step, 2).subs(step, 0) / 2
    pairs = [(scaled_sum(products, s) - sum(products), scaled_sum(WEIGHTS, s) - sum(WEIGHTS)) for s in SUBSETS]
    second = sum(term.subs({u: dn, v: dd}) for dn, dd in pairs) / len(pairs)
    covariance = sum(dn * dd for dn, dd in pairs) / len(pairs)
    variance = sum(dd**2 for _, dd in pairs) / len(pairs)
    return sp.expand(second + covariance / d**2 - factor * n * variance / d**3)


def circle_gaps(two=None):
    """Radii of the mean of two and of three neighbours on the unit circle."""
    two = sp.cos(sp.pi / COUNT) if two is None else two
    angle = 2 * sp.pi / COUNT
    pair = ((1 + sp.cos(angle)) / 2) ** 2 + (sp.sin(angle) / 2) ** 2
    three = (1 + 2 * sp.cos(angle)) / 3 - (1 + sp.cos(angle) + sp.cos(-angle)) / 3
    return [sp.trigsimp(sp.expand_trig(pair.subs(COUNT, 2 * COUNT / 2)) - two**2), sp.simplify(three)]


def agree_parts(rng):
    """The estimate of the code, averaged with its denominators over all subsets, is the exact numerator over d."""
    points, z, time = rng.normal(size=(6, 1)), rng.normal(size=(1, 1)), 0.4
    means = NeighbourMeans(points, nearest=2, remainder=2)
    near = means.neighbours(z, scale=time)
    rest = np.array([j for j in range(6) if j not in near[0]])
    weight = np.exp(-((z - time * points) ** 2) / (2 * (1 - time) ** 2))[:, 0]
    top = bottom = 0.0
    for subset in combinations(rest, 2):
        value = means.combine(z, near, np.array([subset]), scale=time, bandwidth=1 - time)[0, 0]
        denominator = weight[near[0]].sum() + 2 * weight[list(subset)].sum()
        top, bottom = top + value * denominator, bottom + denominator
    exact = us.Barycenter(us.Gaussian(1 - time), points, scale=time)(z)[0, 0]
    return float(abs(top / bottom - exact) / (EPS * (1 + np.abs(points).max()) * 10))


def agree_circle(rng):
    angle = 2 * np.pi * rng.random()
    points = us.load_measure("circle12", angle=angle).points
    radii = np.linalg.norm(points[[0]] / 2 + points[[1]] / 2), np.linalg.norm(points[[0, 1, 2]].mean(0))
    return float(max(abs(radii[0] - np.cos(np.pi / 12)), abs(radii[1] - (1 + 2 * np.cos(np.pi / 6)) / 3)) / EPS)


derivations = [
    Derivation(
        claim="closed_form.nn_unbiased_parts",
        residual=parts_gaps,
        control=lambda: parts_gaps(finite=False),
        agrees=agree_parts,
        mutation="the variance of draws with replacement",
        statement="Numerator and denominator of the neighbour estimator are unbiased, with the variance of simple "
        "random sampling.",
        source="derived here for N - K = 4, L = 2",
    ),
    Derivation(
        claim="closed_form.nn_ratio_bias",
        residual=bias_gap,
        control=lambda: bias_gap(2),
        agrees=agree_parts,
        mutation="twice the variance term",
        statement="To second order the ratio is biased by -Cov(n, d)/d^2 + n Var(d)/d^3.",
        source="derived here for N - K = 4, L = 2",
    ),
    Derivation(
        claim="closed_form.curve_shrinkage",
        residual=circle_gaps,
        control=lambda: circle_gaps(sp.Integer(1)),
        agrees=agree_circle,
        mutation="means of neighbours lie on the circle",
        statement="The mean of two neighbours among n points of the unit circle has radius cos(pi/n), of three "
        "(1 + 2 cos(2 pi/n))/3.",
        source="derived here",
    ),
]
