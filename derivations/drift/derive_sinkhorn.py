"""The Sinkhorn drift between Gaussian laws in one dimension [derived here]."""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

EPSILON, SQ, SP = sp.symbols("epsilon sigma_q sigma_p", positive=True)
MQ, MP, X = sp.symbols("m_q m_p x", real=True)


def cross_covariance(first, second, epsilon=EPSILON):
    return (-epsilon + sp.sqrt(epsilon**2 + 4 * first**2 * second**2)) / 2


def plan_gap(first, second, epsilon=EPSILON):
    """u(x) v(y) exp(-(x - y)^2/2 eps) is Gaussian iff the off-diagonal entry of its precision is -1/eps."""
    c = cross_covariance(first, second, epsilon)
    precision = sp.Matrix([[first**2, c], [c, second**2]]).inv()
    return sp.simplify(precision[0, 1] + 1 / EPSILON)


def optimality_gap(first, second):
    """The same c is stationary for E|x - y|^2/2 + eps KL, that is -c - eps/2 log(1 - c^2/(first second)^2)."""
    c = sp.Symbol("c", positive=True)
    objective = -c - EPSILON / 2 * sp.log(1 - c**2 / (first * second) ** 2)
    return sp.simplify(sp.together(sp.diff(objective, c)).subs(c, cross_covariance(first, second)))


def drift():
    slope = (cross_covariance(SQ, SP) - cross_covariance(SQ, SQ)) / SQ**2
    return MP - MQ + slope * (X - MQ)


def projection_gap():
    """Conditional means of the two plans, subtracted."""
    forward = MP + cross_covariance(SQ, SP) / SQ**2 * (X - MQ)
    within = MQ + cross_covariance(SQ, SQ) / SQ**2 * (X - MQ)
    return sp.simplify(forward - within - drift())


def agrees(rng):
    epsilon, sq, sigma_p = 0.4 + rng.random(), 0.6 + 0.4 * rng.random(), 0.6 + 0.6 * rng.random()
    mq, mp = rng.normal(size=2)
    x = mq + rng.normal(size=(3, 1))
    expected = sp.lambdify([EPSILON, SQ, SP, MQ, MP, X], drift(), "numpy")(epsilon, sq, sigma_p, mq, mp, x)
    laws = us.GaussianMixture([[mp]], sigma_p**2), us.GaussianMixture([[mq]], sq**2)
    field = us.SinkhornDrift(us.Gaussian(np.sqrt(epsilon)), target=laws[0], model=laws[1], tolerance=1e-13)
    return float(np.abs(field(x) - expected).max() / (np.finfo(float).eps * (np.abs(expected).max() + 1)))


derivations = [
    Derivation(
        claim="drift.sinkhorn_gaussian",
        residual=lambda: [plan_gap(SQ, SP), plan_gap(SQ, SQ), optimality_gap(SQ, SP), projection_gap()],
        control=lambda: plan_gap(SQ, SP, epsilon=2 * EPSILON),
        agrees=agrees,
        # The code stops where the marginals are right to 1e-13 (450 eps); the map amplifies that by the contraction.
        agreement=1e5,
        mutation="epsilon replaced by 2 epsilon",
        statement="Between N(m_q, sigma_q^2) and N(m_p, sigma_p^2) the Sinkhorn drift is linear with slope "
        "(c_qp - c_qq)/sigma_q^2, c = (-eps + sqrt(eps^2 + 4 sigma^2 sigma'^2))/2, and moves the mean at rate 1.",
        source="derived here; the drift is that of He et al. 2026, arXiv 2603.12366",
    ),
]
