"""The four regression targets in the Gaussian family: means, variances, and what they have to do with each other."""

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
    TAU,
    L,
    Q,
    T,
    X,
    Y,
    draw,
    evaluate,
    gamma,
    in_every_schedule,
    score,
    zero,
)

import unifiedscore as us
from unifiedscore.processes import adjoint_target, conditional_target, novel_target, target_target
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
SCORE_STAR = -(Y - M_STAR) / STAR  # grad log p* at the data
CONDITIONAL = -(X - ALPHA * Y) / BETA**2
TARGET = SCORE_STAR / ALPHA
NOVEL = -X / gamma(TAU**2) + ALPHA * TAU**2 / gamma(TAU**2) * (SCORE_STAR + Y / TAU**2)
ADJOINT = ALPHA * NU**2 / gamma(NU**2) * (L - Q * Y)


def given(target, mean, variance):
    """Mean and variance of a target affine in Y when Y given x comes from the law N(mean, variance) of the data."""
    spread = variance * BETA**2 / gamma(variance)
    centre = mean + ALPHA * variance / gamma(variance) * (X - ALPHA * mean)
    slope = sp.diff(target, Y)
    return target.subs(Y, centre), slope**2 * spread


def bias_gaps(mean=M_STAR, variance=STAR):
    """E[T | x] - s* for the three score targets, and E[-a | x] - (s* - s)."""
    star, base = score(M_STAR, STAR), score(M0, NU**2)
    gaps = [given(target, mean, variance)[0] - star for target in (CONDITIONAL, TARGET, NOVEL)]
    return sp.Matrix([zero(g) for g in (*gaps, given(ADJOINT, mean, variance)[0] - star + base)])


def variance_gaps(swapped=False):
    """Variances minus their closed forms."""
    star, base = (NU**2, STAR) if swapped else (STAR, NU**2)
    formulas = (
        (CONDITIONAL, ALPHA**2 * star / (BETA**2 * gamma(star))),
        (TARGET, BETA**2 / (ALPHA**2 * star * gamma(star))),
        (ADJOINT, Q**2 * (ALPHA * base / gamma(base)) ** 2 * star * BETA**2 / gamma(star)),
    )
    gaps = [given(target, M_STAR, STAR)[1] - formula for target, formula in formulas]
    gaps.append(given(NOVEL.subs(TAU, NU), M_STAR, STAR)[1] - formulas[2][1])
    return sp.Matrix([zero(g) for g in gaps])


SHARE = BETA**2 / gamma(TAU**2)


def variate_gap(share=SHARE):
    """NSM - share CSM - (1 - share) TSM for an arbitrary score of p* at the data."""
    s = sp.Symbol("s", real=True)
    novel = -X / gamma(TAU**2) + ALPHA * TAU**2 / gamma(TAU**2) * (s + Y / TAU**2)
    return zero(novel - share * CONDITIONAL - (1 - share) * s / ALPHA)


def adjoint_gaps(velocity=False):
    """The lean adjoint equation and its end, and s - a = NSM with the base as reference, path by path."""
    factor, base = ALPHA * NU**2 / gamma(NU**2), score(M0, NU**2)
    drift = KAPPA * X + (1 if velocity else 2) * ETA * base
    reference = -(Y - M0) / NU**2
    novel = score(M0, NU**2) + ALPHA * NU**2 / gamma(NU**2) * (SCORE_STAR - reference)
    return sp.Matrix(
        [
            zero(sp.diff(factor, T) + sp.diff(drift, X) * factor),
            factor.subs({ALPHA: 1, BETA: 0}) - 1,
            zero(base + factor * (L - Q * Y) - novel),
        ]
    )


def mean_gap():
    """A reference mean m cancels from the NSM target: -(x - alpha m)/G + (alpha tau^2/G)(s + (y - m)/tau^2)."""
    s, m = sp.symbols("s m", real=True)
    with_mean = -(X - ALPHA * m) / gamma(TAU**2) + ALPHA * TAU**2 / gamma(TAU**2) * (s + (Y - m) / TAU**2)
    return zero(with_mean - with_mean.subs(m, 0))


def make(process, tau):
    return (
        (CONDITIONAL, conditional_target(process)),
        (TARGET, target_target(process)),
        (NOVEL, novel_target(process, variance=tau**2)),
        (ADJOINT, adjoint_target(process)),
    )


@in_every_schedule
def agrees_targets(rng, schedule):
    """Targets, conditional means and conditional variances of the code."""
    process, t, values = draw(rng, schedule)
    x, y, tau = *rng.normal(size=2), 0.5 + rng.random()
    values = values | {X: x, Y: y, TAU: tau}
    worst = 0.0
    for expression, target in make(process, tau):
        mean, variance = given(expression, M_STAR, STAR)
        point, data = np.array([[x]]), np.array([[y]])
        pairs = [
            (expression, target(point, data, t)[0, 0]),
            (mean, target.conditional_mean(point, t)[0, 0]),
            (variance, target.conditional_variance(point, t)[0]),
        ]
        for formula, got in pairs:
            expected = evaluate(formula, process.schedule, t, values)
            worst = max(worst, abs(got - expected) / (abs(expected) + 10 / (t * (1 - t)) ** 2))
    return worst / EPS


def agrees_variate(rng):
    """For a mixture, whose p* is not Gaussian."""
    base = us.GaussianMixture(rng.normal(size=(2, 1)) * 2, 0.4)
    process, tau = us.TiltedProcess(base, us.QuadraticReward([0.5], 0.2), "vp_cosine"), 0.5 + rng.random()
    t, x, y = float(rng.uniform(0.1, 0.9)), rng.normal(size=(5, 1)), rng.normal(size=(5, 1))
    share = process.schedule.beta_squared(t) / process.schedule.variance(t, tau**2)
    novel = novel_target(process, variance=tau**2)(x, y, t)
    both = share * conditional_target(process)(x, y, t) + (1 - share) * target_target(process)(x, y, t)
    return float(np.abs(novel - both).max() / (EPS * 10 / (t * (1 - t)) ** 2))


derivations = [
    Derivation(
        claim="tilting.unbiased_targets",
        residual=bias_gaps,
        control=lambda: bias_gaps(M0, NU**2),
        agrees=agrees_targets,
        mutation="data from p_1 instead of p*",
        statement="Under p* the conditional, target and novel targets have conditional mean s*, and minus the lean "
        "adjoint has s* - s (Gaussian base, quadratic reward, every schedule).",
        source="related work: arXiv 2402.08667, 2402.06320, 2409.08861",
    ),
    Derivation(
        claim="tilting.closed_form_variances",
        residual=variance_gaps,
        control=lambda: variance_gaps(swapped=True),
        agrees=agrees_targets,
        mutation="nu and nu_* change places",
        statement="Conditional variances: conditional alpha^2 v*/(beta^2 Gamma*), target beta^2/(alpha^2 v* Gamma*), "
        "novel and adjoint q^2 (alpha nu^2/Gamma)^2 v* beta^2/Gamma* (zero for a linear reward).",
        source="derived here",
    ),
    Derivation(
        claim="tilting.nsm_control_variate",
        residual=lambda: sp.Matrix([variate_gap(), mean_gap()]),
        control=lambda: variate_gap(share=BETA**2),
        agrees=agrees_variate,
        mutation="gamma = beta^2 although tau is not 1",
        statement="The novel target is gamma times the conditional one plus (1 - gamma) times the target one, path by "
        "path, gamma = beta^2/(alpha^2 tau^2 + beta^2), and does not depend on a mean of its reference.",
        source="derived here",
    ),
    Derivation(
        claim="tilting.am_equals_nsm_gaussian",
        residual=adjoint_gaps,
        control=lambda: adjoint_gaps(velocity=True)[0],
        agrees=agrees_targets,
        mutation="the Jacobian of the velocity in place of that of the memoryless drift",
        statement="Over a Gaussian base the lean adjoint is -(alpha nu^2/Gamma) grad r(X_1), and base score minus "
        "adjoint is the novel target whose reference is the base.",
        source="derived here",
    ),
]
