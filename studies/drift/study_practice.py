"""Alignment at the bandwidths of practice, tau/rho = .02, .05 and .2 in every dimension, for population fields.

Published training divides features by their mean distance, so that the bandwidth is a fixed share of the typical
distance rho ~ sqrt d: the scaling in which, at equal means and different traces, drift and score part.
"""

import numpy as np
from _laws import pair

import unifiedscore as us
from unifiedscore.metrics import global_cosine
from unifiedscore.study import Control, Grid, Inside, Rate, Study, Theorem, Variable, two_rules

SHARES = [0.02, 0.05, 0.2]
ORDERS = {"ring_mog": (5, 7), "ring_mog_shifted": (3, 4)}
COSINES = {1024: (0.9978, 0.9766, 0.7670), 16384: (0.9101, 0.6715, 0.2735)}


def measure(cell, rng):
    name, share = cell["dataset"], cell["share"]
    *laws, components = pair(name, cell["dimension"])
    target, model = (law.reduced() for law in laws)
    rho = np.sqrt(sum(float(np.trace(law.second_moment)) for law in (target, model)))
    kernel = us.Laplace(bandwidth=share * rho)
    fields = [field(kernel, target=target, model=model) for field in (us.Drift, us.ScoreDifference)]
    low, high = (
        {"cosine": global_cosine(*(field(x) for field in fields), w)}
        for x, w in (model.quadrature(order=order, components=components) for order in ORDERS[name])
    )
    return two_rules(low, high)


RING, SHIFTED = {"dataset": "ring_mog"}, {"dataset": "ring_mog_shifted"}
cosine = Theorem("drift.practice_cosine", None, "found here; bandwidths of Deng et al. 2026, arXiv 2602.04770, A.6",
                 "quadrature", "cosine", control=Control("the means differ by 1", where=SHIFTED))  # fmt: skip
study = Study(
    name="drift_practice", title="Alignment of the Laplace drift at the bandwidths of practice",
    grid=Grid(dataset=list(ORDERS), dimension=[64, 1024, 16384, 65536, 2**18, 2**20], share=SHARES,
              skip=lambda cell: cell["dataset"] == "ring_mog_shifted" and cell["share"] < 0.2
              and cell["dimension"] not in COSINES),
    measure=measure,
    variables={"cosine": Variable("Cosine between Laplace drift and score difference of population fields",
                                  symbol="gcos")},
    claims=[
        *(
            cosine.claim(regime=f"d={d}, tau/rho={share:g}", where=RING | {"dimension": d, "share": share},
                         test=Inside(value - 2e-4, value + 2e-4),
                         statement=f"Between rings with equal means in {d} dimensions, tau = {share:g} rho, drift and "
                                   f"score difference have the cosine {value:.3f}.")
            for d, values in COSINES.items() for share, value in zip(SHARES, values, strict=True)
        ),
        cosine.claim(regime="large d", where=RING | {"share": 0.2, "dimension": slice(16384, None)},
                     test=Rate(-0.55, -0.45, along="dimension"),
                     statement="Between rings with equal means the cosine of drift and score difference falls like "
                               "d^-1/2 at bandwidth .2 rho."),
    ],
)  # fmt: skip
