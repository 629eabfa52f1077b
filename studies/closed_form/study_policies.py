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
        found = us.sample_closed_form(
            TWO,
            PATHS,
            n_steps=cell["n_steps"],
            smoothing=SMOOTHING,
            rng=rng,
            noise_draws=cell["draws"],
            noise_policy=cell["policy"],
        )
        end = found.samples[:, 0]
    return {"midpoint": float((np.abs(end) < 0.25).mean()), "variance": float(end.var())}


def skip(cell):
    return cell["draws"] == 8 and (cell["policy"] != "fixed" or cell["n_steps"] != 200)


study = Study(
    name="closed_form_policies",
    title="Noise policies are part of the model",
    grid=Grid(policy=[*GOLDEN, "population"], n_steps=[200], draws=[2, 8], seed=range(16), skip=skip),
    measure=measure,
    profiles={"standard": {"n_steps": [50, 200, 800, 3200, 12800]}},
    variables={
        "midpoint": Variable("Share of samples within a quarter of the midpoint", symbol="P(0)"),
        "variance": Variable("Variance of the samples"),
    },
    claims=[
        *(
            Claim(
                id="closed_form.noise_policy",
                evidence="monte_carlo",
                variable="midpoint",
                regime=policy,
                test=Inside(share - 0.025, share + 0.025),
                where={"policy": policy, "n_steps": 200, "draws": 2},
                statement=f"with {policy.replace('_', ' ')} noise the midpoint has the mass {share}",
                source="derived here",
                control=Control(f"the law of {other} noise", where={"policy": other}),
            )
            for policy, share, other in (
                ("fixed", 0.156, "fresh"),
                ("fixed_antithetic", 0.354, "fixed"),
                ("fresh", 0.104, "fresh_antithetic"),
                ("fresh_antithetic", 0.177, "fixed_antithetic"),
            )
        ),
        Claim(
            id="closed_form.fresh_not_population",
            evidence="monte_carlo",
            variable="midpoint",
            regime="S=12800",
            test=Inside(0.05, 1.0),
            where={"policy": "fresh", "n_steps": 12800, "draws": 2},
            statement="with fresh noise the law does not tend to that of the population as S grows",
            source="derived here; the limit is unknown",
            control=Control("population noise", where={"policy": "population"}),
            profile="standard",
        ),
        Claim(
            id="closed_form.fresh_not_population",
            evidence="monte_carlo",
            variable="midpoint",
            regime="S=200",
            test=Inside(0.05, 1.0),
            where={"policy": "fresh", "n_steps": 200, "draws": 2},
            statement="with fresh noise and 200 steps the midpoint keeps more than 5 % of the mass",
            source="derived here",
            control=Control("population noise", where={"policy": "population"}),
        ),
        Claim(
            id="closed_form.m_dependence",
            evidence="monte_carlo",
            variable="variance",
            test=Inside(0.02, np.inf),
            where={"policy": "fixed", "n_steps": 200, "draws": 2},
            minus={"draws": 8},
            statement="the variance of the samples depends on M: larger for M = 2 than for M = 8",
            source="reported in public reviews; checked here",
            control=Control("the variance is larger for M = 8", test=Inside(-np.inf, -0.02)),
        ),
    ],
)
