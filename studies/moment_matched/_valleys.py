"""Three modes at -1, 0 and 1 under moment matching: how clearly the density has two valleys."""

import numpy as np

import unifiedscore as us

PLACES = np.array([-1.0, 0.0, 1.0])
LINE = np.linspace(-1.5, 1.5, 1201)
WIDE = 8  # points of the line, 1/50 in all, that lie between two places at which the slope is compared


def depth(slope, wide=WIDE):
    """The largest m such that the slope is below -m, above m, below -m and above m at four places in this order.

    Positive: two valleys, and so three modes. The places are 1/50 apart, or where a valley is lost all four of them
    would meet at the top of a mode, at a depth of 0.
    """
    least = np.maximum.accumulate(-slope)
    for sign in (1, -1, 1):
        least = np.maximum.accumulate(np.minimum(least[:-wide], sign * slope[-len(least) + wide :]))
    return float(least[-1])


def measured(slope):
    """The depth, with its error: of the mesh, from every second point of it, and 2e-5 of the slope."""
    value = depth(slope)
    return {"value": value, "error": abs(value - depth(slope[::2], WIDE // 2)) + 2e-5}


def limit_depth(masses, noise_level, smoothing):
    """The depth of the limit law of many moment-matched particles, by the package."""
    data = us.Samples(PLACES[:, None], np.array(masses))
    score = us.SmoothedScore(data, noise_level, smoothing, noise="population")
    return measured(us.MomentMatchedTilt(score, us.solve_tilt(score))(LINE[:, None])[:, 0])
