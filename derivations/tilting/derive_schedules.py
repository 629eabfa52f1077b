"""Rates of a schedule, and the constant that does not depend on it [arXiv 2605.00229; constants derived here]."""

import numpy as np
import sympy as sp
from _schedule import ALPHA, BETA, ETA, KAPPA, NU, T, draw, evaluate, gamma, in_every_schedule, zero

from unifiedscore.processes import gaussian_factor
from unifiedscore.study.derivation import Derivation

WRONG_ETA = BETA * (KAPPA * BETA + sp.diff(BETA, T))
NAMED = {
    "foellmer": (T, sp.sqrt(T * (1 - T)), sp.Rational(1, 2)),
    "vp_cosine": (sp.sin(sp.pi * T / 2), sp.cos(sp.pi * T / 2), sp.pi / 2 * sp.cot(sp.pi * T / 2)),
    "rectified_flow": (T, 1 - T, (1 - T) / T),
}


def rate_gaps(eta=ETA):
    """(log lambda)' = 2 eta / beta^2, omega' = 2 eta alpha^2 / Gamma^2, Gamma' = 2 kappa Gamma - 2 eta."""
    snr, variance = ALPHA**2 / BETA**2, gamma(NU**2)
    omega = ALPHA**2 / variance
    return sp.Matrix(
        [
            zero(sp.diff(sp.log(snr), T) - 2 * eta / BETA**2),
            zero(sp.diff(omega, T) - 2 * eta * ALPHA**2 / variance**2),
            zero(sp.diff(variance, T) - 2 * KAPPA * variance + 2 * eta),
        ]
    )


def named_gaps(eta=ETA):
    """eta of the three schedules."""
    gaps = []
    for alpha, beta, expected in NAMED.values():
        value = eta.subs({ALPHA: alpha, BETA: beta}).doit()
        gaps.append(sp.simplify((value - expected).rewrite(sp.tan)))
    return sp.Matrix(gaps)


def floor_gaps(power=1):
    """eta^power (alpha nu^2 / Gamma)^2 is the derivative of nu^4 omega / 2, which runs from 0 to nu^2 / 2."""
    variance = gamma(NU**2)
    primitive = NU**4 * ALPHA**2 / variance / 2
    ends = [primitive.subs({ALPHA: a, BETA: b}) for a, b in ((0, sp.Symbol("b", positive=True)), (1, 0))]
    density = ETA**power * (ALPHA * NU**2 / variance) ** 2
    return sp.Matrix([zero(sp.diff(primitive, T) - density), ends[0], ends[1] - NU**2 / 2])


@in_every_schedule
def agrees_rates(rng, schedule):
    process, t, values = draw(rng, schedule)
    schedule = process.schedule
    pairs = [
        (evaluate(ETA, schedule, t, values), schedule.eta(t)),
        (evaluate(KAPPA, schedule, t, values), schedule.kappa(t)),
        (
            evaluate(sp.diff(gamma(NU**2), T), schedule, t, values),
            schedule.variance_rate(t, float(process.base.variances[0])),
        ),
    ]
    scale = max(max(abs(v) for v in pair) for pair in pairs) + 1 / (t * (1 - t))
    return max(abs(a - b) for a, b in pairs) / (np.finfo(float).eps * scale)


@in_every_schedule
def agrees_floor(rng, schedule):
    process, t, values = draw(rng, schedule)
    expected = evaluate(ALPHA * NU**2 / gamma(NU**2), process.schedule, t, values)
    got = gaussian_factor(process.schedule, t, float(process.base.variances[0]))
    return abs(got - expected) / (np.finfo(float).eps * expected)


derivations = [
    Derivation(
        claim="tilting.schedule_identities",
        residual=lambda: sp.Matrix([*rate_gaps(), *named_gaps()]),
        control=lambda: rate_gaps(WRONG_ETA),
        agrees=agrees_rates,
        mutation="eta = beta (kappa beta + beta')",
        statement="For every smooth schedule (log snr)' = 2 eta / beta^2, omega' = 2 eta alpha^2 / Gamma^2 and "
        "Gamma' = 2 kappa Gamma - 2 eta; eta is 1/2, (pi/2) cot(pi t/2) and (1 - t)/t for the three named ones.",
        source="related work: Domingo-Enrich et al. 2024, arXiv 2409.08861",
    ),
    Derivation(
        claim="tilting.schedule_free_floor",
        residual=floor_gaps,
        control=lambda: floor_gaps(power=2)[0],
        agrees=agrees_floor,
        mutation="weight eta^2",
        statement="The KL-weighted energy of the lean adjoint of a Gaussian base, the integral of "
        "eta (alpha nu^2/Gamma)^2, is nu^2 / 2 for every schedule.",
        source="derived here",
    ),
]
