"""How often is a verdict wrong? The tests of the framework, judged by the framework.

Every trial is a synthetic data set of 16 seeds with known truth, given to a test as a study would give it. The truth
sits on an end of the region, where errors are most frequent: just inside, a refutation is wrong; just outside, support
is. Shares of wrong verdicts are held against the nominal ones: 1e-4 for refutation, 1e-2 for support and for
missing the truth at 99 %.

Every interval of `Rate` and `Limit` contains the t interval of the plain fit (refit and trend only widen it), so that a
trial whose plain interval is not wrong has no wrong verdict. The plain intervals of all trials are computed at once,
and the test itself runs on the others: the counts are those of the tests, at a hundredth of the time.
"""

import math

import numpy as np
import sympy
from _trials import (
    NOISE_SIZE,
    POINTS,
    SEEDS,
    SHAPES,
    SIZES,
    TRUTH,
    WIDTH,
    build,
    draw,
    fit_weights,
    regions,
    shape_of,
)

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, decide
from unifiedscore.inference.estimates import t_quantile
from unifiedscore.study import (
    Claim,
    Control,
    Derivation,
    Grid,
    Identity,
    Proportion,
    Study,
    Variable,
    judge_derivation,
)

COPIES = 4  # of every draw, in the mutation that counts it four times
TRIALS, LOOPED, NUMBERS, PROOFS, CHUNK = 50_000, 624, 320, 12, 2500
CASES = [
    *[("inside", noise, "none", "long") for noise in ("normal", "heteroscedastic", "t5", "lognormal", "paired")],
    ("inside_log", "lognormal", "none", "long"),
    *[("rate", noise, "none", "long") for noise in ("normal", "heteroscedastic", "t5", "lognormal", "shared")],
    *[("limit", noise, "none", "long") for noise in ("normal", "heteroscedastic", "t5", "lognormal", "shared")],
    *[(t, "normal", shape, points) for t in ("rate", "limit") for shape in SHAPES for points in POINTS],
    *[(t, "nothing", s, points) for t in ("rate_numbers", "limit_numbers") for s in SHAPES for points in POINTS],
    ("identity", "nothing", "none", "long"), ("symbolic", "nothing", "none", "long"),
]  # fmt: skip


def wrong(value, half, truth, low, high):
    """Which intervals refute the region, which lie inside it, which miss the truth."""
    refuted = (value - half > high) | (value + half < low)
    return refuted, (value - half >= low) & (value + half <= high), np.abs(value - truth) > half


def count_seeded(test, noise, correction, x, trials, rng):
    """Shares of wrong verdicts of the test (`true_*`: region holds the truth) and of three naive intervals."""
    counts = dict.fromkeys(SHARES, 0) | (dict.fromkeys(BY_SIZE, 0) if correction != "none" else {})
    weights = fit_weights(test, x)
    q = {level: t_quantile(level, SEEDS - 1) for level in (SUPPORT_LEVEL, REFUTE_LEVEL)}
    for start in range(0, trials, CHUNK):
        y = draw(test, noise, correction, x, min(CHUNK, trials - start), rng)
        found = np.einsum("k,tks->ts", weights, y)
        sign = np.where(np.arange(len(y)) % 2, 1.0, -1.0)
        inner, outer = (np.array(ends).T for ends in zip(*(regions(test, s, x) for s in sign), strict=True))
        fourfold = np.tile(found[:, :COPIES], SEEDS // COPIES)
        means, width = regression(test, x, y.mean(axis=2))
        one = {level: t_quantile(level, max(x.size - 2, 1)) for level in q}
        ways = {
            "plain": (found.mean(axis=1), found.std(axis=1, ddof=1) / math.sqrt(SEEDS), q),
            "copied": (fourfold.mean(axis=1), fourfold.std(axis=1, ddof=1) / math.sqrt(SEEDS), q),
            "means": (means, width, one),
        }
        flags = {}
        for way, (value, error, quantile) in ways.items():
            refuted, _, _ = wrong(value, quantile[REFUTE_LEVEL] * error, TRUTH[test], *inner)
            _, supported, missed = wrong(value, quantile[SUPPORT_LEVEL] * error, TRUTH[test], *outer)
            flags[way] = {"false_refutation": refuted, "false_support": supported, "miss": missed}
            for name, flag in flags[way].items():
                counts[f"{name}_{way}"] += int(flag.sum())
        for name, flag in flags["plain"].items():
            for i in np.flatnonzero(flag):
                found_wrong = is_wrong(name, test, x, y[i], *(regions(test, sign[i], x)))
                counts[name] += found_wrong
                if name == "false_refutation" and correction != "none":
                    counts[f"{name}_{SIZES[i % len(SIZES)]}"] += len(SIZES) * found_wrong  # a share of its trials
    return {name: count / trials for name, count in counts.items()}


def regression(test, x, means):
    """Slope or intercept of the seed means and its standard error from the scatter about the line: what not to do."""
    if test.startswith("inside"):
        return means[:, 0], np.full(len(means), np.inf)
    basis = np.log(x) if test == "rate" else 1 / x
    design = np.stack([basis, np.ones_like(x)], axis=1)
    inverse = np.linalg.inv(design.T @ design)
    coefficients = means @ design @ inverse
    variance = ((means - coefficients @ design.T) ** 2).sum(axis=1) / (x.size - 2)
    entry = 0 if test == "rate" else 1
    return coefficients[:, entry], np.sqrt(variance * inverse[entry, entry])


def is_wrong(name, test, x, y, inner, outer):
    """Whether the test itself gives this wrong verdict on one trial (x, seed)."""
    region = outer if name == "false_support" else inner
    chosen = build(test, *region)
    y = y[0] if test.startswith("inside") else y
    y = np.exp(y) if test in ("inside_log", "rate") else y
    level = REFUTE_LEVEL if name == "false_refutation" else SUPPORT_LEVEL
    estimate = chosen.estimate(y, x=x, level=level)
    if name == "miss":
        truth = math.exp(TRUTH[test]) if test == "inside_log" else TRUTH[test]
        return estimate.kind == "t" and not estimate.covers(truth)
    return decide(estimate, chosen.low, chosen.high) == ("supported" if name == "false_support" else "refuted")


def count_numbers(test, correction, x, trials, rng):
    """Shares of verdicts on numbers without noise: the truth at a random distance from the end of the region."""
    counts = dict.fromkeys(("false_refutation", "false_support", "false_world_refuted", "true_world_supported"), 0)
    kind, width = test.removesuffix("_numbers"), WIDTH[test]
    for _ in range(trials):
        size = rng.choice([-1, 1]) * 10 ** rng.uniform(-1.5, 0.5)
        y = size * shape_of(correction, x)
        y = np.exp(0.3 * y) / x if kind == "rate" else TRUTH[kind] + y
        gap, sign = width * 10 ** rng.uniform(-4, -0.5), rng.choice([-1, 1])
        for true, distance in ((True, -gap), (False, gap)):  # how far the truth lies beyond the end of the region
            end = TRUTH[kind] + sign * distance
            chosen = build(test, *sorted((end, end + sign * width)))
            estimate = chosen.estimate(y, x=x, error=np.zeros(x.size), level=SUPPORT_LEVEL)
            tally(counts, true, decide(estimate, chosen.low, chosen.high))
    return {name: count / trials for name, count in counts.items()}


def count_identities(trials, rng):
    """Sums in two orders (true) and with 1e-9 of their size added (false)."""
    counts = dict.fromkeys(("false_refutation", "false_support", "false_world_refuted", "true_world_supported"), 0)
    test = Identity(c=16, scale="scale")
    for _ in range(trials):
        terms = rng.normal(size=300) * 10 ** rng.uniform(-6, 6, size=300)
        scale, residual = np.abs(terms).sum(), terms.sum() - math.fsum(terms)
        for true, value in ((True, residual), (False, residual + 1e-9 * scale)):
            outcome = decide(test.estimate([value], error=[scale], level=0.99), test.low, test.high)
            tally(counts, true, outcome)
    return {name: count / trials for name, count in counts.items()}


def count_proofs(trials, rng):
    """Expanded products against factored ones (true) and with one coefficient changed (false)."""
    counts = dict.fromkeys(("false_refutation", "false_support", "false_world_refuted", "true_world_supported"), 0)
    t = sympy.Symbol("t", real=True)
    for _ in range(trials):
        roots = [sympy.Rational(int(n), 7) for n in rng.integers(-9, 10, size=4)]
        product = sympy.prod(sympy.sin(t) ** 2 - root for root in roots)
        true = sympy.expand(product).subs(sympy.sin(t) ** 2, 1 - sympy.cos(t) ** 2) - product
        false = true + sympy.Rational(1, 10**6) * t
        for is_true, residual in ((True, true), (False, false)):
            derivation = Derivation("calibration.trial", lambda r=residual: r, lambda: t + 1, lambda rng: 0.0)
            tally(counts, is_true, judge_derivation(derivation, rng).outcome)
    return {name: count / trials for name, count in counts.items()}


def tally(counts, true, outcome):
    if outcome in ("supported", "refuted"):
        good = true == (outcome == "supported")
        right = "true_world_supported" if true else "false_world_refuted"
        counts[right if good else "false_refutation" if true else "false_support"] += 1


WAYS = {"": "", "_plain": ", by the plain fit alone", "_copied": ", from four draws counted four times",
        "_means": ", by regression on seed means"}  # fmt: skip
SHARES = {
    f"{name}{way}": f"{words}{said}"
    for name, words in (
        ("false_refutation", "Share of true claims that are refuted"),
        ("false_support", "Share of false claims that are supported"),
        ("miss", "Share of 99 % intervals that miss the truth"),
    )
    for way, said in WAYS.items()
}
BY_SIZE = {
    f"false_refutation_{size}": "Share of true claims that are refuted, of corrections of "
    f"{size.replace('_', ' ')} standard deviations"
    for size in SIZES
}
OTHERS = BY_SIZE | {
    "false_world_refuted": "Share of claims refuted, the truth outside the region",
    "true_world_supported": "Share of claims supported, the truth inside the region",
    "trials": "Number of trials of one seed",
}


def skip(cell):
    return (cell["test"], cell["noise"], cell["correction"], cell["points"]) not in CASES


def trials_of(test, noise, correction):
    """How many trials a cell holds: cheap ones are counted in larger numbers."""
    if test == "symbolic":
        return PROOFS
    if test.endswith("_numbers") or test == "identity":
        return NUMBERS
    if correction != "none":
        return LOOPED
    near_the_bound = {("inside", "normal"): 2, ("limit", "lognormal"): 3, ("limit", "normal"): 3}
    return TRIALS * near_the_bound.get((test, noise), 1)


def measure(cell, rng):
    test, x = cell["test"], POINTS[cell["points"]]
    trials = trials_of(test, cell["noise"], cell["correction"])
    if test == "symbolic":
        found = count_proofs(trials, rng)
    elif test == "identity":
        found = count_identities(trials, rng)
    elif test.endswith("_numbers"):
        found = count_numbers(test, cell["correction"], x, trials, rng)
    else:
        found = count_seeded(test, cell["noise"], cell["correction"], x, trials, rng)
    return dict.fromkeys((*SHARES, *OTHERS), math.nan) | found | {"trials": trials}


SOURCE = "derived here, from the levels of the decision rule"
NOMINAL = {  # the bound; a tail of one end alone is half of it
    "false_refutation": (1e-4, "refutes a true claim with chance at most 1e-4"),
    "false_support": (0.01, "supports a false claim with chance at most 1 %"),
    "miss": (0.011, "misses the truth with a 99 % interval with chance at most 1.1 %"),
}
CORRECTED = {
    "false_refutation": (2e-3, "refutes a true claim at most twice in 1000"),
    "false_support": (0.01, "supports a false claim at most once in 100"),
}
FEW_PROOFS = {
    "false_refutation": (0.05, "refutes a true claim at most once in 20"),
    "false_support": (0.05, "supports a false claim at most once in 20"),
}
CALLED = {
    "inside": "Inside", "inside_log": "Inside of the geometric mean", "rate": "Rate of the geometric mean",
    "limit": "Limit",
    "rate_numbers": "Rate on numbers without seeds", "limit_numbers": "Limit on numbers without seeds",
    "identity": "Identity", "symbolic": "A proof by SymPy",
}  # fmt: skip
# Skewed means have one long tail, which Student's t with 16 seeds does not know (a slope has none: its weights are
# odd); symmetric long tails make it conservative. A correction that the declared order, or a straight line, mimics
# within the noise leaves no trend to see: 1/log x, and half the order on a short grid.
REFUTED = {("false_refutation", "inside", "lognormal"), ("false_support", "inside", "lognormal"),
           ("miss", "inside", "lognormal"), ("false_refutation", "limit", "lognormal"),
           ("rate", "half_order", "short"), ("rate", "logarithmic", "short"),
           ("limit", "logarithmic", "long"), ("limit", "logarithmic", "short"),
           ("limit", "half_order", "short")}  # fmt: skip
FINDINGS = {
    "limit_lognormal": "expected refuted from theory, for a time inconclusive: 1.36e-4 at root seed 0, with too few "
    "trials to decide, 1.61e-4 [1.12e-4, 2.24e-4] at root seed 1; three times the trials since",
    "rate_normal_logarithmic_long": "expected refuted; 6e-4 in a first run (another root seed): nine points a factor 4 "
    "apart show the trend in nearly all trials in which it matters",
    "rate_normal_half_order_short": "expected supported; 1.5e-2 in a first run (another root seed), and 6 % at a "
    "correction of 4 standard deviations in trials drawn anew: it bends the line by less than the noise there",
}
# Near the bound on either side: theory does not say which. The data set and the figure have the shares.
NO_THEORY = {
    ("false_support", "limit", "lognormal"),
    ("miss", "limit", "lognormal"),
    ("false_support", "rate", "logarithmic", "long"),
    ("false_support", "rate", "declared_order", "short"),
}
MUTATIONS = {
    "_plain": "no refit and no look at the trend",
    "_copied": "four draws counted four times as sixteen seeds",
    "_means": "regression on seed means",
}


def regime_of(case):
    kind, noise, correction, points = case
    return "_".join([kind] + [noise] * (noise != "nothing") + [correction, points] * (correction != "none"))


def claim(name, case, bound, statement, control, *, refuted, profile="standard"):
    """The share `name` of wrong verdicts of a case is at most the bound."""
    where, regime = dict(zip(("test", "noise", "correction", "points"), case, strict=True)), regime_of(case)
    finding = FINDINGS.get(regime, "") if name == "false_refutation" else ""
    if name == "false_support" and refuted and where["correction"] != "none":
        finding = "stated after the shares at root seed 0 had been seen; to be judged at another one"
    return Claim(
        f"calibration.{name}", statement, SOURCE, "monte_carlo", name, Proportion(0, bound, trials_of(*case[:3])),
        where=where, regime=regime, expect="refuted" if refuted else "supported", finding=finding,
        control=None if refuted else control, profile=profile,
    )  # fmt: skip


def nominal_claims(case):
    """Without a correction the levels are the nominal ones."""
    kind, noise, _, _ = case
    way = "_means" if noise == "shared" else "_copied"
    for name, (bound, words) in NOMINAL.items():
        if (name, kind, noise) not in NO_THEORY:
            yield claim(name, case, bound, f"{CALLED[kind]} {words} under {noise} noise.",
                        Control(MUTATIONS[way], variable=name + way), refuted=(name, kind, noise) in REFUTED,
                        profile="quick" if case == CASES[0] else "standard")  # fmt: skip


def corrected_claims(case):
    """With a correction to the leading order, or without seeds, the levels are approximate."""
    kind, _, correction, points = case
    way = "_copied" if (kind, correction) == ("limit", "declared_order") else "_plain"
    shape = f" with a {correction.replace('_', '-')} correction on the {points} grid" * (correction != "none")
    for name, (bound, words) in (FEW_PROOFS if kind == "symbolic" else CORRECTED).items():
        if (name, kind, correction, points) in NO_THEORY:
            continue
        if kind in NOISE_SIZE:
            control = Control(MUTATIONS[way], variable=name + way)
        elif name == "false_refutation":
            control = Control("the truth outside the region", variable="false_world_refuted")
        else:
            control = Control("the truth inside the region", variable="true_world_supported")
        yield claim(name, case, bound, f"{CALLED[kind]} {words}{shape}.", control,
                    refuted=(kind, correction, points) in REFUTED)  # fmt: skip


def size_claims():
    """A correction that a limit of another order has: how often depends on its size, and no average tells that."""
    for correction, points in (("declared_order", "short"), ("logarithmic", "short"), ("logarithmic", "long")):
        case = ("limit", "normal", correction, points)
        for size in SIZES:
            refuted = correction == "logarithmic"
            if (points, size) == ("long", "10_to_30"):
                continue  # near the bound: theory does not say on which side
            yield Claim(
                "calibration.false_refutation_by_size",
                f"Limit refutes a true claim at most twice in 1000 with a {correction.replace('_', '-')} correction of "
                f"{size.replace('_', ' ')} standard deviations on the {points} grid.",
                SOURCE, "monte_carlo", f"false_refutation_{size}", Proportion(0, 2e-3, LOOPED // len(SIZES)),
                where=dict(zip(("test", "noise", "correction", "points"), case, strict=True)),
                regime=f"{correction}_{points}_{size}", expect="refuted" if refuted else "supported",
                finding="stated after the shares at root seed 0 had been seen; to be judged at another one" * refuted,
                control=None if refuted else Control("a logarithmic correction", where={"correction": "logarithmic"}),
                profile="standard",
            )  # fmt: skip


def claims():
    yield from size_claims()
    for case in CASES:
        kind, _, correction, _ = case
        yield from (nominal_claims if kind in NOISE_SIZE and correction == "none" else corrected_claims)(case)


study = Study(
    name="calibration", title="How often the verdict of a test is wrong",
    grid=Grid(skip=skip, test=["inside"], noise=["normal"], correction=["none"], points=["long"], seed=range(16)),
    profiles={"standard": {axis: list(dict.fromkeys(case[i] for case in CASES))
                           for i, axis in enumerate(("test", "noise", "correction", "points"))}},
    measure=measure, variables={name: Variable(words) for name, words in (SHARES | OTHERS).items()},
    claims=list(claims()),
)  # fmt: skip
