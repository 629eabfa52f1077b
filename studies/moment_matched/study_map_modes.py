"""Where moment matching keeps three modes, over the smallest mass and the smoothing.

Three points one apart with the masses m, 1 - 2m and m and the noise level .2. The limit law of many particles keeps
three modes where the smoothing is small; the map shows how small it must be.
"""

import numpy as np
from _valleys import limit_depth

from unifiedscore.study import Claim, Control, Grid, Inside, Map, Study, Variable, known

MASSES = [0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 1 / 3]
SMOOTHINGS = [0.08 * 2 ** (k / 3) for k in range(10)]


def measure(cell, rng):
    mass = cell["mass"]
    found = limit_depth((mass, 1 - 2 * mass, mass), 0.2, cell["smoothing"])
    return known({"depth": found["value"]}, found["error"])


study = Study(
    name="map_modes", title="Three modes under moment matching over the smallest mass and the smoothing",
    grid=Grid(mass=[0.08, 1 / 3], smoothing=[SMOOTHINGS[0], SMOOTHINGS[-1]]), measure=measure,
    profiles={"standard": {"mass": MASSES, "smoothing": SMOOTHINGS}},
    variables={"depth": Variable("Depth of the shallower of two valleys", symbol="m")},
    claims=[
        Claim("moment_matched.modes_region",
              "Of three points one apart with outer masses of .08 or more and the noise level .2, the moment-matched "
              "limit law keeps the three modes at a smoothing of .08.",
              "derived here; the law is that of arXiv 2605.14276", "quadrature", "depth", Inside(0.0, np.inf),
              where={"mass": slice(0.08, None), "smoothing": SMOOTHINGS[0]},
              control=Control("a smoothing of .64", where={"smoothing": SMOOTHINGS[-1]})),
    ],
    maps=[Map("moment_matched.modes_region", x="mass", y="smoothing")],
)  # fmt: skip
