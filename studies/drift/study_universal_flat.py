"""Claims about the Laplace drift of two Gaussians where the kernel is flat, attacked in any dimension.

Flat means that h^2 = rho tau is many times the largest eigenvalue L. There the drift is rho tau times its score
difference, up to what the kernel sees of a change in norms. What counts is not the dimension but tr Sigma / L, about
how many directions carry a law: eigenvalues go down to a millionth, so that the two can be far apart. Two kinds of
pairs: means that differ along one axis, with covariances that differ at will but for the norms; and equal means, where
the covariances differ in a few directions.
"""

import math

import numpy as np
from _eigenspaces import Pair, measured

from unifiedscore.study import FalseVariant, Hypothesis, Integer, Real, Space, Study, Universal

DERIVED = "derived here"
ORDERS = {"own": (4, 6), "engine": (5, 7)}  # three eigenspaces: the nodes are the cube of these
FRACTION = Real(0.02, 0.2, log=True, simple=(0.1, 0.2, 0.05, 0.02))
EIGENVALUE = Real(1e-6, 1.0, log=True, simple=(1.0, 0.5, 0.1))  # the trace may lie in a few of the directions


def change(most):
    return Real(1 / most, most, log=True, simple=(1.0, 2.0, 0.5))


def derive_last(instance):
    """The last eigenvalue of the target, from the norms; None where it would not be positive."""
    d = instance["dimension"]
    first = min(max(round(instance["share"] * (d - 1)), 1), d - 2)
    rest = d - 1 - first
    along, middle = instance["along"] * instance["along_change"], instance["middle"] * instance["middle_change"]
    norm = instance["along"] + first * instance["middle"] + rest * instance["last"]
    total = (1 + instance["excess"] / d) * norm - instance["shift"] ** 2
    last = (total - along - first * middle) / rest
    return {"target": (along, middle, last), "counts": (1, first, rest)} if last > 1e-9 else None


shifted = Space(
    derive=derive_last,
    dimension=Integer(256, 2**20, log=True, simple=(256, 1024)),
    shift=Real(0.3, 3.0, log=True, simple=(1.0,)),
    along=EIGENVALUE,
    middle=EIGENVALUE,
    last=EIGENVALUE,
    share=Real(1e-5, 0.99, log=True, simple=(0.5,)),
    along_change=change(5.0),
    middle_change=change(10.0),
    excess=Real(-1.0, 1.0, simple=(0.0, 1.0, -1.0)),
    fraction=FRACTION,
)


def shifted_pair(instance):
    model = np.array([instance[name] for name in ("along", "middle", "last")])
    count, target = (np.array(instance[name], dtype=float) for name in ("counts", "target"))
    rho = math.sqrt(float(count @ (target + model)) + instance["shift"] ** 2)
    return Pair(target, model, count, instance["fraction"] * rho, instance["shift"])


few = Space(
    dimension=Integer(2**14, 2**20, log=True),
    one=Integer(1, 8),
    two=Integer(1, 8),
    first=EIGENVALUE,
    second=EIGENVALUE,
    rest=EIGENVALUE,
    first_change=change(5.0),
    second_change=change(5.0),
    fraction=FRACTION,
)


def few_pair(instance):
    model = np.array([instance[name] for name in ("first", "second", "rest")])
    target = model * [instance["first_change"], instance["second_change"], 1.0]
    count = np.array([instance["one"], instance["two"], instance["dimension"]], dtype=float)
    count[2] -= count[0] + count[1]
    return Pair(target, model, count, instance["fraction"] * math.sqrt(float(count @ (target + model))))


def flatness(pair):
    return float(pair.rho * pair.tau / largest(pair))


def seen(pair, *, tilted=True):
    """The change of E r^2 that the kernel sees: of the norms, less what the posterior tilts."""
    count, target, model = pair.multiplicity, pair.target, pair.model
    tilt = float(count @ (target**2 - model**2 + 2 * (target - model) * model)) / (pair.rho * pair.tau)
    return float(count @ (target - model)) + pair.shift**2 - (tilt if tilted else 0.0)


def largest(pair):
    """The largest eigenvalue of both laws: tr Sigma_q over it is how many directions carry the model."""
    return float(max(pair.target.max(), pair.model.max()))


def per_bound(pair, *, tilted=True):
    """tr Sigma_q over L + (L^2 + t^2 / 16) / v^2, with the largest eigenvalue L and the distance v of the means."""
    top, square = largest(pair), pair.shift**2
    return pair.traces[1] / (top + (top**2 + seen(pair, tilted=tilted) ** 2 / 16) / square)


def per_dimension(pair):
    """The same with d for tr Sigma_q / L and the mean eigenvalue s^2 for L."""
    d = float(pair.multiplicity.sum())
    spread = pair.traces[1] / d
    return d / (1 + (spread + seen(pair) ** 2 / (16 * spread)) / pair.shift**2)


def alone(pair):
    """tr Sigma_q / L: the bound without what the kernel sees of the covariances."""
    return pair.traces[1] / largest(pair)


def alignment(bound, *, route="own", **options):
    def evaluate(instance):
        pair = shifted_pair(instance)
        found = measured(pair, "relative", bound(pair, **options), route=route, orders=ORDERS)
        return found | {"flatness": flatness(pair)}

    return evaluate


def constant(*, route="own", absolute=False):
    """The relative error over tau^2 (tr dSigma)^2 / 8 E|dSigma x|^2, or with the trace of |dSigma| for tr dSigma."""

    def evaluate(instance):
        pair = few_pair(instance)
        parts = pair.multiplicity * (pair.target - pair.model)
        energy = 8 * float(parts**2 @ (pair.model / pair.multiplicity))
        whole = float(np.abs(parts).sum())
        through = (float(parts.sum()) / (2 * pair.rho**2)) ** 2 * float(
            pair.multiplicity @ (pair.target**2 * pair.model)
        )
        change = {
            "flatness": flatness(pair),
            "trace_share": abs(float(parts.sum())) / whole if whole else math.nan,
            "through_bandwidth": 8 * through / energy if energy else math.nan,
        }
        predicted = pair.tau**2 * (whole if absolute else float(parts.sum())) ** 2
        if not whole or predicted < 1e-12 * energy:
            return {"value": math.nan, "error": 0.0} | change
        return measured(pair, "relative", energy / predicted, route=route, orders=ORDERS) | change

    return evaluate


def engine(make, *arguments, **options):
    evaluate = make(*arguments, route="engine", **options)
    evaluate.__doc__ = "the engine's quadrature of the Laplace kernel, chi-squared rules of orders 5 and 7"
    return evaluate


FLAT = Hypothesis("h^2 over the largest eigenvalue", "flatness", low=20.0)
FLATTEST = Hypothesis("h^2 over the largest eigenvalue", "flatness", low=300.0)
TRACE = Hypothesis("|tr dSigma| over the trace of |dSigma|", "trace_share", low=0.2)
DIRECT = Hypothesis("energy of (tr dSigma / 2 rho^2) Sigma_p x over that of dSigma x", "through_bandwidth", high=0.01)

# The norms agree exactly, and the kernel sees by its tilt that the target has variance moved between eigenspaces.
TILTED = shifted.instance(dimension=2**11, shift=1.0, along=1.0, middle=1.0, last=0.1, share=0.4, along_change=1.0,
                          middle_change=0.2, excess=0.0, fraction=0.02)  # fmt: skip
# A hundred directions carry nearly all of the trace of a million.
CARRIED = shifted.instance(dimension=2**20, shift=1.0, along=0.5, middle=1.0, last=1e-6, share=100 / (2**20 - 1),
                           along_change=1.0, middle_change=0.99, excess=0.0, fraction=0.2)  # fmt: skip
# The covariances differ in eight directions of little variance, and the bandwidth changes in all of them.
FAINT = few.instance(dimension=2**14, one=8, two=1, first=1e-4, second=1.0, rest=1.0, first_change=5.0,
                     second_change=1.0, fraction=0.1)  # fmt: skip
# The changes of two directions cancel in the trace but for a thousandth.
CANCELLING = few.instance(dimension=2**14, one=1, two=2, first=1.0, second=0.5, rest=1.0, first_change=1.5,
                          second_change=0.501, fraction=0.1)  # fmt: skip
TRACED = "|tr dSigma| at least a fifth of the trace of |dSigma|"
FELT = "an energy of (tr dSigma / 2 rho^2) Sigma_p x of at most 1 % of that of dSigma x"
PAIRS = (
    "For all pairs of Gaussians of 256 to 2^20 dimensions with eigenvalues of the model in [1e-6, 1] in three common "
    "eigenspaces, one of them a line along which the means are v = 0.3 to 3 apart, changed by factors of up to 5 on "
    "this line and 10 in a second one, with E|x|^2 within 1/d of each other, tau in [.02, .2] rho and h^2 at least 20 "
    "times the largest eigenvalue L of both, the relative error of the Laplace drift against rho tau times its score "
    "difference is at most "
)
FEW = (
    "For all pairs of Gaussians of equal means in 2^14 to 2^20 dimensions with eigenvalues of the model in [1e-6, 1] "
    "in three common eigenspaces, two of 1 to 8 dimensions that change by factors of up to 5, with tau in [.02, .2] "
    "rho, h^2 at least 300 times the largest eigenvalue{}, the relative error of the Laplace drift against rho tau "
    "times its score difference is tau^2 (tr dSigma)^2 / 8 E|dSigma x|^2 within 10 %."
)

study = Study(
    name="universal_flat", title="The Laplace drift of two Gaussians where the kernel is flat",
    universals=[
        Universal("universal.mean_shift_alignment",
                  PAIRS + "1.5 (L + (L^2 + t^2 / 16) / v^2) / tr Sigma_q, where "
                  "t = tr dSigma + v^2 - (tr Sigma_p^2 - tr Sigma_q^2 + 2 tr dSigma Sigma_q) / rho tau.",
                  DERIVED, shifted, alignment(per_bound), (-math.inf, 1.5), engine(alignment, per_bound),
                  FalseVariant("tr dSigma + v^2 for t: the tilt of the posterior left out",
                               quantity=alignment(per_bound, tilted=False),
                               second=engine(alignment, per_bound, tilted=False)),
                  hypotheses=(FLAT,), starts=[TILTED, CARRIED]),
        Universal("universal.mean_shift_alignment",
                  PAIRS + "5 (1 + (s^2 + t^2 / 16 s^2) / v^2) / d, where s^2 = tr Sigma_q / d and "
                  "t = tr dSigma + v^2 - (tr Sigma_p^2 - tr Sigma_q^2 + 2 tr dSigma Sigma_q) / rho tau.",
                  DERIVED, shifted, alignment(per_dimension), (-math.inf, 5.0), engine(alignment, per_dimension),
                  regime="by dimension", hypotheses=(FLAT,), expect="refuted", starts=[CARRIED]),
        Universal("universal.mean_shift_alignment",
                  PAIRS + "20 L / tr Sigma_q.",
                  DERIVED, shifted, alignment(alone), (-math.inf, 20.0), engine(alignment, alone),
                  regime="norms alone", hypotheses=(FLAT,), expect="refuted", starts=[TILTED]),
        Universal("universal.flat_constant",
                  FEW.format(f", {TRACED} and {FELT}"),
                  DERIVED, few, constant(), (0.9, 1.1), engine(constant),
                  FalseVariant("the trace of |dSigma| for tr dSigma", quantity=constant(absolute=True),
                               second=engine(constant, absolute=True)),
                  hypotheses=(FLATTEST, TRACE, DIRECT)),
        Universal("universal.flat_constant",
                  FEW.format(f" and {TRACED}"), DERIVED, few, constant(), (0.9, 1.1), engine(constant),
                  regime="faint directions", hypotheses=(FLATTEST, TRACE), expect="refuted", starts=[FAINT]),
        Universal("universal.flat_constant",
                  FEW.format(f" and {FELT}"), DERIVED, few, constant(), (0.9, 1.1), engine(constant),
                  regime="cancelling", hypotheses=(FLATTEST, DIRECT), expect="refuted", starts=[CANCELLING]),
    ],
)  # fmt: skip
