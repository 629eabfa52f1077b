"""The dual of the tilt, and the temperature that fresh gradient noise adds [derived here]."""

import numpy as np
import sympy as sp

from unifiedscore.fields.moment_matched.family import NodeFamily
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps

# 1. The dual: three atoms and two statistics contain every product of the first two derivatives.

MASSES = sp.symbols("w0:3", positive=True)
STATISTICS = [sp.symbols(f"u{k} v{k}", real=True) for k in range(3)]
THETA, GOAL = sp.symbols("theta0 theta1", real=True), sp.symbols("a b", real=True)
SHARES = sp.symbols("p0:3", positive=True)


def dual():
    terms = [w * sp.exp(-sum(t * s for t, s in zip(THETA, pair, strict=True)))
             for w, pair in zip(MASSES, STATISTICS, strict=True)]  # fmt: skip
    value = sp.log(sum(terms)) + sum(t * g for t, g in zip(THETA, GOAL, strict=True))
    return value, [term / sum(terms) for term in terms]


def dual_gaps(*, half=1):
    """Gradient goal - E T and Hessian Cov T."""
    value, shares = dual()
    mean = [sum(p * pair[j] for p, pair in zip(shares, STATISTICS, strict=True)) for j in range(2)]
    cross = [[sum(p * pair[i] * pair[j] for p, pair in zip(shares, STATISTICS, strict=True)) for j in range(2)]
             for i in range(2)]  # fmt: skip
    slope = [sp.diff(value, t) for t in THETA]
    gaps = [s - (half * g - m) for s, g, m in zip(slope, GOAL, mean, strict=True)]
    gaps += [sp.diff(slope[i], THETA[j]) - (cross[i][j] - mean[i] * mean[j]) for i in range(2) for j in range(2)]
    return [sp.cancel(sp.together(sp.expand(gap))) for gap in gaps]


def agrees_dual(rng):
    """The lambdified gradient and Hessian against the family of `solve_tilt`."""
    value, _ = dual()
    slope = [sp.diff(value, t) for t in THETA]
    bend = [[sp.diff(s, t) for t in THETA] for s in slope]
    evaluate = sp.lambdify([MASSES, STATISTICS, THETA, GOAL], [slope, bend], "numpy")
    w, features, theta = rng.random(3) + 0.1, rng.normal(size=(3, 2)), rng.normal(size=2)
    gradient, hessian = evaluate(w, features, theta, np.zeros(2))
    mean, covariance = NodeFamily(features, np.log(w)).moments(theta)
    return float(max(np.abs(mean + gradient).max(), np.abs(covariance - np.array(hessian)).max()) / (10 * EPS))


# 2. Temperature of a linear drift -a y with fresh gradient noise of variance v.

A, H, V = sp.symbols("a h v", positive=True)
EULER = (1 + H * V / 2) / (1 - H * A / 2)
MATTHEWS = 1 + (H * V / 2) / (1 - H * A / 2)


def temperature_gaps(*, euler=EULER, matthews=MATTHEWS):
    """a times the stationary variance s of y' = (1 - h a) y + noise; LM: E y_k xi_k = sqrt(h/2)."""
    s = sp.Symbol("s", positive=True)
    first = sp.solve(s - ((1 - H * A) ** 2 * s + 2 * H + H**2 * V), s)[0]
    carried = sp.sqrt(H / 2)
    second = sp.solve(s - ((1 - H * A) ** 2 * s + H + H**2 * V + 2 * (1 - H * A) * sp.sqrt(H / 2) * carried), s)[0]
    return [sp.simplify(A * first - euler), sp.simplify(A * second - matthews)]


def agrees_temperature(rng):
    """The same variances by iterating the recursion of the joint covariance of (y, carried noise)."""
    a, h, v = 1 + rng.random(), 0.05 + 0.1 * rng.random(), 5 * rng.random()
    worst = 0.0
    for expression, carry in ((EULER, False), (MATTHEWS, True)):
        scale = np.sqrt(h / 2) if carry else 0.0
        step = np.array([[1 - h * a, scale], [0.0, 0.0]])
        fresh = np.sqrt(h / 2) if carry else np.sqrt(2 * h)
        noise = np.array([[fresh**2 + h**2 * v, fresh if carry else 0.0], [fresh if carry else 0.0, 1.0]])
        state = np.eye(2)
        for _ in range(4000):
            state = step @ state @ step.T + noise
        worst = max(worst, abs(a * state[0, 0] / float(expression.subs({A: a, H: h, V: v})) - 1))
    return float(worst / (10 * EPS))


derivations = [
    Derivation(
        claim="moment_matched.dual_convex_newton",
        residual=dual_gaps,
        control=lambda: dual_gaps(half=2)[1],
        agrees=agrees_dual,
        mutation="second moments without their factor 1/2",
        statement="The dual log int e^(-V - theta.T) + theta.T* has the gradient T* - E T and the Hessian Cov T, hence "
        "is strictly convex.",
        source="tilt of arXiv 2605.14276; dual derived here",
    ),
    Derivation(
        claim="moment_matched.gradient_noise_temperature",
        residual=temperature_gaps,
        control=lambda: temperature_gaps(matthews=sp.Integer(1))[1],
        agrees=agrees_temperature,
        mutation="gradient noise changes only the variance of estimates, not the law",
        statement="For a linear drift a and fresh gradient noise of variance v the temperature is (1 + hv/2)/(1 - ha/2)"
        " for Euler-Maruyama and 1 + (hv/2)/(1 - ha/2) for Leimkuhler-Matthews.",
        source="derived here",
    ),
]
