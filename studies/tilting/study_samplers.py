"""The samplers of work identities against what is known of their steps: recursions, a dragged trap, fixed starts.

`escorted_jarzynski` and `tilted_jarzynski` are judged with escorts that are wrong on purpose, at a finite step, whose
exact exponential average is a recursion; on unequal modes against Z. The trap is N(m, 1/k) dragged by jumps of m
followed by exact Ornstein-Uhlenbeck steps, as kernels of `EscortedLangevin`: its work is Gaussian.
"""

import numpy as np
from _chains import ANNEALED, PATH, annealing_value, gaussian_process, tilting_value
from _laws import REWARD, UNEQUAL

import unifiedscore as us
from unifiedscore.references import GaussianTilt
from unifiedscore.samplers import (
    AnnealingPath,
    EscortedLangevin,
    escorted_jarzynski,
    log_mean_exp,
    tilted_jarzynski,
    weighted_mean,
)
from unifiedscore.study import Control, Grid, Identity, Inside, Study, Theorem, Variable, combine

N, FEW, MANY = 4000, 20, 80
STIFFNESS, TRAP_STEPS, JUMP, FADE = 1.7, 8, 0.275, np.exp(-0.6 * 1.7 * 0.25)


def recursions(cell, rng):
    """Both samplers at twenty steps with half of the exact escort, over their recursions."""
    first, second = rng.spawn(2)
    process = gaussian_process(cell["schedule"])
    tilt = GaussianTilt(process)

    def ratios(share):
        """With that share of the divergence that the escort needs."""
        work = escorted_jarzynski(
            ANNEALED, N, first, n_steps=FEW, diffusivity=1.0, escort=lambda x, t: 0.5 * PATH.escort(x, t),
            divergence=lambda x, t: share * 0.5 * PATH.escort_divergence(x, t),
        ).work  # fmt: skip
        weight = tilted_jarzynski(
            process, N, second, n_steps=FEW, diffusivity=0.5, correction=lambda x, t: 0.5 * tilt.correction(x, t),
            divergence=lambda x, t: share * 0.5 * tilt.divergence(x, t),
        ).log_weight  # fmt: skip
        tilted = np.exp(log_mean_exp(weight) - process.log_normalizer)
        return (
            np.exp(log_mean_exp(-work)) / 0.5 / annealing_value(FEW, 0.5),
            tilted / tilting_value(process, FEW, 0.5),
        )

    names = ("annealing", "tilting", "annealing_no_divergence", "tilting_no_divergence")
    return dict(zip(names, (*ratios(1.0), *ratios(0.0)), strict=True))


def modes(cell, rng):
    """Tilting unequal modes with a correction that is not exact, over Z, and the weighted mean of the ends."""
    process = us.TiltedProcess(UNEQUAL, REWARD, cell["schedule"])
    push = lambda x, t: 0.5 + 0.3 * np.tanh(x)
    run = lambda share: tilted_jarzynski(
        process, N, rng, n_steps=MANY, diffusivity=0.5, correction=push,
        divergence=lambda x, t: share * 0.3 / np.cosh(x[:, 0]) ** 2,
    )  # fmt: skip
    right, wrong = run(1.0), run(0.0)
    scale = np.sqrt(process.target.covariance_matrix[0, 0])
    return {
        "modes": np.exp(log_mean_exp(right.log_weight) - process.log_normalizer),
        "modes_no_divergence": np.exp(log_mean_exp(wrong.log_weight) - process.log_normalizer),
        "modes_mean": (weighted_mean(right.points, right.log_weight) - process.target.mean)[0] / scale,
        "modes_mean_unweighted": (right.points.mean(0) - process.target.mean)[0] / scale,
    }


def trap(cell, rng):
    """Work of the dragged trap: a jump of the centre, then an exact Ornstein-Uhlenbeck step."""
    k, K = STIFFNESS, TRAP_STEPS
    centre = lambda t: JUMP * K * t
    path = AnnealingPath(
        potential=lambda x, t: 0.5 * k * (x[:, 0] - centre(t)) ** 2,
        gradient=lambda x, t: k * (x - centre(t)),
        time_derivative=lambda x, t: -k * JUMP * K * (x[:, 0] - centre(t)),
        sample_start=lambda n, r: r.standard_normal((n, 1)) / np.sqrt(k),
    )
    ends = lambda x, t: (1 - FADE) * K * (centre(t) - x)
    sampler = EscortedLangevin(
        path, n_steps=K, diffusivity=(1 - FADE**2) / k * K / 2,
        forward=lambda x, t: ends(x, t + 1 / K), backward=lambda x, t: -ends(x, t),
    )  # fmt: skip
    work = sampler.run_forward(2 * N, rng).work
    mean, y, late = 0.0, 0.0, -FADE / (1 - FADE) * JUMP
    for _ in range(K):
        mean, y = mean + k / 2 * (JUMP**2 - 2 * JUMP * y), FADE * (y - JUMP)
    return {
        "trap_mean": work.mean() / mean,
        "trap_half_variance": work.var(ddof=1) / 2 / mean,
        "trap_variance": work.var(ddof=1) / mean,
        "trap_mean_late": work.mean() / (K * k / 2 * (JUMP**2 - 2 * JUMP * late)),
    }


def fixed_start(cell, rng):
    """Girsanov weights of a linear reward from one point, under the control of the discrete propagator."""
    process = us.TiltedProcess(gaussian_process(cell["schedule"]).base, us.QuadraticReward([0.7]), cell["schedule"])
    times = np.linspace(0.05, 1, 11)
    slopes = [1 + h * process.drift_jacobian([[0.0]], t)[0, 0, 0]
              for t, h in zip(times[:-1], np.diff(times), strict=True)]  # fmt: skip
    tails = dict(zip(times[:-1], np.append(np.cumprod(slopes[:0:-1])[::-1], 1.0), strict=True))
    sigma, start = process.schedule.sigma, np.full((50, 1), 0.4)

    def weights(share, process=process):
        control = lambda x, t: np.full_like(x, share * sigma(t) * tails[t] * 0.7)
        return us.simulate(process, 50, rng, times=times, control=control, start=start).log_weight

    quadratic = us.TiltedProcess(process.base, us.QuadraticReward([0.7], 0.1), cell["schedule"])
    x = 0.4
    for t, h in zip(tails, np.diff(times), strict=True):
        x = x + h * float(process.drift([[x]], t)[0, 0])
    # Mean and variance of the chain's end give log E exp(0.7 x_K).
    noise = sum(h * sigma(t) ** 2 * tail**2 for (t, tail), h in zip(tails.items(), np.diff(times), strict=True))
    exact = 0.7 * x + 0.5 * 0.7**2 * noise
    return {
        "weight": np.abs(weights(1.0) - exact).max(),
        "weight_weaker": np.abs(weights(0.99) - exact).max(),
        "weight_quadratic": np.ptp(weights(1.0, quadratic)),
        "scale": 10.0,
    }


LOOSE = Inside(0.97, 1.03)
jarzynski = Theorem("tilting.escorted_jarzynski", None, "related work: arXiv 2410.02711", "monte_carlo", test=LOOSE)
tilted = Theorem("tilting.tilted_jarzynski", None, "formulas derived here", "monte_carlo", test=LOOSE)
dragged = Theorem("tilting.moving_trap", None, "derived here", "monte_carlo", test=LOOSE)
study = Study(
    name="tilting_samplers", title="Samplers of work identities against exact values",
    grid=Grid(schedule=["rectified_flow", "vp_cosine"], seed=range(16)),
    measure=combine(recursions, modes, trap, fixed_start), profiles={"standard": {"seed": range(64)}},
    variables={
        "annealing": Variable("E exp(-W_h) by escorted_jarzynski over its recursion, half of the exact escort"),
        "annealing_no_divergence": Variable("E exp(-W_h) by escorted_jarzynski over its recursion, div e left out"),
        "tilting": Variable("E exp(A_h) by tilted_jarzynski over its recursion, half of the exact correction"),
        "tilting_no_divergence": Variable("E exp(A_h) by tilted_jarzynski over its recursion, div c left out"),
        "modes": Variable("E exp(A_h) by tilted_jarzynski over Z, unequal modes"),
        "modes_no_divergence": Variable("E exp(A_h) by tilted_jarzynski over Z, unequal modes, div c left out"),
        "modes_mean": Variable("Weighted mean of the ends minus that of p*, in its standard deviations"),
        "modes_mean_unweighted": Variable("Mean of the ends minus that of p*, in its standard deviations"),
        "trap_mean": Variable("Mean work of the dragged trap over its value"),
        "trap_mean_late": Variable("Mean work of the dragged trap over that at the stationary lag"),
        "trap_half_variance": Variable("Half the variance of the work of the dragged trap over its mean"),
        "trap_variance": Variable("Variance of the work of the dragged trap over its mean"),
        "weight": Variable("Largest difference of Girsanov log-weights from log E exp(r) of the Euler chain"),
        "weight_weaker": Variable("Largest difference of Girsanov log-weights from log E exp(r), 0.99 of the control"),
        "weight_quadratic": Variable("Spread of Girsanov log-weights for a reward with q = 0.1"),
        "scale": Variable("Size of the terms of a log-weight"),
    },
    claims=[
        jarzynski.claim(regime="sampler", variable="annealing", where={"schedule": "rectified_flow"},
                        statement="For annealing from N(0, 1) to N(2, 1/4) in twenty steps with half of the exact "
                                  "escort, escorted_jarzynski has the exponential average of the recursion.",
                        control=Control("div e left out", variable="annealing_no_divergence")),
        tilted.claim(regime="sampler", variable="tilting",
                     statement="For tilting a Gaussian process of rectified flow or cosine VP in twenty steps with "
                               "half of the exact correction, tilted_jarzynski has the exponential average of the "
                               "recursion.",
                     control=Control("div c left out", variable="tilting_no_divergence")),
        tilted.claim(regime="modes", variable="modes",
                     statement="Over two unequal modes, rectified flow or cosine VP, the weights of tilted_jarzynski "
                               "at eighty steps average to Z for a correction that is not exact.",
                     control=Control("div c left out", variable="modes_no_divergence")),
        tilted.claim(regime="modes_mean", variable="modes_mean", test=Inside(-0.06, 0.06),
                     statement="Over two unequal modes the weighted ends of tilted_jarzynski have the mean of p*, to "
                               "0.06 standard deviations at eighty steps.",
                     control=Control("no weights", variable="modes_mean_unweighted")),
        dragged.claim(regime="mean", variable="trap_mean", where={"schedule": "rectified_flow"},
                      statement="In a harmonic trap dragged by eight jumps with exact Ornstein-Uhlenbeck steps "
                                "between them the mean work is 2.3444.",
                      control=Control("the stationary lag at every jump", variable="trap_mean_late")),
        dragged.claim(regime="variance", variable="trap_half_variance", where={"schedule": "rectified_flow"},
                      statement="The dissipated work of the dragged trap is half of the variance of the work.",
                      control=Control("the variance itself", variable="trap_variance")),
        Theorem("tilting.zero_variance_control", None, "derived here", "exact").claim(
            regime="sampler", variable="weight", test=Identity(c=100, scale="scale"),
            statement="From a fixed start and for a linear reward over a Gaussian process of rectified flow or cosine "
                      "VP, the discrete propagator makes every Girsanov log-weight log E exp(r) of the Euler chain.",
            control=Control("0.99 of the control", variable="weight_weaker")),
    ],
)  # fmt: skip
