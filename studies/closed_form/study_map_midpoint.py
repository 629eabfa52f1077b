"""How much of the mass a smoothed closed-form sampler leaves between two points, over the smoothing and the draws.

Two points +-1, a tuple of M Gaussian draws per path that is fixed along it, fifty Euler steps. With many draws the mass
goes to the points or, above the collapse at sigma = sqrt(2/pi), to the midpoint. With few it lies at the M + 1 places
2k/M - 1: one at a place a counts as 1 - |a| to the midpoint, so that no place enters or leaves a window as M grows.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Inside, Map, Study, Theorem, Variable

PATHS, STEPS = 400, 50
TWO = np.array([[-1.0], [1.0]])
SMOOTHINGS = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6]
PAIRS = [1, 2, 4, 8, 16, 32]


def measure(cell, rng):
    """With pairs of draws, so that one of the places 2k/M - 1 is the midpoint itself."""
    noise = us.Noise("fixed", draws=2 * cell["pairs_of_draws"])
    found = us.sample_closed_form(TWO, PATHS, n_steps=STEPS, smoothing=cell["smoothing"], noise=noise, rng=rng)
    return {"midpoint": float(np.maximum(1 - np.abs(found.samples), 0.0).mean())}


region = Theorem("closed_form.midpoint_region", None, "derived here", "monte_carlo", "midpoint",
                 Inside(-np.inf, 0.5))  # fmt: skip
study = Study(
    name="map_midpoint", title="The mass between two points over smoothing and draws",
    grid=Grid(smoothing=[0.4, 1.6], pairs_of_draws=[1, 32], seed=range(16)), measure=measure,
    profiles={"standard": {"smoothing": SMOOTHINGS, "pairs_of_draws": PAIRS}},
    variables={"midpoint": Variable("Share of the mass at the midpoint, a place a counted as 1 - |a|")},
    claims=[
        region.claim(
            where={"smoothing": 0.4},
            statement="With fixed draws and a smoothing of .4 half-distances at most half of the mass of two "
                      "points +-1 is at their midpoint, a place a counted as 1 - |a|, for 2 to 64 draws.",
            control=Control("a smoothing of 1.6", where={"smoothing": 1.6})),
    ],
    maps=[Map("closed_form.midpoint_region", x="smoothing", y="pairs_of_draws", levels=2)],
)  # fmt: skip
