"""Value function, optimal control, and the terminal law with and without memoryless noise."""

import numpy as np
import sympy as sp
from _schedule import (
    ALPHA,
    BETA,
    ETA,
    KAPPA,
    M0,
    M_STAR,
    NU,
    STAR,
    L,
    Q,
    T,
    X,
    draw,
    evaluate,
    gamma,
    in_every_schedule,
    score,
    zero,
)

import unifiedscore as us
from unifiedscore.references.memoryless import squared_correlation
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
ZETA = sp.Symbol("zeta", positive=True)


def value():
    """-log E[exp r(X_1) | X_t = x] up to a function of t: a Gaussian integral over N(c, C)."""
    centre = M0 + ALPHA * NU**2 / gamma(NU**2) * (X - ALPHA * M0)
    spread = NU**2 * BETA**2 / gamma(NU**2)
    growth = 1 + Q * spread
    return -(L * centre - Q * centre**2 / 2 + L**2 * spread / 2) / growth


def control_gap(renoised=True):
    """-grad V = s* - s; without renoising, the score of p* itself in place of s*."""
    star = score(M_STAR, STAR) if renoised else -(X - M_STAR) / STAR
    return zero(-sp.diff(value(), X) - star + score(M0, NU**2))


def bellman_gap(noise=1):
    r"""The x-dependent part of V_t + b V' + sigma^2 V''/2 - sigma^2 V'^2/2 = 0, with noise sigma^2 = 2 noise eta."""
    v = value()
    drift = KAPPA * X + (noise + 1) * ETA * score(M0, NU**2)
    slope = sp.diff(v, X)
    residual = sp.diff(v, T) + drift * slope + noise * ETA * (sp.diff(v, X, 2) - slope**2)
    return zero(sp.diff(residual, X))


def shift_gaps(shown=1):
    r"""Mean of the exactly controlled process for sigma^2 = 2 zeta eta: sigma^2 Phi^2 integrates to nu^2 (1 - rho^2).

    Phi(1, t) = sqrt(nu^2/Gamma) (alpha^2 nu^2/Gamma)^(zeta/2) solves Phi' = -(kappa - (1 + zeta) eta/Gamma) Phi.
    """
    variance = gamma(NU**2)
    share = ALPHA**2 * NU**2 / variance
    propagator = sp.sqrt(NU**2 / variance) * share ** (ZETA / 2)
    rate = KAPPA - (ZETA + 1) * ETA / variance
    primitive = NU**2 * share ** (ZETA * sp.Integer(shown))
    return sp.Matrix(
        [
            zero(sp.diff(propagator, T) / propagator + rate),
            zero((sp.diff(primitive, T) - 2 * ZETA * ETA * propagator**2) / share**ZETA),
        ]
    )


def energy_gaps(subtract=True):
    """r = -E - log p_1 makes the tilted law exp(-E), and the Foellmer drift over N(0, 1) is 0."""
    energy = sp.Function("E")(X)
    reward = -energy - (-(X**2) / 2 if subtract else 0)
    drift = (KAPPA * X + 2 * ETA * score(0, 1)).subs({ALPHA: T, BETA: sp.sqrt(T * (1 - T))}).doit()
    return sp.Matrix([sp.simplify(sp.diff(-(X**2) / 2 + reward, X) + sp.diff(energy, X)), sp.simplify(drift)])


@in_every_schedule
def agrees_control(rng, schedule):
    process, t, values = draw(rng, schedule)
    x = rng.normal()
    expected = evaluate(-sp.diff(value(), X), process.schedule, t, values | {X: x})
    got = process.score_difference([[x]], t)[0, 0]
    return abs(got - expected) / (EPS * (abs(expected) + 10 / (t * (1 - t)) ** 2))


@in_every_schedule
def agrees_shift(rng, schedule):
    process, t, values = draw(rng, schedule)
    zeta = 0.2 + rng.random()
    share = (ALPHA**2 * NU**2 / gamma(NU**2)) ** ZETA
    expected = evaluate(share, process.schedule, t, values | {ZETA: zeta})
    got = squared_correlation(process.schedule, t, variance=float(process.base.variances[0]), multiple=zeta)
    return abs(got - expected) / (EPS * expected)


def agrees_energy(rng):
    """Sampling N(m, v) as a tilt of N(0, 1): the tilted law is it."""
    m, v = rng.normal(), 0.3 + rng.random()
    reward = us.QuadraticReward([m / v], 1 / v - 1)  # -(x - m)^2/(2 v) + x^2/2 up to a constant
    process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), reward, "foellmer")
    x, t = rng.normal(size=(4, 1)), float(rng.uniform(0.1, 0.9))
    gaps = [process.target.mean[0] - m, process.target.variances[0] - v, np.abs(process.drift(x, t)).max()]
    return max(abs(g) for g in gaps) / (EPS * 10 / (t * (1 - t) * v))


derivations = [
    Derivation(
        claim="tilting.value_score_identity",
        residual=lambda: sp.Matrix([control_gap(), bellman_gap()]),
        control=lambda: control_gap(renoised=False),
        agrees=agrees_control,
        mutation="the score of p* without renoising",
        statement="For memoryless noise the optimal control is u* = -sigma grad V = sigma (s* - s), and V solves the "
        "Hamilton-Jacobi-Bellman equation.",
        source="related work: Domingo-Enrich et al. 2024, arXiv 2409.08861",
    ),
    Derivation(
        claim="tilting.nonmemoryless_bias",
        residual=shift_gaps,
        control=lambda: shift_gaps(shown=2)[1],
        agrees=agrees_shift,
        mutation="1 - rho^4 in place of 1 - rho^2",
        statement="For noise sigma^2 = 2 zeta eta begun at t_0 the exact control of a linear reward l.x shifts the "
        "terminal mean by nu^2 l (1 - rho^2), rho^2 = (alpha_0^2 nu^2/Gamma_0)^zeta: memoryless as t_0 -> 0.",
        source="derived here",
    ),
    Derivation(
        claim="tilting.sampling_is_tilting",
        residual=energy_gaps,
        control=lambda: energy_gaps(subtract=False),
        agrees=agrees_energy,
        mutation="log p_1 not subtracted from the reward",
        statement="Sampling exp(-E) is tilting a Gaussian base by r = -E - log p_1; with the Foellmer schedule over "
        "N(0, 1) the base drift vanishes.",
        source="Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229",
    ),
]
