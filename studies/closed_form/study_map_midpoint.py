"""How much of the mass a smoothed closed-form sampler leaves between two points, over the smoothing and the draws.

Two points +-1, a tuple of M Gaussian draws per path that is fixed along it, fifty Euler steps. With many draws the mass
goes to the points or, above the collapse at sigma = sqrt(2/pi), to the midpoint; with few it does both.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Map, Proportion, Study, Theorem, Variable

PATHS, STEPS = 400, 50
TWO = np.array([[-1.0], [1.0]])
SMOOTHINGS = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6]
DRAWS = [2, 4, 8, 16, 32, 64]


def measure(cell, rng):
    """With an even number of draws: an odd one leaves no path exactly at the midpoint."""
    noise = us.Noise("fixed", draws=2 * round(cell["draws"] / 2))
    found = us.sample_closed_form(TWO, PATHS, n_steps=STEPS, smoothing=cell["smoothing"], noise=noise, rng=rng)
    return {"midpoint": float((np.abs(found.samples) < 0.25).mean())}


region = Theorem("closed_form.midpoint_region", None, "derived here", "monte_carlo", "midpoint",
                 Proportion(0.0, 0.25, trials=PATHS))  # fmt: skip
study = Study(
    name="map_midpoint", title="The mass between two points over smoothing and draws",
    grid=Grid(smoothing=[0.4, 1.6], draws=[2, 64], seed=range(16)), measure=measure,
    profiles={"standard": {"smoothing": SMOOTHINGS, "draws": DRAWS}},
    variables={"midpoint": Variable("Share of samples within a quarter of the midpoint", symbol="P(0)")},
    claims=[
        region.claim(
            where={"smoothing": 0.4},
            statement="With fixed draws and a smoothing of .4 half-distances at most a quarter of the samples of two "
                      "points lies within a quarter of their midpoint, for 2 to 64 draws.",
            control=Control("a smoothing of 1.6", where={"smoothing": 1.6})),
    ],
    maps=[Map("closed_form.midpoint_region", x="smoothing", y="draws", levels=2)],
)  # fmt: skip
