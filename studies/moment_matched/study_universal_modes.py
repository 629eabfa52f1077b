"""Does moment matching keep three modes on the line? Attacked over masses and smoothing, at equal spacing.

The limit law of many particles has the density exp(E log Z(z + s e) - lambda z - Lambda z^2 / 2). Three modes are left
where its slope is negative, positive, negative and positive at four places in this order; the quantity is the smallest
of the four sizes at the best places. It comes from `SmoothedScore`, `solve_tilt` and `MomentMatchedTilt`; the second
route averages barycenters by a trapezoidal rule and solves for the moments anew.
"""

import numpy as np
from _valleys import LINE, PLACES, limit_depth, measured

from unifiedscore.study import FalseVariant, Real, Simplex, Space, Study, Universal

space = Space(
    masses=Simplex(3, floor=0.1),
    smoothing=Real(0.08, 0.2, simple=(0.2, 0.1)),
    noise_level=Real(0.12, 0.2, simple=(0.2,)),
)


def quantity(factor=1.0):
    """With `factor` times the smoothing."""

    def evaluate(instance):
        return limit_depth(instance["masses"], instance["noise_level"], factor * instance["smoothing"])

    return evaluate


def smoothed_slope(z, masses, delta, s):
    """(E barycenter(z + s e) - z) / delta^2, by a rule of spacing s/40."""
    noise = np.linspace(-8.5, 8.5, 681)
    logs = np.log(masses) - (z[:, None, None] + s * noise[:, None] - PLACES) ** 2 / (2 * delta**2)
    pi = np.exp(logs - logs.max(-1, keepdims=True))
    barycenter = (pi @ PLACES) / pi.sum(-1)
    density = np.exp(-(noise**2) / 2)
    return (barycenter @ density / density.sum() - z) / delta**2


def again(factor=1.0):
    def evaluate(instance):
        """Barycenters averaged by a trapezoidal rule, and multipliers from moments on a lattice"""
        masses, delta, s = np.array(instance["masses"]), instance["noise_level"], factor * instance["smoothing"]
        wide = np.linspace(-3.0, 3.0, 2401)
        slope = smoothed_slope(wide, masses, delta, s)
        steps = np.diff(wide) * (slope[1:] + slope[:-1]) / 2
        log_density = np.append(0.0, np.cumsum(steps))
        powers = np.stack([wide, wide**2 / 2])
        mean = masses @ PLACES
        wanted = np.array([mean, (masses @ PLACES**2 + delta**2) / 2])
        tilt = np.zeros(2)
        for _ in range(30):
            logs = log_density - tilt @ powers
            density = np.exp(logs - logs.max())
            density /= density.sum()
            moments = powers @ density
            gaps = powers - moments[:, None]
            tilt = tilt + np.linalg.solve((gaps * density) @ gaps.T, moments - wanted)
        inside = (wide > LINE[0] - 1e-9) & (wide < LINE[-1] + 1e-9)
        return measured((slope - tilt[0] - tilt[1] * wide)[inside])

    return evaluate


study = Study(
    name="universal_modes", title="Three modes under moment matching",
    universals=[
        Universal("universal.modes_moment_matched",
                  "For three points one apart with masses of at least .1, noise levels from .12 to .2 and smoothing "
                  "from .08 to .2, the moment-matched limit law has three modes, with valleys at least 1/50 wide.",
                  "derived here; the law is that of arXiv 2605.14276", space, quantity(), (0.0, np.inf), again(),
                  FalseVariant("smoothing up to 1/3: five thirds of it", quantity=quantity(5 / 3), second=again(5 / 3)),
                  unit=1.0),
    ],
)  # fmt: skip
