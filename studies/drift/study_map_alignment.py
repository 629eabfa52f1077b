"""Where the Laplace drift points along its score difference: population cosines over dimension and bandwidth.

`ring_mog` has common norms and equal means. The bandwidth is a power of the dimension in one study, a fraction of the
typical distance rho of two points in the other. Maps judge the claim at every point of two axes:
`unifiedscore map --claim drift.alignment_region`.
"""

import math

import numpy as np
from _alignment import population
from _laws import pair

from unifiedscore.study import Control, Grid, Inside, Map, Study, Theorem, Variable

DIMENSIONS = [4**k for k in range(1, 11)]
FEW = [4, 256, 4**10]  # of the quick profile, which judges the claims; maps begin with the grid of the standard one
SOURCE = "Lai et al. 2026, arXiv 2603.07514"
VARIABLES = {"cosine": Variable("Cosine of drift and score difference", symbol="C")}


def rho(d):
    """Root of E|x|^2 + E|y|^2."""
    target, model, _ = pair("ring_mog", d)
    return math.sqrt(sum(float(np.trace(law.reduced().second_moment)) for law in (target, model)))


def measure_powers(cell, rng):
    return {"cosine": population("ring_mog", cell["dimension"], cell["dimension"] ** cell["exponent"])["cosine"]}


def measure_fractions(cell, rng):
    d = cell["dimension"]
    return {"cosine": population("ring_mog", d, cell["fraction"] * rho(d))["cosine"]}


region = Theorem("drift.alignment_region", source=SOURCE, evidence="quadrature", variable="cosine",
                 test=Inside(0.9, np.inf))  # fmt: skip
powers = Study(
    name="map_alignment", title="Where the Laplace drift is aligned with its score difference: powers of d",
    grid=Grid(dimension=FEW, exponent=[-0.75, 0.75]), measure=measure_powers, variables=VARIABLES,
    profiles={"standard": {"dimension": DIMENSIONS, "exponent": [-0.75 + 0.1875 * k for k in range(9)]}},
    claims=[
        region.claim(
            regime="powers", where={"exponent": -0.75},
            statement="Between rings of Gaussians with common norms, the cosine of Laplace drift and score difference "
                      "is at least .9 at the bandwidth d^-3/4, in 4 to 2^20 dimensions.",
            control=Control("the bandwidth d^3/4", where={"exponent": 0.75, "dimension": DIMENSIONS[-1]})),
    ],
    maps=[Map("drift.alignment_region (powers)", x="dimension", y="exponent")],
)  # fmt: skip
fractions = Study(
    name="map_alignment_fraction", title="Where the Laplace drift is aligned with its score difference: parts of rho",
    grid=Grid(dimension=FEW, fraction=[4.0**-6, 1.0]), measure=measure_fractions, variables=VARIABLES,
    profiles={"standard": {"dimension": DIMENSIONS, "fraction": [4.0**k for k in range(-6, 3)]}},
    claims=[
        region.claim(
            regime="fractions", where={"fraction": 4.0**-6},
            statement="Between rings of Gaussians with common norms, the cosine of Laplace drift and score difference "
                      "is at least .9 at a bandwidth of 1/4096 of the typical distance, in 4 to 2^20 dimensions.",
            control=Control("the typical distance as bandwidth", where={"fraction": 1.0, "dimension": DIMENSIONS[-1]})),
    ],
    maps=[Map("drift.alignment_region (fractions)", x="dimension", y="fraction")],
)  # fmt: skip
studies = [powers, fractions]
