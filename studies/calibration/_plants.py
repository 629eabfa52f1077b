"""Planted cases: claims with data that have one thing wrong, and with data that have not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import sympy

from unifiedscore.study import (
    Claim,
    Control,
    Derivation,
    Hypothesis,
    Identity,
    Inside,
    Limit,
    Proportion,
    Rate,
)

SEEDS = 16
SEED = {"seed": range(SEEDS)}
X = (4.0 ** np.arange(9)).tolist()
ALONG = {"x": X, **SEED}
# Fixed replicates of mean 0 and standard deviation 1, symmetric: Student's interval, of half-width 0.74 at 99 % and
# 1.31 at 99.99 %.
NOISE = np.linspace(-1, 1, SEEDS) / np.linspace(-1, 1, SEEDS).std(ddof=1)
# Along x: the noise of each label is a rotation of it, so that labels do not move together.
ROTATED = np.array([np.roll(NOISE, 5 * k) for k in range(len(X))])
POWER = 1 / np.array(X)[:, None]


@dataclass(frozen=True, slots=True)
class Plant:
    """A claim, the data in which one thing is wrong, and the outcome that this must have."""

    name: str
    statement: str
    expected: str
    claim: Claim | Derivation
    axes: Mapping
    planted: Mapping
    sound: Mapping = field(default_factory=dict)


def claim(test, evidence="monte_carlo", *, control=None, **parts):
    """A claim about y whose control is far away, unless another is given."""
    control = control or Control("a wrong measurement", variable="far")
    return Claim("planted.claim", "y lies in its region.", "planted", evidence, "y", test, control=control, **parts)


def data_of(kind):
    """Test, evidence, axes and data in which the claim is true, and the values that a wrong computation gives."""
    error = 0.1 * NOISE
    if kind == "identity":
        data = {"y": [1e-15, -2e-15, 1e-15], "scale": 1.0, "far": 1.0}
        return Identity(c=16, scale="scale"), "exact", {"cell": [0, 1, 2]}, data, [1e-15, 1e-6, 1e-15]
    if kind == "inside":
        return Inside(0.5, 1.5), "monte_carlo", SEED, {"y": 1 + error, "far": 9 + error}, 2 + error
    if kind == "proportion":
        shares = np.array([0.02, 0.04] * (SEEDS // 2))
        return Proportion(0, 0.1, trials=50), "monte_carlo", SEED, {"y": shares, "far": 0.5 + shares}, 0.4 + shares
    if kind == "rate":
        data = {"y": POWER * np.exp(0.01 * ROTATED), "far": np.exp(0.01 * ROTATED)}
        return Rate(-1.1, -0.9, along="x"), "monte_carlo", ALONG, data, POWER**2 * np.exp(0.01 * ROTATED)
    data = {"y": 1 + POWER + 0.01 * ROTATED, "far": 9 + POWER + 0.01 * ROTATED}
    return Limit(0.9, 1.1, along="x", order=1), "monte_carlo", ALONG, data, 2 + POWER + 0.01 * ROTATED


def of_every_test():
    """What can be wrong whatever the test: the code, the control, a hypothesis."""
    for kind in ("identity", "inside", "rate", "limit", "proportion"):
        test, evidence, axes, sound, wrong = data_of(kind)
        sound = sound | {"condition": 1.0}
        called, made = kind.capitalize(), claim(test, evidence)
        yield Plant(f"{kind}_wrong_code", f"{called} of values that wrong code computes", "refuted", made, axes,
                    sound | {"y": wrong}, sound)  # fmt: skip
        yield Plant(f"{kind}_true_control", f"{called} whose control is as true as its claim", "inconclusive", made,
                    axes, sound | {"far": sound["y"]}, sound)  # fmt: skip
        undecided = np.full(np.shape(sound["y"]), math.nan)
        yield Plant(f"{kind}_undecided_control", f"{called} whose control decides nothing", "inconclusive", made,
                    axes, sound | {"far": undecided}, sound)  # fmt: skip
        conditional = claim(test, evidence, hypotheses=(Hypothesis("a condition", "condition", low=0.5),))
        yield Plant(f"{kind}_missing_hypothesis", f"{called} with a hypothesis that was not measured", "inconclusive",
                    conditional, axes, sound | {"condition": math.nan}, sound)  # fmt: skip
        yield Plant(f"{kind}_false_hypothesis", f"{called} with a hypothesis that fails", "not_applicable",
                    conditional, axes, sound | {"condition": 0.0}, sound)  # fmt: skip


def of_replicates():
    """Replicates that are none, too few for the number of cells, or that move together."""
    test, _, axes, sound, _ = data_of("inside")
    yield Plant("pseudo_replicates", "Inside of seeds that agree to rounding", "inconclusive", claim(test), axes,
                sound | {"y": 1 + 1e-16 * NOISE}, sound)  # fmt: skip
    # Half-widths are 0.74 at 99 % and 1.31 at 99.99 % at 16 seeds; 0.49 and 0.76 if every seed counted twice.
    yield Plant("seeds_counted_once", "Inside of a region that 32 seeds would reach and 16 do not", "inconclusive",
                claim(Inside(0.4, 1.6)), axes, sound | {"y": 1 + NOISE}, sound)  # fmt: skip
    # The half-width is 0.737 at 99 %; with n for n - 1 in the standard deviation it were 0.713.
    yield Plant("spread_by_n_minus_one", "Inside of a region that a standard deviation with n for n - 1 would reach",
                "inconclusive", claim(Inside(0.275, 1.725)), axes, sound | {"y": 1 + NOISE},
                sound | {"y": 1 + 0.9 * NOISE})  # fmt: skip
    yield Plant("refuted_at_the_wider_level", "Inside of a value that 99 % would refute and 99.99 % do not",
                "inconclusive", claim(Inside(-9, 1)), axes, sound | {"y": 2 + NOISE}, sound | {"y": 3 + NOISE}
    )  # fmt: skip
    cells = {"cell": range(8), **SEED}
    many = {"y": 1 + 0.1 * NOISE + np.zeros((8, 1)), "far": 9 + 0.1 * NOISE + np.zeros((8, 1))}
    # One of eight cells needs the level 1 - 0.01 / 8, where the half-width is 1.0.
    yield Plant("level_divided", "Inside of eight cells, each of which is supported at 99 % and not at 99.9 %",
                "inconclusive", claim(Inside(0.15, 1.85)), cells, many | {"y": 1 + NOISE + np.zeros((8, 1))},
                many)  # fmt: skip
    test, _, axes, sound, _ = data_of("rate")
    together = {"y": POWER ** (1 + 0.2 * NOISE)}
    yield Plant("points_of_a_seed_move_together", "Rate of seeds whose points move together by more than the region",
                "inconclusive", claim(replace(test, of="geometric_mean")), axes, sound | together, sound)  # fmt: skip
    test, _, axes, sound, _ = data_of("proportion")
    few = np.zeros(SEEDS)
    few[:9] = 1.0
    yield Plant("proportion_low_end", "Proportion whose exact interval reaches below its region", "inconclusive",
                claim(Proportion(0.5, 1.1, trials=1)), SEED, {"y": few, "far": np.zeros(SEEDS)},
                {"y": np.ones(SEEDS), "far": np.zeros(SEEDS)})  # fmt: skip
    yield Plant("skewed_mean", "Inside of 16 skewed replicates whose largest one is not seen yet", "inconclusive",
                claim(Inside(1.0, 1.2)), SEED, {"y": np.exp(0.6 * NOISE) * 0.35, "far": 9 + NOISE},
                {"y": 1.1 + 0.01 * NOISE, "far": 9 + NOISE})  # fmt: skip


def of_numbers():
    """Numerical errors, randomness in exact values, the ends of slices."""
    one = {"cell": [0]}
    inside, far = Inside(0.5, 1.5), {"far": 9.0, "far_error": 1e-9}
    yield Plant("ignored_error", "Inside of a value whose numerical error is larger than its region", "inconclusive",
                claim(inside, "quadrature"), one, {"y": 1.0, "y_error": 2.0} | far,
                {"y": 1.0, "y_error": 0.01} | far)  # fmt: skip
    pair = {"way": ["one", "two"]}
    difference = claim(inside, "quadrature", where={"way": "one"}, minus={"way": "two"})
    wide = {"y": np.array([3.0, 2.0]), "far": np.array([9.0, 0.0]), "far_error": 1e-9}
    yield Plant("errors_add", "Inside of a difference whose two errors add to more than its region", "inconclusive",
                difference, pair, wide | {"y_error": 0.3}, wide | {"y_error": 0.01})  # fmt: skip
    yield Plant("random_exact_values", "Inside of exact values that change with the seed", "inconclusive",
                claim(inside, "exact"), SEED, {"y": 1 + 0.01 * NOISE, "far": 9.0}, {"y": 1.0, "far": 9.0})  # fmt: skip
    small = np.full(12, 1e-16)
    spike = np.where(np.arange(12) == 5, 3e4 * 2.0**-52, small)
    # Without axes the test takes all residuals at once, as it does where it is called alone.
    yield Plant("worst_not_average", "Identity with one wrong residual among twelve", "refuted",
                claim(Identity(c=16, scale="scale"), "exact"), {}, {"y": spike, "scale": 1.0},
                {"y": small, "scale": 1.0})  # fmt: skip
    cells = {"cell": range(12)}
    for end, where in (("last", slice(2, 11)), ("first", slice(0, 9))):
        position = 11 if end == "last" else 0
        values = np.where(np.arange(12) == position, 9.0, 1.0)
        parts = {"y_error": 1e-9, "far": 9.0, "far_error": 1e-9}
        yield Plant(f"slice_holds_its_{end}_label", f"Inside over a slice whose {end} label alone is wrong", "refuted",
                    claim(inside, "quadrature", where={"cell": where}), cells, {"y": values} | parts,
                    {"y": 1.0} | parts)  # fmt: skip


def bent_at_first():
    """Logarithms whose fit to all x has slope 0 and no bend, and whose last five points have slope 0.2 per unit."""
    u = np.log(np.array(X))
    u = (u - u.mean()) / np.log(4)
    r = np.zeros(9)
    r[4:] = 0.2 * np.log(4) * (u[4:] - u[6])
    basis = np.stack([np.ones(9), u, u**2])
    r[:4] = np.linalg.lstsq(basis[:, :4], -basis[:, 4:] @ r[4:], rcond=None)[0]
    return r[:, None]


def of_series():
    """The refit of a rate, the changes of a limit."""
    test, _, axes, sound, _ = data_of("rate")
    bent = POWER * np.exp(bent_at_first() + 0.001 * ROTATED)
    yield Plant("refit_without_the_first_third", "Rate of a line that the first third alone keeps on the slope",
                "inconclusive", claim(test), axes, sound | {"y": bent}, sound)  # fmt: skip
    x = np.array(X[:6])
    # Local limits 1, 1, 1, 1.3 and 1.3: the last change is nothing, the one before is not.
    local, y = np.array([1.0, 1.0, 1.0, 1.3, 1.3]), [2.0]
    for first, second, limit in zip(x[:-1], x[1:], local, strict=True):
        y.append(limit + (y[-1] - limit) * first / second)
    numbers = {"y": np.array(y), "y_error": 1e-9, "far": 9 + 1 / x, "far_error": 1e-9}
    yield Plant("last_two_changes", "Limit whose extrapolation moved in its last step but one", "inconclusive",
                claim(Limit(1.1, 1.5, along="x", order=1), "quadrature"), {"x": x.tolist()}, numbers,
                numbers | {"y": 1.3 + 1 / x})  # fmt: skip


def of_limits_at_zero():
    """A limit towards x = 0, by a negative order."""
    x = np.array(X[:6]) / X[5]
    numbers = {"y_error": 1e-9, "far": 9 + x, "far_error": 1e-9}
    yield Plant("limit_at_zero", "Limit at x = 0 of values that tend to another limit there", "refuted",
                claim(Limit(0.9, 1.1, along="x", order=-1), "quadrature"), {"x": x.tolist()},
                numbers | {"y": 3 + x}, numbers | {"y": 1 + x})  # fmt: skip


def of_proofs():
    """Zeros that SymPy does not find, wrong code beside a proof, controls that are true."""
    t = sympy.Symbol("t", positive=True)
    zero = sympy.Integer(0)
    # Bessel's integral: zero identically, by no rule of SymPy's.
    hidden = sympy.besselj(0, t) - _bessel_by_integral(t)
    base = Derivation("planted.proof", lambda: zero, lambda: t, lambda rng: 0.0)
    sound = {"residual": lambda: sympy.sin(t) ** 2 + sympy.cos(t) ** 2 - 1}
    yield Plant("unprovable_zero", "A zero that SymPy cannot reduce", "inconclusive", base, {},
                {"residual": lambda: hidden}, sound)  # fmt: skip
    # True at every point, and found by no rewriting: max(a, b) = (a + b + |a - b|)/2.
    one = sympy.Symbol("one", real=True)
    seen = sympy.Max(one, t) - (one + t + sympy.Abs(one - t)) / 2
    yield Plant("zero_at_points", "A zero that holds at every point and that SymPy cannot reduce", "inconclusive", base,
                {}, {"residual": lambda: seen}, sound)  # fmt: skip
    yield Plant("proof_of_a_wrong_theorem", "A residual that is not zero", "refuted", base, {},
                {"residual": lambda: t / 10**6}, sound)  # fmt: skip
    yield Plant("proof_beside_wrong_code", "A proof beside field code that differs from it", "refuted", base, {},
                sound | {"agrees": lambda rng: 1e9}, sound)  # fmt: skip
    yield Plant("proof_with_an_undecided_control", "A proof whose control decides nothing", "inconclusive", base, {},
                sound | {"control": lambda: hidden}, sound)  # fmt: skip
    yield Plant("proof_with_a_true_control", "A proof whose control is zero as well", "inconclusive", base, {},
                sound | {"control": lambda: zero}, sound)  # fmt: skip


def _bessel_by_integral(t):
    angle = sympy.Symbol("angle", real=True)
    return sympy.Integral(sympy.cos(t * sympy.sin(angle)), (angle, 0, sympy.pi)) / sympy.pi


PLANTS = [*of_every_test(), *of_replicates(), *of_numbers(), *of_series(), *of_limits_at_zero(), *of_proofs()]
