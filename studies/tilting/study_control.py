"""What goes wrong away from the optimum and without memoryless noise: biased targets, iterations, terminal laws.

a is the lean adjoint, s the score of the noised base and s* that of the noised tilted law, u the control. The
linear-quadratic case is the Foellmer process to N(0, 1) with the reward -q x^2/2.
"""

from dataclasses import replace

import numpy as np
from _laws import REWARD, SYMMETRIC, UNEQUAL

import unifiedscore as us
from unifiedscore.references import linear_quadratic as lq
from unifiedscore.references import memoryless
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Theorem, Variable, combine, known, two_rules

MODES = {
    "": us.TiltedProcess(SYMMETRIC, REWARD, "rectified_flow"),
    "_unequal": us.TiltedProcess(UNEQUAL, REWARD, "vp_cosine"),
}
LQ = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.0], 2.0), "foellmer")
TIMES, GRID = np.linspace(0.02, 1, 201), np.linspace(0, 1, 101)
MIDDLE, HALF = 98, 50  # t = 0.5002 on TIMES, t = 1/2 on GRID
N, MANY = 3000, 20_000
FLOW = us.Schedule("rectified_flow")


def slope(x, y):
    """Regression slope through the origin."""
    return (x @ y) / (x @ x)


def bias_between_modes(process, run):
    """Mean of -a - (s* - s) at t = 1/2 over |x - 1/2| < 1/2."""
    late = replace(run, times=run.times[MIDDLE:], trajectory=run.trajectory[MIDDLE:])
    x, a = late.trajectory[0], us.lean_adjoint(process, late)[0]
    gap = (-a - process.score_difference(x, TIMES[MIDDLE]))[:, 0]
    return gap[np.abs(x[:, 0] - 0.5) < 0.5].mean()


def optimum(cell, rng):
    """Adjoint targets on paths of the optimal control, of none, and of u = -2x."""
    first, second, third, fourth = rng.spawn(4)
    linear = {"times": GRID, "keep": True}
    biases = {}
    for name, process in MODES.items():
        for kind, control, start, stream in (("optimal", "optimal", "tilted", first), ("free", "none", "base", second)):
            run = us.simulate(process, N, stream, times=TIMES, keep=True, control=control, start=start)
            biases[f"bias_inner_{kind}{name}"] = bias_between_modes(process, run)
    slopes = {}
    gain = lambda x, t: -lq.optimal_gain(2.0, t) * x
    for name, control, stream in (("slope_free", "none", third), ("slope_optimal", gain, fourth)):
        run = us.simulate(LQ, 2 * N, stream, control=control, **linear)
        slopes[name] = slope(run.trajectory[HALF, :, 0], LQ.reward.gradient(run.points)[:, 0])
    run = us.simulate(LQ, MANY, third, control=lambda x, t: -2.0 * x, **linear)
    x, end = run.trajectory[HALF, :, 0], run.points[:, 0]
    renoised = 0.5 * end + 0.5 * third.standard_normal(MANY)
    return (
        slopes
        | biases
        | {
            "slope_path": slope(x, LQ.reward.gradient(run.points)[:, 0]),
            "slope_renoised": slope(renoised, LQ.reward.gradient(run.points)[:, 0]),
        }
    )


def picard(cell, rng):
    """Largest error of the n-th gain of adjoint matching over its factorial bound, by two meshes."""
    n, q = cell["iteration"], cell["curvature"]

    def ratios(nodes):
        t, gains = lq.adjoint_matching_gains(q, iterations=n, nodes=nodes)
        inner = t < 0.9  # where the bound is above the rounding of the trapezoidal rule
        gap = np.abs(gains[n] - lq.optimal_gain(q, t))[inner]
        ratio = float((gap / lq.picard_bound(q, n, t[inner])).max())
        return {"picard": ratio, "picard_fast": ratio * (n + 2)}

    return two_rules(ratios(4001), ratios(8001))


def sampling_recursion(cell, rng):
    """Limit of the adjoint sampling recursion, and of one with half the gain, in units of the optimal 1/(1 + q)."""
    q, variance, slow = cell["curvature"], 1.0, 0.9
    for _ in range(60):
        variance = lq.adjoint_sampling_step(q, variance)
        power = q * slow / (1 - slow)  # twice this in the recursion
        slow = (slow**power - slow) / ((1 - slow) * (1 - power))
    return known({"fixed_point": variance * (1 + q), "slow_fixed_point": slow * (1 + q)}, 1e-13)


def terminal_shifts(cell, rng):
    """Shift of the terminal mean by noise that is not memoryless, minus what is predicted."""
    n = cell["iteration"]
    zeta = 0.25 * (n + 1)
    late = memoryless.terminal_shift(FLOW, lambda t: np.sqrt(zeta) * FLOW.sigma(t), start=0.05)
    rho = memoryless.squared_correlation(FLOW, 0.05, multiple=zeta)
    constant = memoryless.terminal_shift(FLOW, lambda t: 0.25 * (n + 1), start=0.0)
    shifts = {
        "shift": late - (1 - rho),
        "shift_rho": late - (1 - np.sqrt(rho)),
        "shift_constant": constant - (1 - memoryless.constant_noise_correlation(0.25 * (n + 1))),
        "shift_constant_memoryless": constant - 1,
    }
    return known(shifts, 1e-8)


def terminal(cell, rng):
    """Terminal mean of the exactly controlled process for a linear reward over N(0, 1)."""
    noise, start = {"memoryless": (FLOW.sigma, 1e-8), "constant": (lambda t: 1.0, 0.0)}[cell["noise"]]
    return {"shift": known(memoryless.terminal_shift(FLOW, noise, start=start), 1e-9)}


HERE = "derived here"
ZERO = Inside(-1e-7, 1e-7)
unbiased = Theorem("tilting.am_unbiased_at_optimum", None, "Domingo-Enrich et al. 2024, arXiv 2409.08861",
                   "monte_carlo", test=Inside(-0.15, 0.15))  # fmt: skip
flows = Theorem("tilting.nonmemoryless_bias", source=HERE, evidence="quadrature", test=ZERO)
projection = Theorem("tilting.as_projection", source=HERE, evidence="monte_carlo")
recovery = Theorem(
    "tilting.memoryless_recovery", None, evidence="quadrature", variable="shift",
    test=Inside(1 - 1e-6, 1 + 1e-6),
)  # fmt: skip
studies = [
    Study(
        name="tilting_optimum", title="Adjoint targets on and off the optimum",
        grid=Grid(seed=range(16)), measure=optimum, profiles={"standard": {"seed": range(64)}},
        variables={
            "bias_inner_optimal": Variable("Mean of -a - (s* - s) at t = 1/2, |x - 1/2| < 1/2, optimal control"),
            "bias_inner_free": Variable("Mean of -a - (s* - s) at t = 1/2, |x - 1/2| < 1/2, no control"),
            "bias_inner_optimal_unequal": Variable("Mean of -a - (s* - s) at t = 1/2, |x - 1/2| < 1/2, optimal "
                                                   "control, unequal modes"),
            "bias_inner_free_unequal": Variable("Mean of -a - (s* - s) at t = 1/2, |x - 1/2| < 1/2, no control, "
                                                "unequal modes"),
            "slope_free": Variable("Regression slope of -a on x at t = 1/2, q = 2, no control"),
            "slope_optimal": Variable("Regression slope of -a on x at t = 1/2, q = 2, optimal control"),
            "slope_path": Variable("Regression slope of -a on x at t = 1/2, q = 2, on the path of u = -2x"),
            "slope_renoised": Variable("Regression slope of -a on x at t = 1/2, q = 2, ends of u = -2x renoised by "
                                       "the base bridge"),
        },
        claims=[
            unbiased.claim(regime="bin", variable="bias_inner_optimal",
                           statement="Over two modes at +-1.5, rectified flow, at the optimum minus the lean adjoint "
                                     "has the mean s* - s at t = 1/2 between the modes, to 0.15.",
                           control=Control("paths without control", variable="bias_inner_free")),
            unbiased.claim(regime="bin_unequal", variable="bias_inner_optimal_unequal", test=Inside(-0.05, 0.05),
                           statement="Over two unequal modes, cosine VP, at the optimum minus the lean adjoint has the "
                                     "mean s* - s at t = 1/2 for |x - 1/2| < 1/2, to 0.05.",
                           control=Control("paths without control", variable="bias_inner_free_unequal")),
            Claim("tilting.am_offoptimum_bias",
                  "Off the optimum the adjoint target is biased: for the Foellmer process to N(0, 1) and the reward "
                  "-x^2 it has slope -2 at t = 1/2 for u = 0, where s* - s has slope -1.",
                  HERE, "monte_carlo", "slope_free", Inside(-2.05, -1.95),
                  control=Control("the optimal control", variable="slope_optimal")),
            projection.claim(regime="matching", variable="slope_path", test=Inside(-0.76, -0.705),
                             statement="For the reward -x^2 over N(0, 1) the adjoint target on the path of u = -2x has "
                                       "the slope -0.735759 at t = 1/2.",
                             control=Control("the renoised law is the path law", variable="slope_renoised")),
            projection.claim(regime="sampling", variable="slope_renoised", test=Inside(-0.815, -0.764),
                             statement="Renoised by the base bridge the ends of u = -2x have the slope -0.788235: the "
                                       "law is that of the path only at bridge mixtures.",
                             control=Control("the path law", variable="slope_path")),
        ],
    ),
    Study(
        name="tilting_iterations", title="Adjoint matching and adjoint sampling, iterated",
        grid=Grid(curvature=[2.0, -0.6], iteration=list(range(9))),
        measure=combine(picard, sampling_recursion, terminal_shifts),
        variables={
            "picard": Variable("Largest error of the n-th gain over its bound with (n + 1)!, t < 0.9"),
            "picard_fast": Variable("Largest error of the n-th gain over a bound with (n + 2)!, t < 0.9"),
            "fixed_point": Variable("(1 + q) times the limit of the adjoint sampling recursion"),
            "slow_fixed_point": Variable("(1 + q) times the limit of a recursion with half of the gain"),
            "shift": Variable("Terminal shift from t_0 = 0.05 minus 1 - rho^2"),
            "shift_rho": Variable("Terminal shift from t_0 = 0.05 minus 1 - rho"),
            "shift_constant": Variable("Terminal shift with constant noise from 0 minus 1 - exp(-pi sigma^2/2)"),
            "shift_constant_memoryless": Variable("Terminal shift with constant noise from 0 minus 1"),
        },
        claims=[
            Claim("tilting.am_picard_lq",
                  "In the linear-quadratic case, q = 2 and -0.6, the gain of adjoint matching errs by at most Q (Q (1 "
                  "- t))^(n + 1)/(n + 1)!, n = 0 ... 5; it comes to 0.04 to 0.9 of that.",
                  HERE, "quadrature", "picard", Inside(0.0, 1.001), where={"iteration": list(range(6))},
                  sharpness="picard",
                  control=Control("(n + 2)! in place of (n + 1)!", variable="picard_fast")),
            projection.claim(regime="fixed_point", variable="fixed_point", evidence="quadrature",
                             test=Inside(1 - 1e-11, 1 + 1e-11),
                             statement="In the linear-quadratic case, q = 2 and -0.6, the adjoint sampling recursion "
                                       "converges to the optimal variance 1/(1 + q).",
                             control=Control("half of the gain in the exponent", variable="slow_fixed_point")),
            flows.claim(regime="late_start", variable="shift",
                        statement="Noise begun at t_0 shifts the terminal mean by 1 - rho^2, rho^2 = "
                                  "(alpha_0^2/Gamma_0)^zeta.",
                        control=Control("1 - rho", variable="shift_rho")),
            flows.claim(regime="constant_noise", variable="shift_constant",
                        statement="Rectified flow with constant noise shifts the terminal mean by 1 - exp(-pi "
                                  "sigma^2/2).",
                        control=Control("memoryless", variable="shift_constant_memoryless")),
        ],
    ),
    Study(
        name="tilting_memoryless", title="Is the tilted law recovered?",
        grid=Grid(noise=["memoryless", "constant"]), measure=terminal,
        variables={"shift": Variable("Terminal mean for the reward x over N(0, 1), 1 if recovered")},
        claims=[
            recovery.claim(regime="memoryless", source="idea: arXiv 2409.08861; iff derived here",
                           statement="Rectified flow to N(0, 1) with memoryless noise, the exact control of the reward "
                                     "x and start at 1e-8 ends with the mean of p*.",
                           where={"noise": "memoryless"},
                           control=Control("constant noise 1 from time 0", where={"noise": "constant"})),
            recovery.claim(regime="constant", source=HERE, where={"noise": "constant"}, expect="refuted",
                           statement="Rectified flow to N(0, 1) with constant noise 1 and the exact control of the "
                                     "reward x ends with the mean of p*."),
        ],
    ),
]  # fmt: skip
