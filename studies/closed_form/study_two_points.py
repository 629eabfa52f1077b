"""Two points +-1 with population noise: collapse, convergence in steps, and what starting late changes.

The flow is written out here (error function plus a local correction), not taken from the library's quadrature.
"""

import numpy as np
from _two_points import fixed_point, flow
from scipy.special import gamma, ndtr, ndtri

from unifiedscore.study import Claim, Control, Grid, Inside, Limit, Rate, Study, Theorem, Variable, known

STEPS = [100 * 2**k for k in range(6)]
SMOOTHINGS = [0.3, 0.6, 0.9, 1.2]
TIMES = [0.2, 0.5, 0.8, 0.9]
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


def growth(smoothing, time):
    """The exponential bound on W2 at T, and the same integral without its exponential factor; R = 2, D = 1."""
    s = np.linspace(0.0, time, 20_001)
    noise = smoothing * np.sqrt(2) * gamma(1.0) / gamma(0.5)
    source = np.minimum(2.0, noise * s / (1 - s) ** 2) / (1 - s)
    primitive = lambda u: (2 * u - 1) / (2 * (1 - u) ** 2) + np.log(1 - u)
    return np.trapezoid(source * np.exp(primitive(time) - primitive(s)), s), np.trapezoid(source, s)


def converge(cell):
    smoothing, steps = cell["smoothing"], cell["n_steps"]
    target, _ = fixed_point(smoothing)
    end = flow([2.5], steps, smoothing)[0]
    hermite = flow([2.5], steps, smoothing, center=hermite_center)[0]
    # Errors contract along the path: what remains is the rounding of the last steps.
    return known({"end": end, "gap": abs(end - target), "end_hermite": hermite}, 1e-13) | {"target": target}


def start_late(cell):
    smoothing, time, steps = cell["smoothing"], cell["start_time"], 200
    first = round(time * steps)
    early = flow(STARTS, steps, smoothing, last=first)
    late = late_start(time)
    at_start = distance(early, late)
    at_end = distance(flow(early, steps, smoothing, first=first), flow(late, steps, smoothing, first=first))
    bound, plain = growth(smoothing, time)
    gaps = {
        "at_start": at_start,
        "over_exponential": at_start - bound,
        "over_hull": at_start - 2 * time,
        "over_tenth": at_start - 0.1 * plain,
        "over_tenth_hull": at_start - 0.2 * time**2,
    }
    # Midpoint quantiles of a thousand paths: half a quantile, where the law is flat a few times that.
    return known(gaps, 1e-4) | {"at_end": known(at_end, 1e-9)}


def measure(cell, rng):
    out = converge(cell) if cell["start_time"] == 0.0 else start_late(cell)
    # One half of the variables belongs to paths from time 0, the other to late starts.
    return dict.fromkeys(VARIABLES, np.nan) | out


def skip(cell):
    if cell["start_time"] > 0:
        return cell["n_steps"] != STEPS[1] or cell["smoothing"] not in (0.1, 0.4)
    return cell["smoothing"] in (0.1, 0.4)


def along_steps(low, high):
    return Rate(low, high, along="n_steps")


VARIABLES = {
    "end": Variable("End of the path from 2.5", symbol="z_S"),
    "end_hermite": Variable("End of the path from 2.5, the noise by 80 Gauss-Hermite nodes"),
    "target": Variable("Fixed point of the limit map", symbol="z_*"),
    "gap": Variable("Distance of the end of the path to the fixed point", symbol="|z_S - z*|"),
    "at_start": Variable("W2 between the smoothed and the unsmoothed law at T"),
    "at_end": Variable("W2 between the final laws of a full and a late start"),
    "over_exponential": Variable("W2 at T minus the exponential bound"),
    "over_hull": Variable("W2 at T minus T R"),
    "over_tenth": Variable("W2 at T minus a tenth of the bound without its exponential factor"),
    "over_tenth_hull": Variable("W2 at T minus T^2 R/10"),
}
FULL = {"start_time": 0.0}
LATE = {"start_time": TIMES, "n_steps": STEPS[1]}
RHO = {s: fixed_point(s)[1] for s in SMOOTHINGS}
SOURCE = "derived here; name of the theorem in Scarvelis et al. 2025, arXiv 2310.12395, Thm 5.2"
HERE = "derived here"
BOUNDED, WIDER = Inside(-np.inf, 0.0), {**LATE, "smoothing": [0.1, 0.4]}
bifurcation = Theorem("closed_form.two_point_bifurcation", None, HERE, "quadrature", "end")
rate = Theorem("closed_form.step_rate",
               "The error of S steps falls like S^-(1-rho), rho the slope of the limit map at its fixed point.",
               HERE, "quadrature", "gap")  # fmt: skip
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
                 "Below sigma = a sqrt(2/pi) paths end at the fixed point z = a erf(z/(sigma sqrt 2))."),
                ("above", 1.2, 0.0, "Above sigma = a sqrt(2/pi) every path ends at the midpoint."),
            )
        ),
        *(
            rate.claim(regime=f"sigma={s}", where={**FULL, "smoothing": s},
                       test=along_steps(RHO[s] - 1.02, RHO[s] - 0.98),
                       control=Control("rate S^-1", test=along_steps(-1.02, -0.98)))
            for s in (0.6, 1.2)
        ),
        Claim("closed_form.start_time_bound",
              "W2 between the smoothed and the unsmoothed law at T is at most the Gronwall bound, which says nothing "
              "for T >= .8.",
              SOURCE, "quadrature", "over_exponential", BOUNDED, where=WIDER,
              control=Control("a tenth of the bound without its exponential factor", variable="over_tenth")),
        Claim("closed_form.start_time_hull_bound",
              "W2 between the smoothed and the unsmoothed law at T is at most T R: both flows share (1-T) z_0.",
              HERE, "quadrature", "over_hull", BOUNDED, where=WIDER,
              control=Control("T^2 R/10", variable="over_tenth_hull")),
        Claim("closed_form.start_time_final", "For sigma = a/10 the final law does not depend on the start time.",
              "derived here; reviewers of arXiv 2310.12395 report 'harmless for sigma < .4'", "quadrature", "at_end",
              Inside(-1e-4, 1e-4), where={**LATE, "smoothing": 0.1},
              control=Control("sigma = .4 a", where={"smoothing": 0.4})),
    ],
)  # fmt: skip
