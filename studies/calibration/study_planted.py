"""Calibration of the judge: planted cases, each with one thing wrong, must get the verdict that the fault deserves.

A case is a claim and two data sets. The planted one, with one thing wrong, must get the expected verdict; its twin, in
which that one thing is right or plainly decided, must not, or the judge would say the same of everything.
"""

from dataclasses import replace

import numpy as np
import xarray as xr
from _plants import PLANTS

from unifiedscore.inference import decide
from unifiedscore.study import Claim, Control, Derivation, Grid, Inside, Study, Variable, judge, judge_derivation

DESCRIBED = {plant.name: plant for plant in PLANTS}


def outcome(plant, data):
    """What the judge makes of the plant's claim on these data: variables of (axes, values)."""
    axes, test = plant.axes, plant.claim.test
    if not axes:
        return decide(test.estimate(data["y"], error=data["scale"], level=0.99), test.low, test.high)
    variables = {name: (tuple(axes), np.broadcast_to(values, [len(labels) for labels in axes.values()]))
                 for name, values in data.items()}  # fmt: skip
    study = Study(
        name="planted", title="A planted case", grid=Grid(**axes), measure=lambda cell, rng: {},
        variables={name: Variable(f"Synthetic value {name}") for name in data if not name.endswith("_error")},
        claims=[plant.claim],
    )  # fmt: skip
    (verdict,) = judge(study, xr.Dataset(variables, {axis: list(labels) for axis, labels in axes.items()}))
    return verdict.outcome


def measure(cell, rng):
    plant = DESCRIBED[cell["plant"]]
    if isinstance(plant.claim, Derivation):
        planted, sound = (judge_derivation(replace(plant.claim, **parts), rng).outcome
                          for parts in (plant.planted, plant.sound))  # fmt: skip
    else:
        planted, sound = (outcome(plant, data) for data in (plant.planted, plant.sound))
    return {"right": float(planted == plant.expected), "sound_alike": float(sound == plant.expected)}


study = Study(
    name="calibration_planted", title="Planted faults get the verdict they deserve",
    grid=Grid(plant=list(DESCRIBED)), measure=measure,
    variables={
        "right": Variable("Whether the planted case gets the expected verdict (1 or 0)"),
        "sound_alike": Variable("Whether its twin gets that verdict too (1 or 0)"),
    },
    claims=[
        Claim("calibration.planted",
              f"The verdict on a planted case is {plant.expected.replace('_', ' ')}: {plant.statement}.",
              "derived here, from the decision rule", "exact", "right", Inside(0.5, 1.5),
              where={"plant": plant.name}, regime=plant.name,
              control=Control("the twin in its place", variable="sound_alike"))
        for plant in PLANTS
    ],
)  # fmt: skip
