"""Mode coverage of closed-form samples at several smoothings: three clusters of masses 1/2, 1/3 and 1/6 on the line.

Every training set has its clusters in exact proportion, so that what changes is the sampler's doing.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.metrics import mode_coverage
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable

MEANS, COUNTS, SPREAD = np.array([[-1.5], [0.2], [1.6]]), np.array([3, 2, 1]), 0.15
TRAINING, SAMPLES, DRAWS, STEPS = 120, 300, 4, 100


def clusters(n, rng):
    """n points in exact proportion, 3 : 2 : 1."""
    return np.repeat(MEANS, n // 6 * COUNTS, axis=0) + SPREAD * rng.normal(size=(n, 1))


def measure(cell, rng):
    data, run = rng.spawn(2)
    points, reference = clusters(TRAINING, data), clusters(SAMPLES, data)
    found = us.sample_closed_form(
        points, SAMPLES, n_steps=STEPS, smoothing=cell["smoothing"], noise=us.Noise("fixed_antithetic", draws=DRAWS),
        rng=run,
    ).samples  # fmt: skip
    masses = np.bincount(np.abs(found - MEANS[:, 0]).argmin(1), minlength=3) / SAMPLES
    near = np.abs(found - MEANS[:, 0]).min(1) < 3 * SPREAD
    held = mode_coverage(found, reference, np.repeat([0, 1, 2], SAMPLES // 6 * COUNTS))
    return {"masses": masses, "rarest": masses[2], "middle": masses[1],
            "coverage": held, "between": 1 - near.mean()}  # fmt: skip


SETTING = "three clusters of masses 1/2, 1/3 and 1/6 at -1.5, .2 and 1.6 (M = 4 antithetic fixed draws, S = 100)"
modes = Theorem("closed_form.mode_coverage", None, "derived here", "monte_carlo")
study = Study(
    name="closed_form_modes", title="Mode coverage of closed-form samples",
    grid=Grid(smoothing=[0.0, 0.6, 1.2], seed=range(80), paired=("smoothing",)), measure=measure,
    profiles={"standard": {"smoothing": [0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.2], "seed": range(128)}},
    variables={
        "masses": Variable("Mass of each mode", dims=("mode",), coords={"mode": ["first", "middle", "rarest"]}),
        "rarest": Variable("Mass of the rarest mode"),
        "middle": Variable("Mass of the middle mode"),
        "coverage": Variable("Mode coverage"),
        "between": Variable("Share of samples farther than three spreads from every cluster"),
    },
    claims=[
        modes.claim(regime="no smoothing", variable="coverage", where={"smoothing": 0.0}, test=Inside(0.95, np.inf),
                    statement=f"Without smoothing closed-form samples hold more than 95 % of the mass of {SETTING}.",
                    control=Control("sigma = 1.2", where={"smoothing": 1.2})),
        modes.claim(regime="sigma=0.6, middle", variable="middle", where={"smoothing": 0.6}, test=Inside(0.39, 0.52),
                    statement=f"At sigma = .6 the middle one of {SETTING} has 39 to 52 % of the samples instead of 33 "
                              f"%.",
                    control=Control("no smoothing", where={"smoothing": 0.0})),
        modes.claim(regime="sigma=0.6, between", variable="between", where={"smoothing": 0.6},
                    test=Inside(0.35, 0.5, of="median"),
                    statement=f"At sigma = .6 35 to 50 % of the samples of {SETTING} lie in none of them, as the "
                              "median over training sets.",
                    control=Control("no smoothing", where={"smoothing": 0.0})),
        modes.claim(regime="sigma=0.6, rarest", variable="rarest", where={"smoothing": 0.6}, test=Inside(0.11, 0.19),
                    statement=f"At sigma = .6 the rarest one of {SETTING} keeps its share of the samples, 11 to 19 %.",
                    control=Control("sigma = 1.2", where={"smoothing": 1.2})),
    ],
)  # fmt: skip
