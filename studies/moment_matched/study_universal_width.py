"""The curvature that a smoothed score adds on the line, attacked: at most the width of the data.

V is the potential of the score of points on the line with noise level delta, averaged over a Gaussian of width s. The
quantity differentiates what `SmoothedScore` returns for population noise; the second route is the mean posterior
variance of the points over delta^4, by a trapezoidal rule.
"""

import math

import numpy as np

import unifiedscore as us
from unifiedscore.study import FalseVariant, Integer, Many, Real, Space, Study, Universal

STENCIL = np.array([-2.0, -1.0, 1.0, 2.0])
WEIGHTS = np.array([1.0, -8.0, 8.0, -1.0]) / 12  # a first derivative of fourth order
space = Space(
    points=Integer(2, 6),
    places=Many(Real(-1, 1, simple=(1.0, -1.0, 0.0, 0.5)), at_most=6, count="points"),
    noise_level=Real(0.05, 1.0, log=True, simple=(0.1, 0.5, 1.0)),
    smoothing=Real(0.1, 2.0, log=True, simple=(1.0, 0.5, 0.2)),
    at=Real(-1, 1, simple=(0.0, 0.5)),
    derive=lambda instance: {"width": float(np.ptp(instance["places"]))} if np.ptp(instance["places"]) > 0.2 else None,
)


def bound(instance):
    """width / (delta^2 s sqrt(2 pi))."""
    return instance["width"] / (instance["noise_level"] ** 2 * instance["smoothing"] * math.sqrt(2 * math.pi))


def quantity(share=1.0):
    def evaluate(instance):
        delta, s = instance["noise_level"], instance["smoothing"]
        score = us.SmoothedScore(np.array(instance["places"])[:, None], delta, s, noise="population")
        slopes = []
        for step in (0.05 * s, 0.1 * s):
            x = instance["at"] + step * STENCIL
            slopes.append(float(WEIGHTS @ score(x[:, None])[:, 0]) / step)
        value = (1 / delta**2 + slopes[0]) / (share * bound(instance))
        error = (abs(slopes[1] - slopes[0]) + 1e-6 / delta**2) / (share * bound(instance))
        return {"value": value, "error": error} if error < 0.1 else {"value": math.nan, "error": 0.0}

    return evaluate


def by_variance(share=1.0):
    def evaluate(instance):
        """The mean posterior variance of the points over delta^4, by a trapezoidal rule"""
        places, delta, s = np.array(instance["places"]), instance["noise_level"], instance["smoothing"]
        found = []
        for count in (20_001, 40_001):
            z = np.linspace(-9, 9, count)
            logs = -((instance["at"] + s * z[:, None] - places) ** 2) / (2 * delta**2)
            pi = np.exp(logs - logs.max(1, keepdims=True))
            pi /= pi.sum(1, keepdims=True)
            variance = pi @ places**2 - (pi @ places) ** 2
            density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
            found.append(float(variance @ density) * (z[1] - z[0]) / delta**4 / (share * bound(instance)))
        return {"value": found[1], "error": abs(found[1] - found[0]) + 1e-9}

    return evaluate


# Two points and little noise, in the middle: the posterior variance is a spike whose area is the width.
SPIKES = [space.instance(points=2, places=(1.0, -1.0), noise_level=delta, smoothing=1.0, at=0.0)
          for delta in (0.05, 0.1)]  # fmt: skip
study = Study(
    name="universal_width", title="The curvature of a smoothed score on the line",
    universals=[
        Universal("universal.width_bound",
                  "For 2 to 6 points in [-1, 1] that span more than .2, noise levels delta from .05 to 1, smoothing s "
                  "from .1 to 2 and states in [-1, 1], the potential of the smoothed score has 1/delta^2 - V'' at most "
                  "(max x - min x)/(delta^2 s sqrt(2 pi)).",
                  "derived here", space, quantity(), (-math.inf, 1.0), by_variance(),
                  FalseVariant("half of the width", quantity=quantity(0.5), second=by_variance(0.5)),
                  starts=SPIKES, sharpness=(0.95, 1.001)),
    ],
)  # fmt: skip
