"""Work identities with a deliberately wrong escort: exact at five steps, or O(h), each as theory says.

Annealing from N(0, 1) to N(2, 1/4): Z_1/Z_0 = 1/2, free energy log 2.
"""

from dataclasses import replace

import numpy as np

import unifiedscore as us
from unifiedscore.references import LinearStep, log_expectation
from unifiedscore.samplers import (
    EscortedLangevin,
    GaussianPath,
    bennett,
    crooks_histogram,
    effective_sample_size,
    jarzynski,
    log_mean_exp,
    tilted_crooks,
)
from unifiedscore.study import Claim, Control, Grid, Hypothesis, Inside, Limit, Rate, Study, Theorem, Variable

PATH = GaussianPath([[0.0], [2.0]], (1.0, 0.5))
PROCESS = us.TiltedProcess(us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7], 0.5), "rectified_flow")
MIXTURE = us.TiltedProcess(us.GaussianMixture([[-1.5], [1.5]], 0.36), us.QuadraticReward([0.8], 0.3), "rectified_flow")
N = 20_000
EDGES = np.linspace(-1, 4, 11)
EPSILON = 0.8


def wrong(x, t):
    """An escort that is not even close."""
    return 0.9 + 0.4 * np.sin(x)


AT = {"kernels": [5], "girsanov": [10], "escort": [20, 40, 80, 160, 320, 640], "subtracted": [20, 40, 80, 160]}


def skip(cell):
    return cell["steps"] not in AT[cell["law"]]


def measure(cell, rng):
    out = {"kernels": kernels, "girsanov": girsanov, "escort": escort, "subtracted": subtracted}[cell["law"]](
        cell["steps"], rng
    )
    return {name: np.nan for name in NAMES} | {name: np.full(10, np.nan) for name in DENSITIES} | out


def kernels(steps, rng):
    """Every exact consequence of the kernel identity, and what breaks it."""
    first, second, third = rng.spawn(3)
    path = PATH.path()
    sampler = EscortedLangevin(path, n_steps=steps, diffusivity=EPSILON, escort=wrong)
    forward, backward = sampler.run_forward(N, first), sampler.run_backward(N, second)
    ratio = np.exp(-forward.work)
    table = crooks_histogram(forward.work, backward.work, EDGES, free_energy=PATH.free_energy)
    clipped = replace(sampler, forward=lambda x, t: wrong(x, t) - EPSILON * np.clip(path.gradient(x, t), -1, 1))
    paths = clipped.run_forward(N, third, keep=True)
    start = path.potential(paths.trajectory[0], 0.0)
    low, high = table.forward[1], table.backward[1]
    return {
        "ratio": ratio.mean(),
        "mean": np.mean(ratio * forward.points[:, 0]) / 0.5,
        "ratio_clipped": np.exp(-paths.work).mean(),
        "ratio_mismatched": np.exp(-sampler.work_of(paths.trajectory)).mean(),
        "ratio_no_start": np.exp(-paths.work - start).mean(),
        "bar": bennett(forward.work, backward.work),
        "bar_reversed": bennett(-backward.work, -forward.work),
        "forward_density": table.forward / np.diff(EDGES),
        "backward_density": table.backward / np.diff(EDGES),
        "reweighted_density": table.reweighted / np.diff(EDGES),
        "crooks_gap": table.reweighted[2] - table.backward[2],
        "crooks_gap_unweighted": low - high,
        "reverse": np.exp(backward.work).mean() / 2,
        "jarzynski": jarzynski(forward.work),
        "effective_share": effective_sample_size(-forward.work) / N,
        "reverse_share": effective_sample_size(backward.work) / N,
    }


def girsanov(steps, rng):
    """Weights relative to the Euler base chain, whose normaliser at finite h is a recursion."""
    times = np.linspace(0.05, 1 - 1e-6, steps + 1)
    run = us.simulate(PROCESS, 5 * N, rng, times=times, control=timid)
    value = np.exp(log_mean_exp(run.log_weight))
    return {
        "girsanov": value / chain_value(times),
        "girsanov_continuous": value / np.exp(PROCESS.log_normalizer),
    }


def timid(x, t):
    """Nine tenths of the optimal control."""
    variance = PROCESS.schedule.variance
    tilted = -(x - t * PROCESS.target.mean) / variance(t, float(PROCESS.target.variances[0]))
    return 0.9 * PROCESS.schedule.sigma(t) * (tilted + (x - 0.3 * t) / variance(t, 1.69))


def chain_value(times):
    chain = []
    for t, h in zip(times[:-1], np.diff(times), strict=True):
        kappa, gain = PROCESS.drift_rates(t)
        variance, alpha = PROCESS.schedule.variance(t, 1.69), PROCESS.schedule.alpha(t)
        drift = kappa - gain / variance
        chain.append(LinearStep(1 + h * drift, h * gain * alpha * 0.3 / variance, h * PROCESS.schedule.sigma(t) ** 2))
    law = PROCESS.base_marginal(times[0])
    reward = (0.0, 0.7, -0.25)
    return np.exp(log_expectation(chain, mean=law.mean[0], variance=law.variances[0], terminal=reward))


def escort(steps, rng):
    """Kernel work under the perfect escort."""
    work = (
        EscortedLangevin(PATH.path(), n_steps=steps, diffusivity=0.5, escort=PATH.escort).run_forward(N // 4, rng).work
    )
    return {"work_variance": work.var(), "work_variance_scaled": steps * work.var()}


def subtracted(steps, rng):
    """Base-subtracted Crooks over the mixture."""
    weight = tilted_crooks(MIXTURE, N // 2, rng, n_steps=steps, diffusivity=0.5).log_weight
    return {"subtracted": np.exp(log_mean_exp(weight) - MIXTURE.log_normalizer)}


NAMES = {
    "ratio": "E_F exp(-W)",
    "mean": "Weighted end point, E_F exp(-W) x_K over Z_1/Z_0",
    "ratio_clipped": "E_F exp(-W) with a clipped drift in simulation and ratio",
    "ratio_mismatched": "E_F exp(-W) with a clipped drift in the simulation alone",
    "ratio_no_start": "E_F exp(-W) with a clipped drift and without U_0(x_0)",
    "bar": "Free energy by acceptance ratios",
    "bar_reversed": "Free energy by acceptance ratios, directions exchanged and signs kept",
    "crooks_gap": "Reweighted forward minus backward fraction of one bin of work",
    "crooks_gap_unweighted": "Unweighted forward minus backward fraction of one bin of work",
    "reverse": "E_B exp(W) over its value",
    "jarzynski": "Free energy by the exponential average",
    "effective_share": "Effective share of forward samples",
    "reverse_share": "Effective share of backward samples under exp(W)",
    "girsanov": "Girsanov estimate over the Euler chain's normaliser",
    "girsanov_continuous": "Girsanov estimate over Z",
    "work_variance": "Variance of the kernel work, perfect escort",
    "work_variance_scaled": "K times the variance of the kernel work, perfect escort",
    "subtracted": "Base-subtracted Crooks estimate over Z",
}
DENSITIES = {
    "forward_density": "Density of forward work",
    "backward_density": "Density of backward work",
    "reweighted_density": "Forward density times exp(dF - W)",
}
WORK = {"dims": ("work",), "coords": {"work": (EDGES[1:] + EDGES[:-1]) / 2}}
FIVE = {"law": "kernels", "steps": 5}
exact = Theorem("tilting.crooks_exact", None, "related work: arXiv 2307.01050", "monte_carlo", where=FIVE)
floor = Theorem("tilting.cmcd_discrete_floor", None, "derived here", "monte_carlo")
study = Study(
    name="tilting_work", title="Work identities at a handful of steps",
    grid=Grid(law=list(AT)[:3], steps=[5, 10, 20, 40, 80, 160], seed=range(16), skip=skip), measure=measure,
    profiles={"standard": {"law": list(AT), "steps": [5, 10, 20, 40, 80, 160, 320, 640], "seed": range(64)}},
    variables={name: Variable(text) for name, text in NAMES.items()}
    | {name: Variable(text, **WORK) for name, text in DENSITIES.items()},
    claims=[
        exact.claim(regime="normaliser", variable="ratio", test=Inside(0.49, 0.51),
                    statement="At five steps with a wrong escort E_F exp(-W) = Z_1/Z_0.",
                    control=Control("simulate with a clipped drift, score the unclipped kernel",
                                    variable="ratio_mismatched")),
        exact.claim(regime="expectation", variable="mean", test=Inside(1.94, 2.06),
                    statement="At five steps with a wrong escort weighted averages are those of the end of the path.",
                    control=Control("the mean of the start", test=Inside(-0.06, 0.06))),
        exact.claim(regime="clipped", variable="ratio_clipped", test=Inside(0.48, 0.52),
                    statement="Clipping the drift in simulation and ratio alike keeps E_F exp(-W) = Z_1/Z_0.",
                    control=Control("U_0(x_0) dropped", variable="ratio_no_start")),
        exact.claim(regime="acceptance_ratio", variable="bar", test=Inside(np.log(2) - 0.02, np.log(2) + 0.02),
                    statement="Forward and backward works meet at the free energy log 2.",
                    control=Control("the two directions exchanged", variable="bar_reversed")),
        exact.claim(regime="histogram", variable="crooks_gap", test=Inside(-0.01, 0.01),
                    statement="In a bin of work dP_F(W)/dP_B(W) = exp(W - dF).",
                    control=Control("no weight", variable="crooks_gap_unweighted")),
        Claim("tilting.reverse_exponential", "The identity E_B exp(W) = Z_0/Z_1 can be judged from samples.",
              "derived here", "monte_carlo", "reverse", Inside(0.98, 1.02),
              where=FIVE, hypotheses=(Hypothesis("effective share of the samples", "reverse_share", low=0.05),),
              expect="not_applicable"),
        Claim("tilting.girsanov_exact",
              "For a wrong control at ten steps Girsanov weights are exact relative to the Euler base chain.",
              "standard", "monte_carlo", "girsanov", Inside(0.9988, 1.0012), where={"law": "girsanov", "steps": 10},
              control=Control("relative to the continuous process", variable="girsanov_continuous")),
        floor.claim(regime="rate", variable="work_variance", test=Rate(-1.05, -0.95, along="steps"),
                    where={"law": "escort", "steps": [80, 160, 320, 640]}, profile="standard",
                    statement="With the perfect escort the variance of the kernel work of K steps falls like 1/K.",
                    finding="from K = 20 to 160 sixty-four seeds resolve the next order (K Var W = 1 + 1.3/K, local "
                            "slopes -1.048, -1.018, -1.012) and the rate is inconclusive; by simulation sixteen seeds "
                            "support it there in 58 of 100 runs, in 94 from K = 80 to 640, where it is claimed now, "
                            "judged again from another root seed",
                    control=Control("rate -2", test=Rate(-2.05, -1.95, along="steps"))),
        floor.claim(regime="constant", variable="work_variance_scaled",
                    test=Limit(0.97, 1.03, along="steps", order=1),
                    where={"law": "escort", "steps": slice(20, None)},
                    statement="With the perfect escort K Var W tends to 2 int E|sym grad e|^2 = 1, a variance at "
                              "every K.",
                    control=Control("no variance left", test=Limit(-0.03, 0.03, along="steps", order=1))),
        Claim("tilting.tilted_crooks", "The base-subtracted weights, which need no log-density, converge to Z.",
              "existence stated by arXiv 2605.00229; derived here", "monte_carlo", "subtracted",
              Limit(0.985, 1.015, along="steps", order=1),
              where={"law": "subtracted", "steps": [20, 40, 80, 160]}, profile="standard",
              control=Control("twice Z", test=Limit(1.985, 2.015, along="steps", order=1))),
    ],
)  # fmt: skip
