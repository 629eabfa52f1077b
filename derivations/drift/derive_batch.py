"""Algorithm 2 of the original paper: its factorisation, its target, and what the self term does [derived here]."""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

# Two queries, two positives, two negatives. The identities hold for any positive numbers in place of the row and column
# sums, which enter through their square roots: these are symbols of their own, and all that is left is rational.
SIZE = 2
KERNEL = sp.Matrix(SIZE, 2 * SIZE, lambda i, j: sp.Symbol(f"k{i}{j}", positive=True))
ROW, COLUMN = sp.symbols("w0:2", positive=True), sp.symbols("c0:4", positive=True)
POINTS = sp.symbols("y0:4", real=True)
X1, BANDWIDTH = sp.Symbol("x", real=True), sp.Symbol("tau", positive=True)


def algorithm(i):
    """V_i as the pseudo-code writes it: geometric mean of row and column softmax, cross-weighted sums."""
    affinity = [sp.sqrt(KERNEL[i, j] / ROW[i] ** 2) * sp.sqrt(KERNEL[i, j] / COLUMN[j] ** 2) for j in range(2 * SIZE)]
    plus, minus = affinity[:SIZE], affinity[SIZE:]
    forward = sum(w * sum(minus) * y for w, y in zip(plus, POINTS[:SIZE], strict=True))
    backward = sum(w * sum(plus) * y for w, y in zip(minus, POINTS[SIZE:], strict=True))
    return forward - backward


def mean(weights, values):
    return sum(w * y for w, y in zip(weights, values, strict=True)) / sum(weights)


def tilted(i, power=1):
    """Weights K_ij / sqrt(col_j)^power, positives then negatives."""
    return [KERNEL[i, j] / COLUMN[j] ** power for j in range(2 * SIZE)]


def factorised(i, power=1):
    """a_i b_i (m+ - m-) with means weighted by K_ij / sqrt(col_j)^power; the theorem has power 1."""
    mass = [w / ROW[i] for w in tilted(i)]
    weights = tilted(i, power)
    gap = mean(weights[:SIZE], POINTS[:SIZE]) - mean(weights[SIZE:], POINTS[SIZE:])
    return sum(mass[:SIZE]) * sum(mass[SIZE:]) * gap


def factorisation_gaps(power=1):
    return [sp.cancel(sp.together(algorithm(i) - factorised(i, power))) for i in range(SIZE)]


def target(i, power=1):
    """PQ/(Z_p + Z_q) (m_P - m_Q) for the empirical laws; g_j = col_j/n, Z_p + Z_q = row_i/n."""
    root = sp.sqrt(SIZE) ** power
    weights = [root * w for w in tilted(i, power)]
    p, q = sum(weights[:SIZE]) / SIZE, sum(weights[SIZE:]) / SIZE
    return p * q * SIZE / ROW[i] ** 2 * (mean(weights[:SIZE], POINTS[:SIZE]) - mean(weights[SIZE:], POINTS[SIZE:]))


def tilted_tweedie():
    """For a Gaussian kernel m_P - m_Q is tau^2 d/dx log(P/Q), whatever the tilting masses are."""
    masses = sp.symbols("g0:4", positive=True)
    weights = [m * sp.exp(-((X1 - y) ** 2) / (2 * BANDWIDTH**2)) for m, y in zip(masses, POINTS, strict=True)]
    p, q = sum(weights[:SIZE]), sum(weights[SIZE:])
    shift = mean(weights[:SIZE], POINTS[:SIZE]) - mean(weights[SIZE:], POINTS[SIZE:])
    return sp.simplify(sp.together(shift - BANDWIDTH**2 * sp.diff(sp.log(p) - sp.log(q), X1)))


def target_gaps(power=1):
    return [*(sp.cancel(sp.together(algorithm(i) - target(i, power))) for i in range(SIZE)), tilted_tweedie()]


def agrees_batch(rng):
    """The batch code against the lambdified pseudo-code, and the target field of samples at the queries."""
    bandwidth, points = 0.5 + rng.random(), rng.normal(size=(3 * SIZE, 1))
    x, y, z = points[:SIZE], points[SIZE : 2 * SIZE], points[2 * SIZE :]
    kernel = us.Gaussian(bandwidth)
    support = np.concatenate([y, z])
    k = np.exp(kernel.log_profile(np.abs(x - support.T)))
    got = us.batch_drift(kernel, x, positives=y, negatives=z).drift.ravel()
    field = us.BatchDriftTarget(kernel, target=us.Samples(y), model=us.Samples(z), queries=us.Samples(x))(x).ravel()
    worst = 0.0
    sums = *np.sqrt(k.sum(1)), *np.sqrt(k.sum(0))
    for formula, values in ((algorithm, got), (target, field)):
        function = sp.lambdify([*KERNEL, *ROW, *COLUMN, *POINTS], [formula(i) for i in range(SIZE)], "numpy")
        expected = np.array(function(*k.ravel(), *sums, *support.ravel()))
        worst = max(worst, float(np.abs(values - expected).max()))
    return worst / (np.finfo(float).eps * np.abs(support).max())


MASS = sp.symbols("m0:3", positive=True)  # kernel values of two other negatives, and of the query itself
NEGATIVES = sp.symbols("z0:2", real=True)


def self_term_gap(factor=1):
    """V incl - (1 - w) V excl: the displacement of the query to itself is 0, its weight is not."""
    excluded = sum(m * (z - X1) for m, z in zip(MASS[:2], NEGATIVES, strict=True)) / sum(MASS[:2])
    included = sum(m * (z - X1) for m, z in zip(MASS[:2], NEGATIVES, strict=True)) / sum(MASS)
    share = factor * MASS[2] / sum(MASS)
    return sp.cancel(sp.together(included - (1 - share) * excluded))


def agrees_self_term(rng):
    bandwidth, x, z = 0.5 + rng.random(), rng.normal(size=(1, 1)), rng.normal(size=(2, 1))
    kernel = us.Laplace(bandwidth)
    k = [*np.exp(-np.abs(z - x).ravel() / bandwidth), 1.0]
    included = sum(m * (y - X1) for m, y in zip(MASS[:2], NEGATIVES, strict=True)) / sum(MASS)
    expected = sp.lambdify([*MASS, *NEGATIVES, X1], included, "numpy")(*k, *z.ravel(), x.item())
    got = us.MeanShift(kernel, np.concatenate([z, x]))(x).item()
    return float(abs(got - expected) / (np.finfo(float).eps * (np.abs(z).max() + abs(x).item())))


derivations = [
    Derivation(
        claim="drift.alg2_factorisation",
        residual=factorisation_gaps,
        control=lambda: factorisation_gaps(power=0)[0],
        agrees=agrees_batch,
        mutation="means without the column weights (eq. 11)",
        statement="Algorithm 2 gives V_i = a_i b_i (m+ - m-) with means weighted by K_ij / sqrt(col_j) and positive "
        "scalars a_i, b_i.",
        source="derived here from the pseudo-code of Deng et al. 2026, arXiv 2602.04770",
    ),
    Derivation(
        claim="drift.alg2_target",
        residual=target_gaps,
        control=lambda: target_gaps(power=0)[0],
        agrees=agrees_batch,
        mutation="the target without the tilt 1/sqrt g",
        statement="With equal sizes Algorithm 2 is PQ/(Z_p + Z_q) (m_P - m_Q) for the laws tilted by 1/sqrt g; with a "
        "Gaussian kernel m_P - m_Q = tau^2 grad log(P/Q).",
        source="derived here",
    ),
    Derivation(
        claim="drift.self_term",
        residual=self_term_gap,
        control=lambda: self_term_gap(factor=2),
        agrees=agrees_self_term,
        mutation="twice the self weight",
        statement="Keeping the query among the negatives shrinks V_q by 1 - w_self and leaves V_p alone, so that the "
        "antisymmetry of the drift is broken.",
        source="derived here",
    ),
]
