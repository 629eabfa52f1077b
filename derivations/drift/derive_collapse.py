"""A collapsed model: stationary points of the drift that are wrong, and whether they split [derived here]."""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

# D = 1: two atoms to the right of the collapsed point c, one to the left, with posterior masses w.
C, A, X = sp.Symbol("c", real=True), sp.Symbol("a", positive=True), sp.Symbol("x", real=True)
RIGHT, LEFT = sp.symbols("d0:2", positive=True), sp.Symbol("d2", positive=True)
MASSES, TAU = sp.symbols("m0:3", positive=True), sp.Symbol("tau", positive=True)
ATOMS = (C + RIGHT[0], C + RIGHT[1], C - LEFT)
DISTANCES = (*RIGHT, LEFT)


def gaussian(r):
    return sp.exp(-(r**2) / (2 * TAU**2))


def laplace(r):
    return sp.exp(-r / TAU)


def index(kernel, sign=1):
    """1 + V_p'(c): slope of the drift at a model collapsed onto c, whose own mean shift is c - x."""
    signs = (1, 1, -1)
    r = [d - s * (X - C) for d, s in zip(DISTANCES, signs, strict=True)]
    k = [m * kernel(value) ** sign for m, value in zip(MASSES, r, strict=True)]
    shift = sum(w * (y - X) for w, y in zip(k, ATOMS, strict=True)) / sum(k)
    return 1 + sp.diff(shift, X).subs(X, C)


def weights(kernel):
    k = [m * kernel(d) for m, d in zip(MASSES, DISTANCES, strict=True)]
    return [value / sum(k) for value in k]


def gaussian_index():
    """Var_pi(y)/tau^2 as a sum over pairs of w_i w_j (y_i - y_j)^2: every term is non-negative."""
    w = weights(gaussian)
    pairs = [(i, j) for i in range(3) for j in range(i)]
    return sum(w[i] * w[j] * (ATOMS[i] - ATOMS[j]) ** 2 for i, j in pairs) / TAU**2


def laplace_index():
    """Cov_pi(y, sign(y - c))/tau = 2/tau sum over right i, left j of w_i w_j (d_i + d_j): non-negative."""
    w = weights(laplace)
    return 2 / TAU * sum(w[i] * w[2] * (RIGHT[i] + LEFT) for i in (0, 1))


def opaque(expression, kernel):
    """Kernel values as symbols of their own: what is left is rational and cancels in a moment."""
    names = {kernel(d): sp.Symbol(f"k{i}", positive=True) for i, d in enumerate(DISTANCES)}
    return sp.cancel(sp.together(expression.xreplace(names)))


def split_gaps():
    return [
        opaque(index(gaussian) - gaussian_index(), gaussian),
        opaque(index(laplace) - laplace_index(), laplace),
    ]


def agrees_split(rng):
    bandwidth, c, d, m = 0.5 + rng.random(), rng.normal(), 0.2 + rng.random(3), rng.dirichlet([1, 1, 1])
    atoms = np.array([[c + d[0]], [c + d[1]], [c - d[2]]])
    worst = 0.0
    for kernel, formula in ((us.Gaussian(bandwidth), gaussian_index()), (us.Laplace(bandwidth), laplace_index())):
        expected = sp.lambdify([C, TAU, *DISTANCES, *MASSES], formula, "numpy")(c, bandwidth, *d, *m)
        got = 1 + us.MeanShift(kernel, us.Samples(atoms, m)).jacobian(np.array([[c]])).item()
        worst = max(worst, abs(got - expected))
    return float(worst / (np.finfo(float).eps * (1 + (d.max() / bandwidth) ** 2)))


def two_atom_drift():
    """p = (delta_-a + delta_a)/2 against q = delta_0, Gaussian kernel."""
    k = [gaussian(X + A), gaussian(X - A)]
    return (-A * k[0] + A * k[1]) / sum(k) - X - (0 - X)


def zero_gaps():
    drift = two_atom_drift()
    return [sp.simplify((drift - A * sp.tanh(A * X / TAU**2)).rewrite(sp.exp)), sp.simplify(drift.subs(X, 0))]


def agrees_zero(rng):
    a, h, x = 0.3 + rng.random(), 0.5 + rng.random(), rng.normal(size=(3, 1))
    expected = sp.lambdify([X, A, TAU], A * sp.tanh(A * X / TAU**2), "numpy")(x, a, h)
    field = us.Drift(us.Gaussian(h), target=np.array([[-a], [a]]), model=np.array([[0.0]]))
    return float(np.abs(field(x) - expected).max() / (np.finfo(float).eps * (a + np.abs(x).max())))


derivations = [
    Derivation(
        claim="drift.collapse_splits",
        residual=split_gaps,
        control=lambda: index(gaussian, sign=-1) - gaussian_index(),
        agrees=agrees_split,
        mutation="a kernel that grows with distance",
        statement="At a collapsed model the drift has slope Var_pi(y)/tau^2 (Gaussian) or Cov_pi(y, sign(y - c))/tau "
        "(Laplace, D = 1), sums of non-negative terms: the collapse is unstable.",
        source="derived here",
    ),
    Derivation(
        claim="drift.zero_on_support",
        residual=zero_gaps,
        control=two_atom_drift,
        agrees=agrees_zero,
        mutation="the drift vanishes everywhere",
        statement="For p = (delta_-a + delta_a)/2, q = delta_0 and a Gaussian kernel the drift is a tanh(a x/tau^2): 0 "
        "on the support of q although q is not p.",
        source="reported in Gretton et al. 2026, arXiv 2605.05118; derived here",
    ),
]
