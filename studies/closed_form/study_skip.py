"""What is lost when the step at t = 0 is skipped, as some implementations do: noise enters at t = 1/S as if at 0."""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Claim, Control, Grid, Identity, Rate, Study, Variable

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
            noise_draws=4,
            noise_policy="fixed",
            start_time=first / steps,
            start=start,
            noise=noise,
            rng=np.random.default_rng(0),
            trajectory=True,
        )
        return found.trajectory[steps // 2 - first]

    moved = middle(1) - middle(0)
    size = np.sqrt((moved**2).sum(1).mean())
    predicted = 0.5 / (steps - 1) * (start - points[0])
    one = count == 1
    return {
        "moved": size,
        "moved_error": 1e-13,
        "gap": np.abs(moved - predicted).max() if one else np.nan,
        "gap_without_skip": np.abs(predicted).max() if one else np.nan,
        "scale": np.abs(start).max() + np.abs(points).max(),
    }


study = Study(
    name="closed_form_skip",
    title="Skipping the step at t = 0",
    grid=Grid(n_points=[1, 30], n_steps=[20, 40, 80, 160, 320, 640], paired=("n_steps",)),
    measure=measure,
    variables={
        "moved": Variable("Root mean square change of the states at t = 1/2 by skipping the first step"),
        "gap": Variable("Change by skipping minus (1-t)(z_0 - x_1)/(S-1), largest"),
        "gap_without_skip": Variable("The same for paths that skip nothing"),
        "scale": Variable("Largest start and point"),
    },
    claims=[
        Claim(
            id="closed_form.skip_first_step",
            evidence="exact",
            variable="gap",
            regime="one point",
            test=Identity(c=100, scale="scale"),
            where={"n_points": 1},
            statement="skipping the step at t = 0 moves the state at t by (1-t)(z_0 - x_1)/(S-1)",
            source="derived here; the skip is reported of public implementations",
            control=Control("nothing is skipped", variable="gap_without_skip"),
        ),
        Claim(
            id="closed_form.skip_first_step",
            evidence="quadrature",
            variable="moved",
            regime="thirty points",
            test=Rate(-1.1, -0.9, along="n_steps"),
            where={"n_points": 30},
            statement="skipping the step at t = 0 moves the state at t = 1/2 by O(1/S)",
            source="derived here; the skip is reported of public implementations",
            control=Control("rate S^-2", test=Rate(-2.1, -1.9, along="n_steps")),
        ),
    ],
)
