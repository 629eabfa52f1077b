"""An arbitrary smooth schedule, and the Gaussian family on it, shared by the derivations of tilting.

alpha and beta are undefined positive functions of t, so that what is proved holds for every schedule.
"""

import sympy as sp

import unifiedscore as us
from unifiedscore.processes import SCHEDULES

T = sp.Symbol("t", positive=True)
ALPHA, BETA = (sp.Function(name, positive=True)(T) for name in ("alpha", "beta"))
KAPPA = sp.diff(ALPHA, T) / ALPHA
ETA = BETA * (KAPPA * BETA - sp.diff(BETA, T))
NU, TAU = sp.symbols("nu tau", positive=True)
X, Y, M0, L, Q = sp.symbols("x y m_0 l q", real=True)
STAR = 1 / (1 / NU**2 + Q)  # variance of the tilted law
M_STAR = STAR * (M0 / NU**2 + L)


def gamma(variance):
    """Variance at time t of data of that variance."""
    return ALPHA**2 * variance + BETA**2


def zero(expression):
    return sp.simplify(sp.expand(sp.together(expression).doit()))


def score(mean, variance):
    """Score at x, t of the noised N(mean, variance)."""
    return -(X - ALPHA * mean) / gamma(variance)


def numbers(schedule, t):
    """Values of alpha, beta and their derivatives at time t."""
    beta = schedule.beta(t)
    rates = {sp.diff(ALPHA, T): schedule.alpha_rate(t), sp.diff(BETA, T): schedule.beta_squared_rate(t) / (2 * beta)}
    return rates, {ALPHA: schedule.alpha(t), BETA: beta, T: t}


def evaluate(expression, schedule, t, values):
    """A float: derivatives first, then the functions themselves."""
    rates, plain = numbers(schedule, t)
    return float(sp.sympify(expression).subs(rates).subs(plain).subs(values))


def in_every_schedule(agrees):
    """The worst of `agrees(rng, schedule)` over the schedules: a draw of one would leave two unseen."""
    return lambda rng: max(agrees(rng, us.Schedule(name)) for name in SCHEDULES)


def draw(rng, schedule):
    """A time, and a Gaussian process of the schedule with its symbols' values."""
    nu, q, m0, slope = 0.5 + rng.random(), 2 * rng.random(), *rng.normal(size=2)
    process = us.TiltedProcess(us.GaussianMixture([[m0]], nu**2), us.QuadraticReward([slope], q), schedule)
    return process, float(rng.uniform(0.1, 0.9)), {NU: nu, Q: q, M0: m0, L: slope}
