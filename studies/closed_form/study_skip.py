"""What is lost when the step at t = 0 is skipped, as some implementations do: noise enters at t = 1/S as if at 0."""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Claim, Control, Grid, Identity, Rate, Study, Variable, known

PATHS = 100


def measure(cell, rng):
    count, steps = cell["n_points"], cell["n_steps"]
    points, start, noise = (rng.normal(size=shape) for shape in ((count, 2), (PATHS, 2), (PATHS, 4, 2)))

    def middle(first):
        """States at t = 1/2 of paths that take `start` for the state at step `first`."""
        found = us.sample_closed_form(
            points,
            PATHS,
            n_steps=steps,
            smoothing=0.5,
            noise=us.Noise("fixed", given=noise),
            start_time=first / steps,
            start=start,
            rng=np.random.default_rng(0),
            trajectory=True,
        )
        return found.trajectory[steps // 2 - first]

    moved = middle(1) - middle(0)
    size = np.sqrt((moved**2).sum(1).mean())
    predicted = 0.5 / (steps - 1) * (start - points[0])
    one = count == 1
    return {
        "moved": known(size, 1e-13),
        "gap": np.abs(moved - predicted).max() if one else np.nan,
        "gap_without_skip": np.abs(predicted).max() if one else np.nan,
        "scale": np.abs(start).max() + np.abs(points).max(),
    }


study = Study(
    name="closed_form_skip", title="Skipping the step at t = 0",
    grid=Grid(n_points=[1, 30], n_steps=[20, 40, 80, 160, 320, 640], paired=("n_steps",)), measure=measure,
    variables={
        "moved": Variable("Root mean square change of the states at t = 1/2 by skipping the first step"),
        "gap": Variable("Largest |change by skipping - (1-t)(z_0 - x_1)/(S-1)|"),
        "gap_without_skip": Variable("Largest |0 - (1-t)(z_0 - x_1)/(S-1)|: paths that skip nothing"),
        "scale": Variable("Size of the largest start and point"),
    },
    claims=[
        Claim("closed_form.skip_first_step",
              "For one training point x_1, skipping the step at t = 0 moves the state at t by (1-t)(z_0 - x_1)/(S-1).",
              "derived here; the skip is reported of public implementations", "exact", "gap",
              Identity(c=100, scale="scale"), regime="one point", where={"n_points": 1},
              control=Control("nothing is skipped", variable="gap_without_skip")),
        Claim("closed_form.skip_first_step",
              "For thirty training points, skipping the step at t = 0 moves the state at t = 1/2 by O(1/S).",
              "derived here; the skip is reported of public implementations", "quadrature", "moved",
              Rate(-1.1, -0.9, along="n_steps"), regime="thirty points", where={"n_points": 30},
              control=Control("rate S^-2", test=Rate(-2.1, -1.9, along="n_steps"))),
    ],
)  # fmt: skip
