"""Variances of gradients, the two adjoints at the optimum, chance copies, rotations and filters."""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.learned import (
    Preconditioning,
    chance_copy_rate,
    full_adjoint,
    gradient_flow_gains,
    gradient_variance,
)
from unifiedscore.processes import conditional_target
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
T, W, C, NU, ETA, J, GAMMA, V = sp.symbols("t s c nu eta j Gamma V", positive=True)
THETA, Q = sp.symbols("theta q", real=True)


def normal_moment(expression, symbol, variance):
    """E of a polynomial in a centred normal variable."""
    total = 0
    for (power,), coefficient in sp.Poly(sp.expand(expression), symbol).terms():
        if power % 2 == 0:
            total += coefficient * sp.factorial2(power - 1) * variance ** (power // 2)
    return total


def variance_gap(factor=8):
    """Var of g = 2 eta j x (theta j x - e), x ~ N(0, Gamma), e ~ N(0, V), against its closed form."""
    x, e = sp.symbols("x e", real=True)
    g = 2 * ETA * J * x * (THETA * J * x - e)
    mean = lambda f: normal_moment(normal_moment(f, x, GAMMA), e, V)
    closed = 4 * ETA**2 * J**2 * GAMMA * V + factor * ETA**2 * J**4 * THETA**2 * GAMMA**2
    return sp.simplify(mean(g**2) - mean(g) ** 2 - closed)


def constants(exponent=1):
    """4 eta^2 Gamma Var(CSM | x) of a score network: constant for two schedules, with an integral for the third."""
    schedules = {
        "rectified_flow": (T, 1 - T, (1 - T) / T),
        "vp_cosine": (sp.sin(sp.pi * T / 2), sp.cos(sp.pi * T / 2), sp.pi / 2 * sp.cot(sp.pi * T / 2)),
        "foellmer": (T, sp.sqrt(T * (1 - T)), sp.Rational(1, 2)),
    }
    integrands = [
        4 * eta**2 * alpha ** (2 * exponent) * NU**2 / beta**2 for alpha, beta, eta in schedules.values()
    ]  # 4 eta^2 Gamma alpha^2 nu^2/(beta^2 Gamma)
    cutoff = 1 / (2 + C)  # every cut-off below 1/2, and (1 - t_c)/t_c = 1 + c
    foellmer = NU**2 * (sp.log(1 + C) - (1 - 2 * cutoff))
    integral = sp.integrate(sp.apart(integrands[2] / NU**2, T), (T, cutoff, 1 - cutoff))
    return sp.Matrix(
        [
            sp.simplify(integrands[0] - 4 * NU**2),
            sp.simplify(integrands[1] - sp.pi**2 * NU**2),
            sp.simplify(NU**2 * integral - foellmer),
        ]
    )


def agree_variance(rng):
    q, c = float(rng.uniform(0.1, 2)), float(rng.uniform(0.01, 0.2))
    star, worst = 1 / (1 + q), 0.0
    log = np.log((1 - c) / c)
    forms = {"rectified_flow": 4.0, "vp_cosine": np.pi**2, "foellmer": (log - 1 + 2 * c) / (1 - 2 * c)}
    for schedule, form in forms.items():
        process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.0], q), schedule)
        got = gradient_variance(conditional_target(process), cutoff=c)
        worst = max(worst, abs(got / (form * star) - 1))
    return worst / (EPS * 10)


def adjoint_gaps(swap=False):
    """Lean and full variance at time t as integrals over the controlled propagator, and the equation of the gain."""
    gain = Q / (1 + Q * (1 - W))
    flow = (1 + Q * (1 - W)) / (1 + Q * (1 - T))  # from t to s
    end = 1 / (1 + Q * (1 - W))  # from s to 1
    lean, full = Q**2 * end**2, flow**2 * gain**2
    if swap:
        lean, full = full, lean
    integral = lambda f: sp.integrate(sp.simplify(f), W)
    between = lambda f: (lambda g: sp.simplify(g.subs(W, 1) - g.subs(W, T)))(integral(f))
    return sp.Matrix(
        [
            sp.simplify(between(lean) - Q**2 * (1 - T) / (1 + Q * (1 - T))),
            sp.simplify(between(full) - Q**2 * (1 - T) / (1 + Q * (1 - T)) ** 2),
            sp.simplify(sp.diff(flow, W) + gain * flow),
            sp.simplify(sp.diff(gain, W) - gain**2),
        ]
    )


def agree_adjoint(rng):
    """The full adjoint with its martingale is K(t) x on every Euler path: the discrete optimum has the same gain."""
    q = float(rng.uniform(-0.6, 2))
    gain = lambda t: q / (1 + q * (1 - t))
    process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.0], q), "foellmer")
    start = rng.normal(size=(5, 1))
    run = us.simulate(process, 5, rng, times=np.linspace(0.2, 1, 40), keep=True, start=start)
    settings = {
        "control": lambda x, t: -gain(t) * x,
        "control_jacobian": lambda x, t: np.full((len(x), 1, 1), -gain(t)),
    }
    got = full_adjoint(process, run, **settings, martingale=True)[0]
    return float(np.abs(got - gain(0.2) * start).max() / (EPS * 100 * (1 + abs(q)) * (1 + np.abs(start).max())))


def copies_gap(power=1):
    """P(d_1 < kappa d_2) for a Poisson process whose balls have the volume c r^d, by the density of d_2."""
    v, rate, kappa, d = sp.symbols("v rho kappa d", positive=True)
    density = rate**2 * sp.exp(-rate * v)  # of the second volume, times the volume left for the first
    return sp.simplify(sp.integrate(density * kappa**d * v**power, (v, 0, sp.oo)) - kappa**d)


def agree_copies(rng):
    d, kappa = float(rng.uniform(0.5, 6)), float(rng.uniform(0.1, 0.9))
    return abs(chance_copy_rate(d, threshold=kappa) - kappa**d) / EPS


def rotation_gaps(symmetric=False):
    """Continuity for N(0, Gamma_t I) under the velocity plus a rotation in three dimensions."""
    x = sp.Matrix(sp.symbols("x_1:4", real=True))
    a, b, c = sp.symbols("a b c", real=True)
    matrix = sp.Matrix([[0, a, b], [-a, 0, c], [-b, -c, 0]])
    if symmetric:
        matrix = sp.Matrix([[0, a, b], [a, 0, c], [b, c, 0]])
    gamma = T**2 * NU**2 + (1 - T) ** 2
    density = gamma ** sp.Rational(-3, 2) * sp.exp(-x.dot(x) / (2 * gamma))
    field = -((1 - T) - T * NU**2) / gamma * x + matrix * x
    divergence = sum(sp.diff(density * field[i], x[i]) for i in range(3))
    return sp.simplify((sp.diff(density, T) + divergence) / density)


def agree_rotation(rng):
    t, nu, x = float(rng.uniform(0, 1)), 0.5 + rng.random(), rng.normal(size=(3, 3))
    expected = -((1 - t) - t * nu**2) / (t**2 * nu**2 + (1 - t) ** 2) * x
    got = Preconditioning(t, scale=nu).velocity(x, np.zeros_like(x))
    return float(np.abs(got - expected).max() / (EPS * 10 * (1 + np.abs(expected).max())))


def filter_gap(rate=1):
    """Gradient flow of one mode: f' = K (F - f) from 0."""
    u, k, full = sp.symbols("u K F", positive=True)
    f = (1 - sp.exp(-rate * u * k)) * full
    return sp.Matrix([sp.simplify(sp.diff(f, u) - k * (full - f)), f.subs(u, 0)])


def agree_filter(rng):
    k, u = rng.random(5), float(rng.uniform(0, 3))
    return float(np.abs(gradient_flow_gains(k, u) - (1 - np.exp(-u * k))).max() / EPS)


HERE = "derived here"
derivations = [
    Derivation(
        claim="learned.gradient_variance",
        regime="one parameter",
        residual=variance_gap,
        control=lambda: variance_gap(factor=4),
        agrees=agree_variance,
        mutation="half the variance of x^2",
        statement="For a score with one parameter and Gaussian states the gradient of eta |m - T|^2 has the variance "
        "4 eta^2 j^2 Gamma V + 8 eta^2 j^4 theta^2 Gamma^2.",
        source=HERE,
    ),
    Derivation(
        claim="learned.gradient_variance",
        regime="conditional target",
        residual=constants,
        control=lambda: constants(exponent=2)[0],
        agrees=agree_variance,
        mutation="alpha^4 for alpha^2",
        statement="With a score network the conditional target has the gradient variance 4 nu*^2 (rectified flow) and "
        "pi^2 nu*^2 (cosine VP) at every t, and an integral that grows like log(1/t_c) (Foellmer).",
        source=HERE,
    ),
    Derivation(
        claim="learned.full_vs_lean",
        regime="linear-quadratic",
        residual=adjoint_gaps,
        control=lambda: adjoint_gaps(swap=True)[0],
        agrees=agree_adjoint,
        mutation="the two adjoints exchanged",
        statement="For the Foellmer schedule over N(0, 1), r = -q x^2/2, the lean adjoint at the optimum has the "
        "variance q^2 (1-t)/(1 + q(1-t)) and the full one 1/(1 + q(1-t)) times that.",
        source=HERE,
    ),
    Derivation(
        claim="learned.chance_copies",
        regime="Poisson",
        residual=copies_gap,
        control=lambda: copies_gap(power=2),
        agrees=agree_copies,
        mutation="one volume too many",
        statement="For a Poisson process whose balls have the volume c r^d the nearest point is nearer than kappa "
        "times the second with probability kappa^d.",
        source=HERE,
    ),
    Derivation(
        claim="learned.solenoidal_free",
        regime="continuity",
        residual=rotation_gaps,
        control=lambda: rotation_gaps(symmetric=True),
        agrees=agree_rotation,
        mutation="a symmetric matrix",
        statement="An isotropic Gaussian path satisfies the continuity equation of its velocity plus M x for every "
        "antisymmetric M, in three dimensions.",
        source="derived here; related work: arXiv 2606.06179",
    ),
    Derivation(
        claim="learned.kernel_filter",
        regime="one mode",
        residual=filter_gap,
        control=lambda: filter_gap(rate=2)[0],
        agrees=agree_filter,
        mutation="twice the rate",
        statement="Under gradient flow with a translation-invariant kernel a Fourier mode of the network is 1 - "
        "exp(-u K) of that of the function.",
        source=HERE,
    ),
]
