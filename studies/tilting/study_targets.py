"""Targets of a mixture, by quadrature and path by path: unbiased under p*, and their variances at both ends.

The base is a mixture of two equal or two unequal modes, p* the base tilted by a quadratic reward. CSM, TSM and NSM are
the conditional, the target-score and the novel regression target; s is the score of the base and s* that of p*, both
noised up to t.
"""

from dataclasses import replace

import numpy as np
from _laws import GAUSSIAN, GAUSSIAN_REWARD, REWARD, SYMMETRIC, UNEQUAL

import unifiedscore as us
from unifiedscore.processes import (
    SCHEDULES,
    adjoint_target,
    conditional_target,
    novel_target,
    target_target,
)
from unifiedscore.processes.conditional import conditional_law, mixture_rule, score_and_hessian
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Limit, Study, Theorem, Variable, combine, known

BASES = {"equal_modes": SYMMETRIC, "unequal_modes": UNEQUAL}
GAP = [0.05, 0.025, 0.0125, 0.00625]
X = np.linspace(-3, 3, 13)[:, None]
TAU = 1.6  # the deviation of the reference of NSM


def largest(values):
    return float(np.abs(values).max())


def tilted(cell):
    """The process over the mixture, and the size of the largest target at the gap from either end."""
    process, h = us.TiltedProcess(BASES[cell["base"]], REWARD, cell["schedule"]), cell["gap"]
    return process, h, max(1 / process.schedule.alpha(h), 1 / process.schedule.beta_squared(h))


def variances(cell, rng):
    """Expected variances at t = gap and t = 1 - gap, in units of their predicted divergence or decay."""
    process, h, _ = tilted(cell)
    schedule, csm, tsm = process.schedule, conditional_target(process), target_target(process)
    x, w = mixture_rule(process.target)
    score, hessian = score_and_hessian(process.target, x)
    fisher, curvature = w @ score[:, 0] ** 2, w @ hessian[:, 0, 0] ** 2
    ratios = {
        "tsm_rate": tsm.expected_variance(h) * schedule.alpha(h) ** 2 / fisher,
        "csm_rate": csm.expected_variance(1 - h) * schedule.beta_squared(1 - h),
        "tsm_end": tsm.expected_variance(1 - h) / schedule.beta_squared(1 - h) / curvature,
        "tsm_end_fisher": tsm.expected_variance(1 - h) / schedule.beta_squared(1 - h) / fisher**2,
        "csm_start": csm.expected_variance(h) * schedule.beta_squared(h),
    }
    return known(ratios, 1e-9)


def paths(cell, rng):
    """Identities between the targets on fifty sampled pairs of data and noised state."""
    process, h, scale = tilted(cell)
    schedule = process.schedule
    data = process.target.sample(50, rng)
    state, _ = process.noise(data, h, rng)
    csm, tsm = (target(process)(state, data, h) for target in (conditional_target, target_target))
    nsm = novel_target(process, variance=TAU**2)(state, data, h)
    gamma, wrong = schedule.beta_squared(h) / schedule.variance(h, TAU**2), schedule.beta_squared(h)
    gaussian = us.TiltedProcess(GAUSSIAN, GAUSSIAN_REWARD, cell["schedule"])
    lean_adjoint = gaussian.base_score(state, h) + adjoint_target(gaussian)(state, data, h)
    spread = float(process.base.covariance_matrix[0, 0])
    of_variance = schedule.alpha(h) * spread / schedule.variance(h, spread)
    mixture_adjoint = process.base_score(state, h) + of_variance * process.reward.gradient(data)
    return {
        "variate": largest(nsm - gamma * csm - (1 - gamma) * tsm),
        "variate_wrong": largest(nsm - wrong * csm - (1 - wrong) * tsm),
        "adjoint": largest(novel_target(gaussian, variance=1.69)(state, data, h) - lean_adjoint),
        "adjoint_mixture": largest(novel_target(process, variance=spread)(state, data, h) - mixture_adjoint),
        "scale": scale,
    }


def adjoint_spreads(cell, rng):
    """Spread over sampled paths of the lean adjoint over a Gaussian base, for a linear and for a quadratic reward."""
    rewards = {"linear_spread": us.QuadraticReward([0.7]), "quadratic_spread": us.QuadraticReward([0.7], 0.5)}
    found = {}
    for name, reward in rewards.items():
        process = us.TiltedProcess(GAUSSIAN, reward, cell["schedule"])
        times = np.linspace(cell["gap"], 1, 21)
        run = us.simulate(process, 20, rng, times=times, keep=True, start="tilted")
        found[name] = float(np.ptp(us.lean_adjoint(process, run), axis=1).max())
    return found


def means(cell, rng):
    """Conditional means by quadrature against s*, and the value gradient by posterior quadrature against s* - s."""
    process, h, scale = tilted(cell)
    tsm, star, base = target_target(process), process.tilted_score(X, h), process.base_score(X, h)
    black_box = us.TiltedProcess(process.base, us.CallableReward(REWARD.value, REWARD.gradient, 1), cell["schedule"])
    control = black_box.score_difference(X, h)
    gaps = {
        "unbiased": tsm.conditional_mean(X, h) - star,
        "biased": replace(tsm, law=process.base).conditional_mean(X, h) - star,
        "control": control - process.score_difference(X, h),
        "control_unnoised": control - process.target.score(X) + base,
    }
    return known({name: largest(gap) for name, gap in gaps.items()}, 1e-10 * (scale * 10))


def decomposition(cell, rng):
    """The loss of a wrong model, the base score: E |model - CSM|^2 directly, and as bias plus variance."""
    process, h, _ = tilted(cell)
    csm = conditional_target(process)
    x, w = mixture_rule(process.tilted_marginal(h), spacing=0.25)
    model = process.base_score(x, h)
    split = w @ (csm.conditional_variance(x, h) + (model - csm.conditional_mean(x, h))[:, 0] ** 2)
    bias = w @ (model - process.tilted_score(x, h))[:, 0] ** 2
    direct = w @ second_moment(csm, x, h, model)
    ratios = {"decomposition": direct / split - 1, "decomposition_cross": direct / (split + bias) - 1}
    return known(ratios, 1e-11)


def second_moment(target, x, t, model):
    """E |model - T|^2 given x from the nodes of the conditional law, with no split into bias and variance."""
    nodes, weights = conditional_law(target.law, target.schedule, x, t).nodes()
    values = target(np.repeat(x, nodes.shape[1], axis=0), nodes.reshape(-1, 1), t).reshape(nodes.shape[:2])
    return np.sum(weights * (model - values) ** 2, axis=1)


def curvatures(cell, rng):
    """Slope of the noised score: code against differences, with and without the variance of the component scores."""
    process, h, _ = tilted(cell)
    law = process.base_marginal(h)
    step, slope = 1e-2 * np.sqrt(law.variances.min()), score_and_hessian(law, X)[1][:, 0, 0]
    score = lambda k: law.score(X + k * step)[:, 0]
    gap = slope - (8 * (score(1) - score(-1)) - score(2) + score(-2)) / (12 * step)
    # What makes the base not log-concave: alpha^2 Var(mean | x) / Gamma^2 where the widths are equal.
    terms = np.log(law.weights) - (X - law.means[:, 0]) ** 2 / (2 * law.variances) - np.log(law.variances) / 2
    share = np.exp(terms - terms.max(1, keepdims=True))
    within = -(share / share.sum(1, keepdims=True)) @ (1 / law.variances)
    gaps = {"curvature": largest(gap), "curvature_own": largest(gap - slope + within)}
    return known(gaps, 1e-7 / law.variances.min())


EARLY, RF = {"schedule": ["rectified_flow", "vp_cosine"]}, {"schedule": "rectified_flow"}
CLOSE = Inside(-1e-5, 1e-5)
HERE = "derived here"


def limit(low, high):
    return Limit(low, high, along="gap", order=-1)


rates = Theorem("tilting.target_rates", source=HERE, evidence="quadrature")
study = Study(
    name="tilting_targets", title="Regression targets over a mixture",
    grid=Grid(base=list(BASES), schedule=list(SCHEDULES), gap=GAP),
    measure=combine(variances, paths, adjoint_spreads, means, decomposition, curvatures),
    variables={
        "tsm_rate": Variable("alpha^2 times the variance of TSM over the Fisher information of p*, at t = gap"),
        "csm_rate": Variable("beta^2 times the variance of CSM, at t = 1 - gap"),
        "tsm_end": Variable("Variance of TSM over beta^2 E|Hess log p*|^2, at t = 1 - gap"),
        "tsm_end_fisher": Variable("Variance of TSM over beta^2 I(p*)^2, at t = 1 - gap"),
        "csm_start": Variable("beta^2 times the variance of CSM, at t = gap"),
        "variate": Variable("Largest |NSM - gamma CSM - (1 - gamma) TSM|"),
        "variate_wrong": Variable("Largest |NSM - gamma CSM - (1 - gamma) TSM| at gamma = beta^2"),
        "adjoint": Variable("Largest |s - lean adjoint - NSM| over a Gaussian base"),
        "adjoint_mixture": Variable("Largest |s - a - NSM| over the mixture, a the adjoint of a Gaussian base of "
                                    "its variance"),
        "linear_spread": Variable("Spread over paths of the lean adjoint of a linear reward, Gaussian base"),
        "quadratic_spread": Variable("Spread over paths of the lean adjoint of a reward with q = 0.5, Gaussian base"),
        "unbiased": Variable("Largest |E[TSM | x] - s*| for data from p*"),
        "biased": Variable("Largest |E[TSM | x] - s*| for data from the base p_1"),
        "control": Variable("Largest gap between -grad V by posterior quadrature and s* - s"),
        "control_unnoised": Variable("Largest gap between -grad V and s* - s with the score of p* left unnoised"),
        "decomposition": Variable("Regression loss over bias plus conditional variance, minus 1"),
        "decomposition_cross": Variable("Regression loss over twice the bias plus conditional variance, minus 1"),
        "curvature": Variable("Largest gap between the slope of the noised score and its closed form"),
        "curvature_own": Variable("Largest gap between the slope of the noised score and its closed form without "
                                  "the variance of the component scores"),
        "scale": Variable("Size of the largest target"),
    },
    claims=[
        rates.claim(regime="target_start", variable="tsm_rate", where=EARLY, test=limit(0.99, 1.01),
                    statement="As t -> 0 the variance of the target score is I(p*)/alpha^2, for p* of two equal or "
                              "unequal modes, rectified flow and cosine VP.",
                    control=Control("the conditional target diverges there", variable="csm_start")),
        rates.claim(regime="conditional_end", variable="csm_rate", where=RF, test=limit(0.99, 1.01),
                    statement="As t -> 1 the variance of the conditional target is d/beta^2, for p* of two "
                              "equal or unequal modes and rectified flow.",
                    control=Control("the conditional variance at the other end", variable="csm_start")),
        rates.claim(regime="target_end", variable="tsm_end", where=RF, test=limit(0.97, 1.03),
                    statement="As t -> 1 the variance of the target score is beta^2 E|Hess log p*|^2, for p* of "
                              "two equal or unequal modes and rectified flow.",
                    control=Control("the squared Fisher information for E|Hess log p*|^2",
                                    variable="tsm_end_fisher")),
        Claim("tilting.nsm_control_variate",
              "Over two equal or unequal modes NSM = gamma CSM + (1 - gamma) TSM path by path, gamma = beta^2 / "
              "(alpha^2 tau^2 + beta^2).",
              HERE, "exact", "variate", Identity(c=50, scale="scale"),
              control=Control("gamma = beta^2 with tau = 1.6", variable="variate_wrong")),
        Claim("tilting.am_equals_nsm_gaussian",
              "Over a Gaussian base the base score minus the lean adjoint is NSM with the base as reference.",
              HERE, "exact", "adjoint", Identity(c=100, scale="scale"),
              control=Control("a mixture base", variable="adjoint_mixture")),
        Claim("tilting.linear_reward_zero_variance",
              "Over a Gaussian base the lean adjoint of a linear reward is the same on every path.",
              HERE, "exact", "linear_spread", Identity(c=100, scale="scale"),
              control=Control("q = 0.5", variable="quadratic_spread")),
        Claim("tilting.unbiased_targets",
              "For p* of two equal or unequal modes the target score has the conditional mean s*.",
              "related work: De Bortoli et al. 2024, arXiv 2402.08667", "quadrature", "unbiased", CLOSE,
              control=Control("samples from p_1", variable="biased")),
        Claim("tilting.value_score_identity",
              "Over two equal or unequal modes -grad V by posterior quadrature is the difference of the two scores.",
              "related work: Domingo-Enrich et al. 2024, arXiv 2409.08861", "quadrature", "control", CLOSE,
              control=Control("score of p* without renoising", variable="control_unnoised")),
        Claim("tilting.mixture_family",
              "The score of a noised mixture of two equal or unequal modes has the slope E[-1/Gamma | x] + Var(score "
              "of the component | x): -1/Gamma + alpha^2 Var(mean | x)/Gamma^2 where the widths are equal.",
              HERE, "quadrature", "curvature", Inside(-1e-4, 1e-4),
              control=Control("the variance of the component scores dropped", variable="curvature_own")),
        Claim("tilting.bias_variance",
              "Over two equal or unequal modes the regression loss of a wrong model is its bias plus the conditional "
              "variance.",
              "Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229", "quadrature", "decomposition",
              Inside(-1e-9, 1e-9), control=Control("the bias counted twice", variable="decomposition_cross")),
    ],
)  # fmt: skip
