"""Bounded rewards with wild gradients, attacked: the second moment of what targets regress may be infinite.

The reward sin(omega exp(c x^2/2)) over N(0, 1) is bounded, and E[r'^2; |X| < L] grows like exp((c - 1/2) L^2) for
c > 1/2. No ratio of two truncations decides what is infinite; a lower bound that holds at every truncation does. With
theta = omega exp(c x^2/2), r'^2 is (c x theta cos(theta))^2, and cos^2 is one half but for what oscillates:

    E[r'^2; |X| < L]  ~  (omega c)^2 L exp((c - 1/2) L^2) / ((2c - 1) sqrt(2 pi)).
"""

import math

import numpy as np
from scipy.integrate import quad
from scipy.special import dawsn, erf

from unifiedscore.study import FalseVariant, Real, Space, Study, Universal

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)
space = Space(
    omega=Real(0.3, 3.0, log=True, simple=(1.0, 2.0, 0.5)),
    exponent=Real(0.75, 1.0, simple=(1.0, 0.75)),
    reach=Real(3.0, 3.5, simple=(3.0, 3.5)),
)


def panels(f, edges):
    """The integral by twelve nodes in each panel."""
    half = np.diff(edges)[:, None] / 2
    return float((f(edges[:-1, None] + half * (1 + NODES)) @ WEIGHTS) @ half[:, 0])


def wild(omega, c, reach):
    """E[r'^2; |X| < L] of sin(omega exp(c x^2/2)) by panels of one period of cos^2."""
    top = omega * math.exp(c * reach**2 / 2)
    theta = np.linspace(omega, top, math.ceil((top - omega) / math.pi) + 8)
    edges = np.sqrt(np.maximum(2 / c * np.log(theta / omega), 0.0))
    # The first panel holds what a period of theta is too coarse for: it is even in x, and smooth.
    edges = np.concatenate([np.linspace(0.0, edges[1], 9), edges[2:-1], [reach]])

    def square(x):
        phase = omega * np.exp(c * x**2 / 2)
        return (c * x * phase * np.cos(phase)) ** 2 * np.exp(-(x**2) / 2)

    return 2 * panels(square, edges) / math.sqrt(2 * math.pi)


def tame(omega, reach):
    """The same of sin(omega x), whose gradient is at most omega."""
    square = lambda x: (omega * np.cos(omega * x)) ** 2 * np.exp(-(x**2) / 2)
    return 2 * panels(square, np.linspace(0.0, reach, 17)) / math.sqrt(2 * math.pi)


def wild_in_parts(omega, c, reach):
    """The mean of cos^2 in closed form, and what oscillates by a rule for Fourier integrals."""
    a = c - 0.5
    # The integral of x^2 exp(a x^2), with Dawson's function for that of exp(a x^2).
    mean = math.exp(a * reach**2) * (reach - dawsn(math.sqrt(a) * reach) / math.sqrt(a)) / (2 * a)
    start = omega + math.pi
    first = math.sqrt(2 / c * math.log(start / omega))
    low, _ = quad(lambda x: x**2 * math.exp(a * x**2) * math.cos(2 * omega * math.exp(c * x**2 / 2)), 0.0, first,
                  epsabs=1e-12, epsrel=1e-12, limit=200)  # fmt: skip
    # dx = dtheta/(c x theta).
    slow = lambda theta: math.sqrt(2 / c * math.log(theta / omega)) / (c * theta) * (theta / omega) ** (2 * a / c)
    high, _ = quad(slow, start, omega * math.exp(c * reach**2 / 2), weight="cos", wvar=2.0,
                   epsabs=1e-9, epsrel=1e-10, limit=400)  # fmt: skip
    return (omega * c) ** 2 * (mean + low + high) / math.sqrt(2 * math.pi)


def tame_in_parts(omega, reach):
    """Error functions, one of them of a complex number."""
    oscillating = math.exp(-2 * omega**2) * erf((reach + 2j * omega) / math.sqrt(2)).real
    return omega**2 / 2 * (erf(reach / math.sqrt(2)) + oscillating)


def evaluated(function):
    """A quantity of (omega, c, L); both routes know what they integrate to about nine digits."""

    def evaluate(instance):
        value = function(instance["omega"], instance["exponent"], instance["reach"])
        return {"value": value, "error": 1e-8 * abs(value)}

    evaluate.__doc__ = function.__doc__ or "closed form, and a rule for Fourier integrals"
    return evaluate


def rate(omega, c, reach):
    """What the second moment grows like."""
    return (omega * c) ** 2 * reach * math.exp((c - 0.5) * reach**2) / ((2 * c - 1) * math.sqrt(2 * math.pi))


def doubled(moment):
    return evaluated(lambda omega, c, reach: moment(omega, c, reach) / moment(omega, c, reach / 2))


def over_rate(moment):
    return evaluated(lambda *given: moment(*given) / rate(*given))


def of_line(moment, scale):
    return evaluated(lambda omega, c, reach: moment(omega, reach) / scale(omega, c, reach))


def of_square(moment):
    return evaluated(lambda omega, c, reach: moment(omega, c, reach) / omega**2)


def largest(omega, c, reach):
    return omega**2


SETTING = "For omega from .3 to 3, L from 3 to 3.5 and X from N(0, 1), "
WILD = "for c from 3/4 to 1 and the bounded reward r = sin(omega exp(c x^2/2)), "
study = Study(
    name="universal_reward", title="Bounded rewards with wild gradients",
    universals=[
        Universal("universal.bounded_reward",
                  SETTING + WILD + "E[r'^2; |X| < L] is at most 1.1 E[r'^2; |X| < L/2], as if the moment were finite.",
                  "derived here, for claims of arXiv 2605.00229", space, doubled(wild), (-math.inf, 1.1),
                  doubled(wild_in_parts), expect="refuted",
                  starts=[space.instance(omega=1.0, exponent=1.0, reach=3.0)],
                  finding="A bounded reward is not enough for a finite second moment of what the targets regress: at "
                          "omega = c = 1 it grows more than a hundredfold from |x| < 1.5 to |x| < 3."),
        Universal("universal.bounded_reward",
                  SETTING + WILD + "E[r'^2; |X| < L] is at least half of "
                  "(omega c)^2 L exp((c - 1/2) L^2) / ((2c - 1) sqrt(2 pi)), which grows without end.",
                  "derived here", space, over_rate(wild), (0.5, math.inf), over_rate(wild_in_parts),
                  FalseVariant("the reward sin(omega x), whose gradient is bounded",
                               quantity=of_line(tame, rate), second=of_line(tame_in_parts, rate)),
                  regime="rate"),
        Universal("universal.bounded_reward",
                  SETTING + "the reward sin(omega x), whose gradient is at most omega, has E[r'^2; |X| < L] at most "
                  "omega^2.",
                  "derived here", space, of_line(tame, largest), (-math.inf, 1.0), of_line(tame_in_parts, largest),
                  FalseVariant("the bounded reward sin(omega exp(c x^2/2)), whose gradient is not bounded",
                               quantity=of_square(wild), second=of_square(wild_in_parts)),
                  regime="bounded gradient", sharpness=(0.7, 1.0)),
    ],
)  # fmt: skip
