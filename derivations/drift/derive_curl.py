"""Curl of the mean shift, and why the Gaussian is the only radial kernel without it [derived here]."""

import numpy as np
import sympy as sp
from _atoms import (
    ATOMS,
    COORDINATES,
    GENERIC,
    KERNELS,
    MASSES,
    POINT,
    WEIGHTS,
    draw,
    mean_shift,
    opaque,
    reduced,
    score,
)

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

HALF = sp.Rational(1, 2)
R, SCALE = sp.symbols("r l", positive=True)


def curl(kernels=GENERIC):
    """A_12 = (d_2 V_1 - d_1 V_2) / 2, by differentiation, the profile undefined."""
    shift = mean_shift(kernels)
    return opaque(HALF * (sp.diff(shift[0], POINT[1]) - sp.diff(shift[1], POINT[0])))


def outer_product(factor=HALF):
    """-factor (V s^T - s V^T)_12; the theorem has factor 1/2."""
    shift, gradient = mean_shift(), score()
    return opaque(-factor * (shift[0] * gradient[1] - gradient[0] * shift[1]))


def gap(factor=HALF):
    return reduced(sp.Matrix([curl() - outer_product(factor)]))


def two_atom_curl():
    """w_1 w_2 (b_1 - b_2) [(y_1 - x) x (y_2 - x)] / 2 with posterior masses w."""
    first, second = ([c - p for c, p in zip(atom, POINT, strict=True)] for atom in ATOMS[:2])
    g0, g1 = MASSES[0] * KERNELS[0], MASSES[1] * KERNELS[1]
    cross = first[0] * second[1] - first[1] * second[0]
    return HALF * g0 * g1 / (g0 + g1) ** 2 * (WEIGHTS[0] - WEIGHTS[1]) * cross


def uniqueness_gaps():
    """The two-atom formula; and phi' = r / l^2, which it forces, is solved by the Gaussian profile alone."""
    phi = sp.Function("phi")
    profile = sp.dsolve(sp.Eq(phi(R).diff(R), R / SCALE**2), phi(R)).rhs
    return [
        *reduced(sp.Matrix([curl(GENERIC[:2]) - two_atom_curl()])),
        sp.simplify(profile - profile.subs(R, 0) - R**2 / (2 * SCALE**2)),
    ]


def laplace_curl():
    """A_12 of a Laplace kernel at the origin for the atoms (a, 0) and (0, c): not zero unless a = c."""
    a, c = sp.symbols("a c", positive=True)
    at = dict(zip(COORDINATES[:6], (0, 0, a, 0, 0, c), strict=True))
    at |= {KERNELS[0]: sp.exp(-a / SCALE), KERNELS[1]: sp.exp(-c / SCALE)}
    at |= {WEIGHTS[0]: 1 / (SCALE * a), WEIGHTS[1]: 1 / (SCALE * c)}
    return sp.simplify(curl(GENERIC[:2]).subs(at))


def compare(expression, count, rng):
    """The field code's Jacobian, and its Frobenius curl sqrt(2) |A_12|, against the formula for a Laplace kernel."""
    bandwidth, (x, atoms, masses) = 0.5 + rng.random(), draw(rng)
    r = np.linalg.norm(atoms - x, axis=1)
    function = sp.lambdify([*COORDINATES, *KERNELS, *WEIGHTS], expression, "numpy")
    value = function(*x, *atoms.ravel(), *masses, *np.exp(-r / bandwidth), *(1 / (bandwidth * r)))
    kernel, law = us.Laplace(bandwidth=bandwidth), us.Samples(atoms[:count], masses[:count])
    jacobian = us.MeanShift(kernel, law).jacobian(x[None])[0]
    norm = us.posterior_moments(kernel, law, x[None]).curl_norm[0]
    error = max(abs((jacobian[0, 1] - jacobian[1, 0]) / 2 - value), abs(norm / np.sqrt(2) - abs(value)))
    return float(error / (np.finfo(float).eps * (1 + r.max() / bandwidth)))


derivations = [
    Derivation(
        claim="drift.curl_identity",
        residual=gap,
        control=lambda: gap(factor=1),
        agrees=lambda rng: compare(curl(), 3, rng),
        mutation="the factor 1/2 dropped",
        statement="For every radial kernel the antisymmetric part of the Jacobian of the mean shift is "
        "-(V s^T - s V^T)/2.",
        source="derived here",
    ),
    Derivation(
        claim="drift.gaussian_unique_conservative",
        residual=uniqueness_gaps,
        control=laplace_curl,
        agrees=lambda rng: compare(two_atom_curl(), 2, rng),
        mutation="the Laplace drift has no curl either",
        statement="For two atoms the curl of the mean shift is w1 w2 (b1 - b2) (y1 - x) x (y2 - x) / 2, so it vanishes "
        "for every law only if b is constant, that is for the Gaussian kernel.",
        source="derived here; the uniqueness is stated by Franz et al. 2026, arXiv 2604.06333",
    ),
]
