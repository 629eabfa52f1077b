"""Two points +-1 with population noise: collapse, convergence in steps, and what starting late changes.

Paths come from the sampler. The flow is written out here, too (error function plus a local correction): as the second
route of the sampler, and for the laws of a thousand paths.
"""

import numpy as np
from _two_points import barycenter, fixed_point, flow
from scipy.special import ndtr, ndtri

import unifiedscore as us
from unifiedscore.study import Claim, Control, Grid, Inside, Limit, Rate, Study, Theorem, Variable, known

STEPS = [100 * 2**k for k in range(6)]
SMOOTHINGS = [0.3, 0.6, 0.9, 1.2]
TIMES = [0.2, 0.5, 0.8, 0.9]
TWO = np.array([[-1.0], [1.0]])
STARTS = ndtri((np.arange(1000) + 0.5) / 1000)
HERMITE = np.polynomial.hermite_e.hermegauss(80)


def hermite_center(z, time, smoothing):
    """What eighty Gauss-Hermite nodes make of the noise: a weighted tuple, with fixed points of its own."""
    nodes, weights = HERMITE
    c = time / (1.0 - time) ** 2
    return np.tanh(c * (z[:, None] + smoothing * nodes)) @ weights / weights.sum()


def late_start(time):
    """Midpoint quantiles of the unsmoothed law at this time."""
    x = np.linspace(-6, 6, 200_001)
    law = 0.5 * (ndtr((x - time) / (1 - time)) + ndtr((x + time) / (1 - time)))
    return np.interp((np.arange(1000) + 0.5) / 1000, law, x)


def distance(x, y):
    return float(np.sqrt(np.mean((np.sort(x) - np.sort(y)) ** 2)))


def sampled(start, steps, smoothing, time=0.0):
    """Ends of the sampler's paths under population noise."""
    start = np.reshape(start, (-1, 1))
    return us.sample_closed_form(
        TWO, len(start), n_steps=steps, smoothing=smoothing, noise=us.Noise("population"),
        start_time=time, start=start, rng=np.random.default_rng(0),
    ).samples[:, 0]  # fmt: skip


def converge(cell):
    smoothing, steps = cell["smoothing"], cell["n_steps"]
    target, _ = fixed_point(smoothing)
    end = sampled(2.5, steps, smoothing)[0]
    by_hand, hermite = (flow([2.5], steps, smoothing, center=center)[0] for center in (barycenter, hermite_center))
    # The noise integral of the sampler is good to 1e-12.
    values = {"end": end, "gap": abs(end - target), "end_hermite": hermite, "gap_hermite": abs(hermite - target)}
    gaps = {"recursion_gap": abs(end - by_hand), "recursion_gap_hermite": abs(end - hermite)}
    return known(values | gaps, 1e-11) | {"target": target}


def start_late(cell):
    smoothing, time, steps = cell["smoothing"], cell["start_time"], 200
    first = round(time * steps)
    early = flow(STARTS, steps, smoothing, last=first)
    late = late_start(time)
    at_start = distance(early, late)
    at_end = distance(flow(early, steps, smoothing, first=first), flow(late, steps, smoothing, first=first))
    few = late[::50]
    by_hand = flow(few, steps, smoothing, first=first)
    gaps = {
        "recursion_gap": np.abs(sampled(few, steps, smoothing, time) - by_hand).max(),
        "recursion_gap_hermite": np.abs(flow(few, steps, smoothing, first=first - 1) - by_hand).max(),
    }
    # Midpoint quantiles of a thousand paths: half a quantile, where the law is flat a few times that.
    return known(gaps, 1e-11) | {"at_start": known(at_start, 1e-4), "at_end": known(at_end, 1e-9)}


def measure(cell, rng):
    out = converge(cell) if cell["start_time"] == 0.0 else start_late(cell)
    # One half of the variables belongs to paths from time 0, the other to late starts.
    return dict.fromkeys(VARIABLES, np.nan) | out


def skip(cell):
    if cell["start_time"] > 0:
        return cell["n_steps"] != STEPS[1] or cell["smoothing"] not in (0.1, 0.4)
    most = {0.6: STEPS[-2], 1.2: STEPS[-1]}.get(cell["smoothing"], STEPS[2])
    return cell["smoothing"] in (0.1, 0.4) or cell["n_steps"] > most


def along_steps(low, high):
    return Rate(low, high, along="n_steps")


VARIABLES = {
    "end": Variable("End of the path from 2.5", symbol="z_S"),
    "end_hermite": Variable("End of the path from 2.5, the noise by 80 Gauss-Hermite nodes"),
    "target": Variable("Fixed point of the limit map", symbol="z_*"),
    "gap": Variable("Distance of the end of the path to the fixed point", symbol="|z_S - z*|"),
    "at_start": Variable("W2 between the smoothed and the unsmoothed law at T"),
    "at_end": Variable("W2 between the final laws of a full and a late start"),
    "gap_hermite": Variable("Distance of the end to the fixed point, the noise by 80 Gauss-Hermite nodes"),
    "recursion_gap": Variable("Largest distance of the sampler's ends to the recursion with the error function"),
    "recursion_gap_hermite": Variable(
        "Largest distance of the ends to a recursion with 80 Gauss-Hermite nodes or, after "
        "a late start, with one step more"
    ),
}
FULL = {"start_time": 0.0}
LATE = {"start_time": TIMES, "n_steps": STEPS[1]}
RHO = {s: fixed_point(s)[1] for s in SMOOTHINGS}
HERE = "derived here"
bifurcation = Theorem("closed_form.two_point_bifurcation", None, HERE, "quadrature", "end")
rate = Theorem("closed_form.step_rate",
               "For two points and population noise the end of a path errs by S^-(1-rho) after S steps, rho the slope "
               "of the limit map at its fixed point.",
               HERE, "quadrature", "gap")  # fmt: skip
recursion = Theorem("closed_form.two_point_flow", None, HERE, "quadrature", "recursion_gap", Inside(-np.inf, 1e-9))
study = Study(
    name="closed_form_two_points", title="Two points: collapse, convergence in steps, starting late",
    grid=Grid(smoothing=[0.1, 0.3, 0.4, 0.6, 0.9, 1.2], start_time=[0.0, *TIMES], n_steps=STEPS, skip=skip),
    measure=measure,
    variables=VARIABLES,
    claims=[
        *(
            bifurcation.claim(regime=regime, where={**FULL, "smoothing": s},
                              test=Limit(target - 1e-3, target + 1e-3, along="n_steps", order=1 - RHO[s]),
                              statement=statement,
                              control=Control("80 Gauss-Hermite nodes for the noise", variable="end_hermite"))
            for regime, s, target, statement in (
                ("below", 0.6, 0.8369681547,
                 "With population noise (M = infinity) and sigma = .6 a, below a sqrt(2/pi), the path from 2.5 a ends "
                 "at the fixed point z = a erf(z/(sigma sqrt 2))."),
                ("above", 1.2, 0.0,
                 "With population noise (M = infinity) and sigma = 1.2 a, above a sqrt(2/pi), the path from 2.5 a ends "
                 "at the midpoint; with a finite tuple only some do (closed_form.finite_collapse)."),
            )
        ),
        *(
            rate.claim(regime=f"sigma={s}", where={**FULL, "smoothing": s},
                       test=along_steps(RHO[s] - 1.02, RHO[s] - 0.98),
                       control=Control("80 Gauss-Hermite nodes for the noise", variable="gap_hermite"))
            for s in (0.6, 1.2)
        ),
        Claim("closed_form.start_time_final",
              "For two points of equal mass and sigma = a/10 the final law does not depend on the start time: symmetry "
              "fixes the masses, and paths end at the points.",
              "derived here; reviewers of arXiv 2310.12395 report 'harmless for sigma < .4'", "quadrature", "at_end",
              Inside(-1e-4, 1e-4), where={**LATE, "smoothing": 0.1},
              control=Control("sigma = .4 a", where={"smoothing": 0.4})),
        *(
            recursion.claim(regime=regime, where=where, control=Control(mutation, variable="recursion_gap_hermite"),
                            statement=f"With population noise the sampler's paths {words} are the Euler steps of "
                                      "E tanh(t (z + sigma e)/(1-t)^2), by an error function.")
            for regime, where, words, mutation in (
                ("from 0", {**FULL, "smoothing": SMOOTHINGS}, "from noise", "80 Gauss-Hermite nodes for the noise"),
                ("late start", {**LATE, "smoothing": [0.1, 0.4]}, "from T on", "one step more"),
            )
        ),
    ],
)  # fmt: skip
