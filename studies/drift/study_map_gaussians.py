"""Where the matched Gaussian explains the Laplace drift, and where drift and score oppose each other, over the norms.

Family G of two Gaussians with common eigenspaces, halves of the dimension: the model has the eigenvalues .01 and 1, the
target .06 and what the excess of its norm leaves, so that the norms E|x|^2 differ by the factor 1 + excess. The
bandwidth is a twentieth of the typical distance. Maps judge the claims over dimension and excess.
"""

import numpy as np
from _eigenspaces import Pair, measured

from unifiedscore.study import Claim, Control, Grid, Inside, Map, Study, Variable, known

FRACTION = 0.05
DERIVED = "derived here"


def measure(cell, rng):
    d, excess = cell["dimension"], cell["excess"]
    count, model = np.array([d / 2, d / 2]), np.array([0.01, 1.0])
    target = np.array([0.06, (1 + excess) * model.sum() - 0.06])
    pair = Pair(target, model, count, FRACTION * np.sqrt(float(count @ (target + model))))
    found = {"matched": measured(pair, "matched", float(d)), "matched_two": measured(pair, "matched_two", float(d)),
             "cosine": measured(pair, "cosine")}  # fmt: skip
    return {name: known(entry["value"], entry["error"]) for name, entry in found.items()}


study = Study(
    name="map_gaussians", title="Pairs of Gaussians over dimension and the difference of their norms",
    grid=Grid(dimension=[4**k for k in range(2, 11)], excess=[1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]),
    measure=measure,
    variables={
        "matched": Variable("Relative error of the Gaussian of one bandwidth, times d"),
        "matched_two": Variable("Relative error of the Gaussians of two bandwidths, times d"),
        "cosine": Variable("Cosine of Laplace drift and score difference"),
    },
    claims=[
        Claim("drift.matched_region",
              "Between two Gaussians of family G whose norms differ by one part in a million, the matched Gaussian of "
              "one bandwidth errs by at most 10/d, in 16 to 2^20 dimensions.",
              DERIVED, "quadrature", "matched", Inside(-np.inf, 10.0), where={"excess": 1e-6},
              control=Control("norms that differ by a tenth", where={"excess": 0.1, "dimension": 4**10})),
        Claim("drift.cosine_region",
              "Between two Gaussians of family G in 16 dimensions whose norms differ by one part in a million to a "
              "tenth, drift and score difference do not oppose each other.",
              DERIVED, "quadrature", "cosine", Inside(0.0, np.inf), where={"dimension": 16},
              control=Control("a million dimensions", where={"dimension": 4**10})),
    ],
    maps=[Map("drift.matched_region", x="dimension", y="excess"),
          Map("drift.cosine_region", x="dimension", y="excess")],
)  # fmt: skip
