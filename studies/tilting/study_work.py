"""Work identities with a deliberately wrong escort: exact at five steps, or O(h), each as theory says.

Annealing from N(0, 1) to N(2, 1/4): Z_1/Z_0 = 1/2, free energy log 2, four times as many paths forward as backward.
The perfect escort is that of N(0, I) to N((2, -1), I/4) in the plane, with a rotation about the mean added, which
leaves the laws as they are.
"""

from dataclasses import replace

import numpy as np
from _chains import PATH, euler_value, gaussian_process
from _laws import REWARD, UNEQUAL

import unifiedscore as us
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

PLANAR = GaussianPath([[0.0, 0.0], [2.0, -1.0]], (1.0, 0.5))
PROCESSES = {"girsanov": gaussian_process("rectified_flow"), "girsanov_vp": gaussian_process("vp_cosine")}
MIXTURE = us.TiltedProcess(UNEQUAL, REWARD, "rectified_flow")
N = 20_000
EDGES = np.linspace(-1, 4, 11)
EPSILON, TURN = 0.8, 0.5


def wrong(x, t):
    """An escort that is not even close."""
    return 0.9 + 0.4 * np.sin(x)


def turning(x, t, share=1.0):
    """The exact escort of the plane, or a share of it, and a rotation by half a radian about the mean."""
    mean = PLANAR.moments(t)[0]
    return share * PLANAR.escort(x, t) + TURN * (x - mean) @ np.array([[0.0, 1.0], [-1.0, 0.0]])


AT = {
    "kernels": [5],
    "plane": [20],
    "forty": [40],
    "girsanov": [10],
    "girsanov_vp": [10],
    "escort": [20, 40, 80, 160, 320, 640],
    "subtracted": [20, 40, 80, 160],
}


def skip(cell):
    return cell["steps"] not in AT[cell["law"]]


def measure(cell, rng):
    law, steps = cell["law"], cell["steps"]
    if law in PROCESSES:
        out = girsanov(PROCESSES[law], steps, rng)
    else:
        others = {"plane": plane, "forty": subtracted, "subtracted": subtracted}
        out = ({"kernels": kernels, "escort": escort} | others)[law](steps, rng)
    return {name: np.nan for name in NAMES} | {name: np.full(10, np.nan) for name in DENSITIES} | out


def kernels(steps, rng):
    """Every exact consequence of the kernel identity, and what breaks it."""
    first, second, third = rng.spawn(3)
    path = PATH.path()
    sampler = EscortedLangevin(path, n_steps=steps, diffusivity=EPSILON, escort=wrong)
    forward, backward = sampler.run_forward(N, first), sampler.run_backward(N // 4, second)
    ratio = np.exp(-forward.work)
    table = crooks_histogram(forward.work, backward.work, EDGES, free_energy=PATH.free_energy)
    clipped = replace(sampler, forward=lambda x, t: wrong(x, t) - EPSILON * np.clip(path.gradient(x, t), -1, 1))
    paths = clipped.run_forward(N, third, keep=True)
    start = path.potential(paths.trajectory[0], 0.0)
    low, high = table.forward[1], table.backward[1]
    return {
        "ratio": ratio.mean(),
        "mean": np.mean(ratio * forward.points[:, 0]) / 0.5,
        "mean_unweighted": forward.points.mean(),
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
        "reverse_share": effective_sample_size(backward.work) / (N // 4),
    }


def plane(steps, rng):
    """E_F exp(-W) over Z_1/Z_0 in the plane, and over the ratio that a single dimension would have."""
    push = lambda x, t: turning(x, t, 0.5)
    sampler = EscortedLangevin(PLANAR.path(), n_steps=steps, diffusivity=EPSILON, escort=push)
    ratio = np.exp(-sampler.run_forward(N // 2, rng).work).mean()
    return {"plane": ratio * np.exp(PLANAR.free_energy), "plane_line": ratio * np.exp(PLANAR.free_energy / 2)}


def girsanov(process, steps, rng):
    """Weights relative to the Euler base chain, whose normaliser at finite h is a recursion."""
    times = np.linspace(0.05, 1 - 1e-6, steps + 1)
    run = us.simulate(process, 10 * N // 3, rng, times=times, control=lambda x, t: 0.9 * process.optimal_control(x, t))
    value = np.exp(log_mean_exp(run.log_weight))
    return {
        "girsanov": value / euler_value(process, times),
        "girsanov_continuous": value / np.exp(process.log_normalizer),
    }


def escort(steps, rng):
    """Kernel work under the perfect escort, and under half of it."""

    def variance(share, n):
        push = lambda x, t: turning(x, t, share)
        sampler = EscortedLangevin(PLANAR.path(), n_steps=steps, diffusivity=0.5, escort=push)
        return sampler.run_forward(n, rng).work.var()

    perfect = variance(1.0, N // 2)
    # 2 int E|sym grad e|^2 = 2, and with the rotation in it 2 int E|grad e|^2 = 2 + 4 TURN^2.
    scaled = steps * perfect / 2
    return {
        "work_variance": perfect,
        "work_variance_half": variance(0.5, N // 20),
        "work_variance_scaled": scaled,
        "work_variance_full": scaled / (1 + 2 * TURN**2),
    }


def subtracted(steps, rng):
    """Base-subtracted Crooks over the mixture."""
    run = tilted_crooks(MIXTURE, N // 2, rng, n_steps=steps, diffusivity=0.5)
    weights = {"subtracted": run.log_weight, "subtracted_end": MIXTURE.reward.value(run.points)}
    return {name: np.exp(log_mean_exp(weight) - MIXTURE.log_normalizer) for name, weight in weights.items()}


NAMES = {
    "ratio": "E_F exp(-W)",
    "mean": "Weighted end point, E_F exp(-W) x_K over Z_1/Z_0",
    "mean_unweighted": "End point without weights",
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
    "plane": "E_F exp(-W) in the plane over Z_1/Z_0",
    "plane_line": "E_F exp(-W) in the plane over the root of Z_1/Z_0",
    "girsanov": "Girsanov estimate over the Euler chain's normaliser",
    "girsanov_continuous": "Girsanov estimate over Z",
    "work_variance": "Variance of the kernel work, perfect escort",
    "work_variance_half": "Variance of the kernel work, half of the perfect escort",
    "work_variance_scaled": "K Var W over 2 int E|sym grad e|^2, perfect escort",
    "work_variance_full": "K Var W over 2 int E|grad e|^2, rotation included, perfect escort",
    "subtracted": "Base-subtracted Crooks estimate over Z",
    "subtracted_end": "E exp(r) at the end of the same paths over Z",
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
    grid=Grid(law=list(AT)[:-1], steps=[5, 10, 20, 40, 80, 160], seed=range(24), skip=skip), measure=measure,
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
                    control=Control("no weights", variable="mean_unweighted")),
        exact.claim(regime="clipped", variable="ratio_clipped", test=Inside(0.48, 0.52),
                    statement="At five steps, clipping the drift in simulation and ratio alike keeps E_F exp(-W) = "
                              "Z_1/Z_0.",
                    control=Control("U_0(x_0) dropped", variable="ratio_no_start")),
        exact.claim(regime="acceptance_ratio", variable="bar", test=Inside(np.log(2) - 0.02, np.log(2) + 0.02),
                    statement="At five steps with a wrong escort the acceptance ratio of 20000 forward and 5000 "
                              "backward works gives the free energy log 2.",
                    control=Control("the two directions exchanged", variable="bar_reversed")),
        exact.claim(regime="histogram", variable="crooks_gap", test=Inside(-0.01, 0.01),
                    statement="At five steps with a wrong escort dP_F(W)/dP_B(W) = exp(W - dF) in the bin [0, 0.5] "
                              "of work.",
                    control=Control("no weight", variable="crooks_gap_unweighted")),
        exact.claim(regime="plane", variable="plane", test=Inside(0.98, 1.02), where={"law": "plane", "steps": 20},
                    statement="In the plane, at twenty steps with half of the escort and a rotation, E_F exp(-W) = "
                              "Z_1/Z_0, the square of the ratio of the widths.",
                    control=Control("the ratio of one dimension", variable="plane_line")),
        Claim("tilting.reverse_exponential", "The identity E_B exp(W) = Z_0/Z_1 can be judged from samples.",
              "derived here", "monte_carlo", "reverse", Inside(0.98, 1.02),
              # 24 seeds of 5000 samples place the mean within 2 % where a third of the samples is effective.
              where=FIVE, hypotheses=(Hypothesis("effective share of the samples", "reverse_share", low=0.3),),
              expect="not_applicable"),
        Claim("tilting.girsanov_exact",
              "At ten steps and nine tenths of the optimal control Girsanov weights are exact relative to the Euler "
              "base chain of a Gaussian process, rectified flow and cosine VP.",
              "standard", "monte_carlo", "girsanov", Inside(0.9988, 1.0012),
              where={"law": list(PROCESSES), "steps": 10},
              control=Control("relative to the continuous process", variable="girsanov_continuous")),
        floor.claim(regime="rate", variable="work_variance", test=Rate(-1.05, -0.95, along="steps"),
                    where={"law": "escort", "steps": [80, 160, 320, 640]}, profile="standard",
                    statement="With the perfect escort the variance of the kernel work of K steps falls like 1/K.",
                    finding="from K = 20 to 160 sixty-four seeds resolve the next order (K Var W = 1 + 1.3/K, local "
                            "slopes -1.048, -1.018, -1.012) and the rate is inconclusive; by simulation sixteen seeds "
                            "support it there in 58 of 100 runs, in 94 from K = 80 to 640, where it is claimed now, "
                            "judged again from another root seed",
                    control=Control("half of the escort", variable="work_variance_half")),
        floor.claim(regime="constant", variable="work_variance_scaled",
                    test=Limit(0.97, 1.03, along="steps", order=1),
                    where={"law": "escort", "steps": slice(20, None)},
                    statement="With a perfect escort of a Gaussian path in the plane K Var W tends to 2 int "
                              "E|sym grad e|^2, free of its rotation: a variance at every K.",
                    control=Control("the whole gradient, rotation included", variable="work_variance_full")),
        Claim("tilting.tilted_crooks",
              "Over two unequal modes the base-subtracted weights of forty steps, which need no log-density, give Z "
              "within 2 %.",
              "existence stated by arXiv 2605.00229; derived here", "monte_carlo", "subtracted", Inside(0.98, 1.02),
              where={"law": "forty", "steps": 40}, regime="forty steps",
              control=Control("the kernel ratios left out of the weight", variable="subtracted_end")),
        Claim("tilting.tilted_crooks",
              "Over two unequal modes the base-subtracted weights, which need no log-density, converge to Z.",
              "existence stated by arXiv 2605.00229; derived here", "monte_carlo", "subtracted",
              Limit(0.985, 1.015, along="steps", order=1),
              where={"law": "subtracted", "steps": [20, 40, 80, 160]}, profile="standard",
              control=Control("the kernel ratios left out of the weight", variable="subtracted_end")),
    ],
)  # fmt: skip
