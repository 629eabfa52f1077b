"""A study of quick cells, there to be interrupted: a scalar, a vector and a cell that fails."""

import time

import numpy as np

from unifiedscore.study import Grid, Study, Variable

PAUSE = 0.015  # seconds; long enough to be hit while it measures


def measure(cell, rng):
    time.sleep(PAUSE)
    if cell["dimension"] == 8 and cell["seed"] == 0:
        raise ValueError("this cell always fails")
    draws = rng.standard_normal((64, cell["dimension"]))
    moment = draws.T @ draws / len(draws)
    return {"moment": np.trace(moment) / cell["dimension"], "spectrum": np.linalg.eigvalsh(moment)[-2:]}


study = Study(
    name="small",
    title="Second moments of a normal law",
    grid=Grid(dimension=[2, 4, 8], seed=range(10)),
    measure=measure,
    variables={
        "moment": Variable("Second moment", symbol="m"),
        "spectrum": Variable("Largest eigenvalues", dims=("place",), coords={"place": [2, 1]}),
    },
)
