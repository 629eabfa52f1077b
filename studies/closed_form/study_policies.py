"""Noise policies change the law: two points +-1, sigma = .5, share of samples at the midpoint."""

import numpy as np
from _two_points import flow

import unifiedscore as us
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

PATHS, SMOOTHING = 800, 0.5
TWO = np.array([[-1.0], [1.0]])
GOLDEN = {"fixed": 0.156, "fixed_antithetic": 0.354, "fresh": 0.104, "fresh_antithetic": 0.177}


def measure(cell, rng):
    if cell["policy"] == "population":
        end = flow(rng.standard_normal(PATHS // 4), cell["n_steps"], SMOOTHING)
    else:
        noise = us.Noise(cell["policy"], draws=cell["draws"])
        found = us.sample_closed_form(TWO, PATHS, n_steps=cell["n_steps"], smoothing=SMOOTHING, noise=noise, rng=rng)
        end = found.samples[:, 0]
    return {"midpoint": float((np.abs(end) < 0.25).mean()), "variance": float(end.var())}


def skip(cell):
    return cell["draws"] == 8 and (cell["policy"] != "fixed" or cell["n_steps"] != 200)


study = Study(
    name="closed_form_policies", title="Noise policies are part of the model",
    grid=Grid(policy=[*GOLDEN, "population"], n_steps=[200], draws=[2, 8], seed=range(16), skip=skip), measure=measure,
    profiles={"standard": {"n_steps": [50, 200, 800, 3200, 12800]}},
    variables={
        "midpoint": Variable("Share of samples within a quarter of the midpoint", symbol="P(0)"),
        "variance": Variable("Variance of the samples"),
    },
    claims=[
        *(
            Claim("closed_form.noise_policy",
                  f"With {policy.replace('_', ' ')} noise and two draws the midpoint of two points has the mass "
                  f"{share}.",
                  "derived here", "monte_carlo", "midpoint", Inside(share - 0.025, share + 0.025),
                  regime=policy, where={"policy": policy, "n_steps": 200, "draws": 2},
                  control=Control(f"the law of {other} noise", where={"policy": other}))
            for policy, share, other in (
                ("fixed", 0.156, "fresh"),
                ("fixed_antithetic", 0.354, "fixed"),
                ("fresh", 0.104, "fresh_antithetic"),
                ("fresh_antithetic", 0.177, "fixed_antithetic"),
            )
        ),
        Claim("closed_form.fresh_not_population",
              "With fresh noise the law does not tend to that of the population as the number of steps grows.",
              "derived here; the limit is unknown", "monte_carlo", "midpoint", Inside(0.05, 1.0),
              regime="S=12800", where={"policy": "fresh", "n_steps": 12800, "draws": 2}, profile="standard",
              control=Control("population noise", where={"policy": "population"})),
        Claim("closed_form.fresh_not_population",
              "With fresh noise and 200 steps the midpoint keeps more than 5 % of the mass.",
              "derived here", "monte_carlo", "midpoint", Inside(0.05, 1.0),
              regime="S=200", where={"policy": "fresh", "n_steps": 200, "draws": 2},
              control=Control("population noise", where={"policy": "population"})),
        Claim("closed_form.m_dependence",
              "With fixed noise the variance of the samples is larger for M = 2 draws than for M = 8.",
              "reported in public reviews; checked here", "monte_carlo", "variance", Inside(0.02, np.inf),
              where={"policy": "fixed", "n_steps": 200, "draws": 2}, minus={"draws": 8},
              control=Control("the variance is larger for M = 8", test=Inside(-np.inf, -0.02))),
    ],
)  # fmt: skip
