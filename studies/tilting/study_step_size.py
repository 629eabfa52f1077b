"""Error of the rate forms against the step size, by recursion: no sampling, with and without the exact escort.

Annealing from N(0, 1) to N(2, 1/4) with epsilon = 1, tilting N(0.3, 1.69) by 0.7x - 0.25x^2 with epsilon = 1/2. What
the samplers themselves give at twenty steps is in `study_samplers`.
"""

import numpy as np
from _chains import annealing_value, gaussian_process, tilting_value

from unifiedscore.references import GaussianTilt
from unifiedscore.study import Claim, Control, Grid, Limit, Rate, Study, Theorem, Variable, known

FLOW = "rectified_flow"
STEPS = {FLOW: [100, 200, 400, 800], "vp_cosine": [50, 100, 200, 400]}


def measure(cell, rng):
    steps, share, process = cell["steps"], cell["share"], gaussian_process(cell["schedule"])
    recursions = {"tilting": lambda *a, **k: tilting_value(process, *a, **k), "annealing": annealing_value}
    # Without an escort there is no divergence to omit; annealing knows no schedule.
    wrong = {"hot": {"heat": 1.1}} if share == 0 else {"no_divergence": {"divergence": 0.0}}
    values = {}
    for name, value in recursions.items():
        here = name == "tilting" or cell["schedule"] == FLOW
        values[name] = value(steps, share) - 1 if here else np.nan
        for mutation in ("hot", "no_divergence"):
            taken = here and mutation in wrong
            values[f"{name}_{mutation}"] = value(steps, share, **wrong[mutation]) - 1 if taken else np.nan
    # The left Riemann sum is off by -h/2 [(log Z)'(1) - (log Z)'(0)].
    first, last = (GaussianTilt(process).log_normalizer_rate(t) for t in (0.0, 1.0))
    error = values["tilting"] * steps if share == 1 else np.nan
    constants = {"constant": error / (0.5 * (first - last)), "constant_end": error / (-0.5 * last)}
    # Rounding of a logarithm that is a sum over the steps.
    sizes = known({name: abs(value) for name, value in values.items()}, 1e-15 * steps)
    return sizes | known(constants, 1e-12 * steps)


def skip(cell):
    return "" if cell["steps"] in STEPS[cell["schedule"]] else "each schedule is measured at four numbers of steps"


ESCORTS = {  # share: regime, words, control
    0.0: ("no_escort", "without an escort", ("ten per cent too much noise", "hot")),
    1.0: ("exact_escort", "with the exact escort", ("the divergence of the escort omitted", "no_divergence")),
}
annealing = Theorem("tilting.escorted_jarzynski", None, "related work: Albergo, Vanden-Eijnden 2024, arXiv 2410.02711")
tilting = Theorem("tilting.tilted_jarzynski", None, "existence stated by arXiv 2605.00229; formulas derived here")


def claims(theorem, name, words, *, schedule=FLOW, suffix=""):
    """The error of order h without an escort and with the exact one."""
    for share, (regime, escort, (mutation, variable)) in ESCORTS.items():
        yield theorem.claim(regime=regime + suffix, evidence="quadrature", variable=name,
                            test=Rate(-1.05, -0.95, along="steps"),
                            where={"share": share, "schedule": schedule, "steps": STEPS[schedule]},
                            statement=f"{words} {escort}, the rate form of the work has an error of order h in its "
                                      "exponential average.",
                            control=Control(mutation, variable=f"{name}_{variable}"))  # fmt: skip


study = Study(
    name="tilting_step_size", title="Work in rate form: error against step size",
    grid=Grid(share=[0.0, 1.0], schedule=list(STEPS), steps=[50, 100, 200, 400, 800], skip=skip), measure=measure,
    variables={
        "annealing": Variable("Relative error of E exp(-W_h)"),
        "annealing_hot": Variable("Relative error of E exp(-W_h), the noise of 1.1 epsilon under the drift of epsilon"),
        "annealing_no_divergence": Variable("Relative error of E exp(-W_h) without div e in the work"),
        "tilting": Variable("Relative error of E exp(A_h)"),
        "tilting_hot": Variable("Relative error of E exp(A_h), the noise of 1.1 epsilon under the drift of epsilon"),
        "tilting_no_divergence": Variable("Relative error of E exp(A_h) without div c in the weight"),
        "constant": Variable("Error of the exact correction times K, over -[(log Z)'(1) - (log Z)'(0)]/2"),
        "constant_end": Variable("Error of the exact correction times K, over -(log Z)'(1)/2"),
    },
    claims=[
        *claims(annealing, "annealing", "For annealing from N(0, 1) to N(2, 1/4)"),
        *claims(tilting, "tilting", "For tilting a Gaussian process of rectified flow"),
        *claims(tilting, "tilting", "For tilting a Gaussian process of cosine VP", schedule="vp_cosine", suffix="_vp"),
        Claim("tilting.nets_residual_zero",
              "With the exact correction of a Gaussian process, rectified flow, the error of E exp(A_h) is that of a "
              "left Riemann sum of (log Z)'.",
              "derived here", "quadrature", "constant", Limit(0.999, 1.001, along="steps", order=1),
              regime="constant", where={"share": 1.0, "schedule": FLOW, "steps": STEPS[FLOW]},
              control=Control("(log Z)' at the end alone", variable="constant_end")),
    ],
)  # fmt: skip
