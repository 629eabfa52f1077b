"""Adjoint matching with exact expectations: the error of its sweeps falls faster than any geometric sequence.

The base has two equal modes at -R and R of variance nu^2, the reward is x, the schedule rectified flow from t = .02:
but for where it starts, a sweep depends on no schedule. Barriers are R^2/(2 nu^2).
"""

import numpy as np
from _matching import Sweeps, smoothed

import unifiedscore as us
from unifiedscore.references import linear_quadratic as lq
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Theorem, Variable, combine, known, two_rules

LAWS = {"0.35": (0.5, 0.36), "1.4": (1.0, 0.36), "3.1": (1.5, 0.36), "8": (2.0, 0.25)}
MOST, LEAST = 45, 1e-13
GRIDS = ({"nodes": 201, "steps": 90}, {"nodes": 301, "steps": 135})
CURVATURE = 2.0


def errors(barrier, grid):
    """Distance of every sweep to the last, the distance of the last and of the first to s* - s."""
    radius, variance = LAWS[barrier]
    law = us.GaussianMixture([[-radius], [radius]], variance)
    star, sweep = law.tilted([1.0], 0.0), Sweeps(law, np.ones_like, **grid)
    masses = sweep.masses(star)
    found = [np.zeros((grid["steps"] + 1, grid["nodes"]))]
    while len(found) <= MOST and (len(found) < 3 or np.abs(found[-1] - found[-2]).max() > 1e-14):
        found.append(sweep(found[-1]))
    places = [np.sqrt(gamma) * sweep.z for gamma in sweep.gamma]
    exact = [smoothed(star, y, t)[0] - smoothed(law, y, t)[0] for y, t in zip(places, sweep.theta, strict=True)]
    gaps = np.array([sweep.distance(one, found[-1], masses) for one in found[:-1]])
    return gaps, sweep.distance(found[-1], np.array(exact), masses), sweep.distance(found[1], np.array(exact), masses)


def ratios(gaps):
    """Ratio of successive errors at the twelfth sweep, or the last above rounding, and over that at half as many."""
    last = min(12, int(np.flatnonzero(gaps > LEAST)[-1]))
    late, early = gaps[last] / gaps[last - 1], gaps[last // 2] / gaps[last // 2 - 1]
    return late, late / early


def matching(cell, rng):
    rules = []
    for grid in GRIDS:
        gaps, fixed, first = errors(cell["barrier"], grid)
        late, fall = ratios(gaps)
        sweeps = float(np.flatnonzero(gaps <= 1e-3)[0])
        rules.append({"ratio": late, "fall": fall, "sweeps": sweeps, "fixed": fixed, "fixed_first": first})
    return two_rules(*rules, rounding=1e-6)


def sampling(cell, rng):
    """The same two ratios for adjoint sampling, whose iteration is a closed form."""
    variance, found = 1.0, []
    for _ in range(14):
        found.append(abs(variance - 1 / (1 + CURVATURE)))
        variance = lq.adjoint_sampling_step(CURVATURE, variance)
    late, fall = ratios(np.array(found))
    return known({"ratio_sampling": late, "fall_sampling": fall}, 1e-6)


def linear(cell, rng):
    """The third sweep over N(0, 1) against the closed recursion of its gains; w = -t^2 K(t) y, t = 1/Gamma."""
    rules = []
    t, gains = lq.adjoint_matching_gains(CURVATURE, iterations=3)
    for grid in GRIDS:
        law = us.GaussianMixture([[0.0]], 1.0)
        sweep = Sweeps(law, lambda x: -CURVATURE * x, **grid)
        w = np.zeros((grid["steps"] + 1, grid["nodes"]))
        for _ in range(3):
            w = sweep(w)
        times = 1 / sweep.gamma
        slopes = w[:, -1] / (np.sqrt(sweep.gamma) * sweep.z[-1])
        third, second = (np.abs(slopes / times**2 + np.interp(times, t, gains[n])).max() for n in (2, 1))
        rules.append({"linear": third, "linear_sweep": second})
    return two_rules(*rules, rounding=1e-6)


LOW = {"barrier": ["0.35", "1.4", "3.1"]}
HERE = "derived here, for a question of arXiv 2605.00229"
iteration = Theorem("learned.am_iteration", source=HERE, evidence="quadrature")
SETTING = "Over two equal modes with barriers R^2/(2 nu^2) of .35, 1.4 and 3.1 and the reward x"
study = Study(
    name="learned_iteration", title="Sweeps of adjoint matching with exact expectations",
    grid=Grid(barrier=list(LAWS)), measure=combine(matching, sampling, linear),
    variables={
        "ratio": Variable("Ratio of successive errors at the twelfth sweep, or the last above rounding"),
        "fall": Variable("Ratio of successive errors at the twelfth sweep over that at the sixth"),
        "sweeps": Variable("Sweeps until the error is at most 1e-3"),
        "fixed": Variable("Distance of the last sweep to s* - s"),
        "fixed_first": Variable("Distance of the first sweep to s* - s"),
        "ratio_sampling": Variable("Ratio of successive errors of adjoint sampling at the twelfth iteration"),
        "fall_sampling": Variable("Ratio of successive errors of adjoint sampling, twelfth over sixth iteration"),
        "linear": Variable("Largest gap between the gain of the third sweep and its recursion"),
        "linear_sweep": Variable("Largest gap between the gain of the third sweep and the recursion of the second"),
    },
    claims=[
        iteration.claim(regime="ratio", variable="ratio", where=LOW, test=Inside(0.0, 0.2),
                        statement=f"{SETTING} the error of adjoint matching falls at least fivefold in the twelfth "
                                  "sweep.",
                        control=Control("adjoint sampling with q = 2", variable="ratio_sampling")),
        iteration.claim(regime="super-geometric", variable="fall", where=LOW, test=Inside(0.0, 0.9),
                        statement=f"{SETTING} the ratio of successive errors of adjoint matching falls along the "
                                  "sweeps, sixth to twelfth.",
                        control=Control("adjoint sampling with q = 2", variable="fall_sampling")),
        iteration.claim(regime="at most 15 sweeps, low barriers", variable="sweeps", where=LOW,
                        test=Inside(0.0, 15.5),
                        statement=f"{SETTING} at most 15 sweeps reach the fixed point of adjoint matching to 1e-3.",
                        control=Control("a barrier of 8", where={"barrier": "8"})),
        iteration.claim(regime="at most 15 sweeps, barrier 8", variable="sweeps", where={"barrier": "8"},
                        test=Inside(0.0, 15.5), expect="refuted",
                        statement="Over two equal modes with a barrier of 8 and the reward x at most 15 sweeps reach "
                                  "the fixed point of adjoint matching to 1e-3."),
        iteration.claim(regime="fixed point", variable="fixed", where=LOW, test=Inside(-np.inf, 0.005),
                        statement=f"{SETTING} adjoint matching with exact expectations ends at s* - s.",
                        control=Control("the first sweep", variable="fixed_first")),
        Claim("learned.am_iteration",
              "Over N(0, 1) and r = -x^2 the third sweep has the gain of the closed recursion of the linear-quadratic "
              "case, within .02.",
              HERE, "quadrature", "linear", Inside(-np.inf, 0.02), regime="linear-quadratic",
              where={"barrier": "0.35"},
              control=Control("the recursion of the second sweep", variable="linear_sweep")),
    ],
)  # fmt: skip
