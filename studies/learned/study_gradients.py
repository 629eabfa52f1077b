"""Gradient variance of fine-tuning losses over a Gaussian base: which exponents in the cut-off, and for whom.

CSM, TSM, NSM and AM are the conditional, the target-score, the novel and the adjoint target for p* = N(0, 2/3) from the
base N(0, 1) and the reward -x^2/4. The parametrisation says how the score depends on the output of the network. Time
is uniform on [t_c, 1 - t_c] and the loss weighted with the diffusivity eta.
"""

from dataclasses import replace

import numpy as np

import unifiedscore as us
from unifiedscore.learned import PARAMETRISATIONS, gradient_variance
from unifiedscore.processes import SCHEDULES, adjoint_target, conditional_target, novel_target, target_target
from unifiedscore.study import Control, Grid, Inside, Rate, Study, Theorem, Variable, known

CUTOFFS = [1e-2, 1e-3, 1e-4, 1e-5]
STAR = 2 / 3  # variance of p*
BASE, REWARD = us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.0], 0.5)
TARGETS = {"csm": conditional_target, "tsm": target_target, "nsm": novel_target, "am": adjoint_target}


def exchanged(target):
    """The target with alpha and beta exchanged in its coefficient of the data."""

    def coefficients(t):
        alpha, beta = target.schedule.alpha(t), target.schedule.beta(t)
        return 0.0, beta / alpha**2 if target.name == "conditional" else 1 / beta

    return replace(target, coefficients=coefficients)


def closed_forms(cutoff):
    """The variance of CSM with a score network, by hand."""
    log = np.log((1 - cutoff) / cutoff)
    width = 1 - 2 * cutoff
    return {"rectified_flow": 4 * STAR, "vp_cosine": np.pi**2 * STAR, "foellmer": STAR * (log - width) / width}


def measure(cell, rng):
    """The variances of the four targets, and of two targets with alpha and beta exchanged."""
    process = us.TiltedProcess(BASE, REWARD, cell["schedule"])
    settings = {"parametrisation": cell["parametrisation"], "cutoff": cell["cutoff"]}
    found = {name: gradient_variance(make(process), **settings) for name, make in TARGETS.items()}
    for name in ("csm", "tsm"):
        found[f"{name}_exchanged"] = gradient_variance(exchanged(TARGETS[name](process)), **settings)
    # The rule leaves rounding alone: that of 1 - t, at the last cut-off.
    values = known(found, {name: 1e-11 * value for name, value in found.items()})
    if cell["parametrisation"] == "score":
        forms = closed_forms(cell["cutoff"])
        own = forms.pop(cell["schedule"])
        gaps = {"closed": found["csm"] / own - 1, "closed_other": found["csm"] / forms.popitem()[1] - 1}
    else:
        gaps = {"closed": np.nan, "closed_other": np.nan}
    return values | known(gaps, 1e-12)


study_cells = Grid(schedule=list(SCHEDULES), parametrisation=list(PARAMETRISATIONS), cutoff=CUTOFFS)
EARLY = ["rectified_flow", "vp_cosine"]
WORDS = {"csm": "conditional", "tsm": "target", "nsm": "novel", "am": "adjoint"}


def power(exponent):
    """Growth like t_c^-exponent as t_c falls."""
    return Rate(-exponent - 0.05, -exponent + 0.05, along="cutoff", toward="zero")


def logarithm(factor, width=0.01):
    return Rate(-factor - width, -factor + width, along="cutoff", law="log", toward="zero")


exponents = Theorem("learned.gradient_variance", source="derived here, for a claim of arXiv 2605.00229",
                    evidence="quadrature")  # fmt: skip


def row(target, schedules, parametrisations, test, words, control):
    """One claim on the growth of a target's variance in some schedules and parametrisations."""
    names, short = " and ".join(schedules), {"rectified_flow": "RF", "vp_cosine": "VP", "foellmer": "Foellmer"}
    return exponents.claim(
        regime=f"{target}, {'+'.join(short[s] for s in schedules)}, {'+'.join(parametrisations)}", variable=target,
        where={"schedule": list(schedules), "parametrisation": list(parametrisations)}, test=test, control=control,
        statement=f"Over a Gaussian base and p* = N(0, 2/3) the gradient of the {WORDS[target]} target under "
                  f"{names.replace('_', ' ')} has a variance that {words} where the network gives the "
                  f"{' or the '.join(parametrisations)}, t uniform on [t_c, 1 - t_c], weight eta.",
    )  # fmt: skip


def swap(target):
    return Control("alpha and beta exchanged in the target", variable=f"{target}_exchanged")


FINITE = "stays finite as t_c falls"
ROWS = [
    row("csm", EARLY, ["score"], power(0), FINITE, swap("csm")),
    row("csm", EARLY, ["noise", "denoiser", "velocity"], power(1), "grows like 1/t_c", swap("csm")),
    row("tsm", EARLY, ["score", "noise"], power(3), "grows like 1/t_c^3", swap("tsm")),
    row("tsm", EARLY, ["denoiser", "velocity"], power(1), "grows like 1/t_c", swap("tsm")),
    *(row(name, EARLY, list(PARAMETRISATIONS), power(0), FINITE, Control("the target score", variable="tsm"))
      for name in ("nsm", "am")),
    row("csm", ["foellmer"], ["score"], logarithm(STAR), "grows like (2/3) log(1/t_c)", swap("csm")),
    row("csm", ["foellmer"], ["velocity"], logarithm(4 * STAR), "grows like (8/3) log(1/t_c)", swap("csm")),
    row("csm", ["foellmer"], ["noise", "denoiser"], power(1), "grows like 1/t_c", swap("csm")),
    row("tsm", ["foellmer"], ["score", "denoiser"], logarithm(1 / STAR), "grows like (3/2) log(1/t_c)", swap("tsm")),
    row("tsm", ["foellmer"], ["velocity"], logarithm(4 / STAR, 0.02), "grows like 6 log(1/t_c)", swap("tsm")),
    row("tsm", ["foellmer"], ["noise"], power(1), "grows like 1/t_c", swap("tsm")),
    *(row(name, ["foellmer"], list(PARAMETRISATIONS), logarithm(0), FINITE,
          Control("the conditional target", variable="csm")) for name in ("nsm", "am")),
]  # fmt: skip
diverges = Rate(-np.inf, -0.05, along="cutoff", toward="zero")
study = Study(
    name="learned_gradients", title="Gradient variance of fine-tuning targets against the cut-off",
    grid=study_cells, measure=measure,
    variables={name: Variable(f"Gradient variance of the {WORDS[name]} target", symbol="Var g") for name in TARGETS} | {
        "csm_exchanged": Variable("Gradient variance of the conditional target with alpha and beta exchanged"),
        "tsm_exchanged": Variable("Gradient variance of the target score with alpha and beta exchanged"),
        "closed": Variable("Variance of the conditional target over its closed form, minus 1, score network"),
        "closed_other": Variable("Variance of the conditional target over the closed form of another schedule, minus "
                                 "1, score network"),
    },
    claims=[
        *ROWS,
        exponents.claim(regime="the abstract, score network", variable="csm", test=diverges, expect="refuted",
                        where={"schedule": EARLY, "parametrisation": "score"},
                        statement="Under rectified flow and cosine VP the gradient variance of the conditional target "
                                  "diverges as t_c falls where the network gives the score."),
        exponents.claim(regime="the abstract, other networks", variable="csm", test=diverges,
                        where={"schedule": EARLY, "parametrisation": ["noise", "denoiser", "velocity"]},
                        statement="Under rectified flow and cosine VP the gradient variance of the conditional target "
                                  "diverges as t_c falls where the network gives noise, denoiser or velocity.",
                        control=Control("the novel target", variable="nsm")),
        exponents.claim(regime="closed forms", variable="closed", where={"parametrisation": "score"},
                        test=Inside(-1e-10, 1e-10),
                        statement="With a score network the conditional target over p* = N(0, nu*^2) has the gradient "
                                  "variance 4 nu*^2 (rectified flow), pi^2 nu*^2 (cosine VP), nu*^2 (log((1-t_c)/t_c) "
                                  "/ (1-2t_c) - 1) (Foellmer).",
                        control=Control("the closed form of another schedule", variable="closed_other")),
    ],
)  # fmt: skip
