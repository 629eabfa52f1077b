"""Is the mean judged, or another number? Intervals of skewed replicates with known mean, geometric mean and median.

Every trial is a sample of independent replicates of one law, given to `Inside` as a study would give it, with the truth
on an end of the region: a 99.99 % interval that misses the truth refutes a true claim. Student's interval, the former
rule, is the control. The test's interval contains Student's, so that the test itself need only run on the trials that
Student's interval misses.
"""

import math

import numpy as np

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL
from unifiedscore.inference.estimates import t_quantile
from unifiedscore.study import Claim, Control, Grid, Inside, Proportion, Study, Variable

TRIALS = {16: 10_000, 64: 10_000, 256: 2_500}
FEW = 6  # seeds of the quick profile
OTHERS = 1_000  # of the geometric mean and the median, which are exact where their conditions hold


def lognormal(log_sd):
    """Lognormal replicates of mean 1: draw, mean, geometric mean, median."""
    shift = -(log_sd**2) / 2
    return lambda rng, shape: rng.lognormal(shift, log_sd, shape), 1.0, math.exp(shift), math.exp(shift)


LAWS = {
    "normal": (lambda rng, shape: 1 + 0.1 * rng.normal(size=shape), 1.0, math.nan, 1.0),
    "lognormal_0.3": lognormal(0.3),
    "lognormal_0.6": lognormal(0.6),
    "lognormal_1": lognormal(1.0),
    "lognormal_2": lognormal(2.0),
    "shifted_lognormal_1": (lambda rng, shape: rng.lognormal(-0.5, 1, shape) - 1, 0.0, math.nan, math.exp(-0.5) - 1),
    "chi_square_1": (lambda rng, shape: rng.chisquare(1, shape), 1.0, math.nan, 0.4549364231195),
    "chi_square_4": (lambda rng, shape: rng.chisquare(4, shape), 4.0, math.nan, 3.3566939800333),
    "exponential": (lambda rng, shape: rng.exponential(size=shape), 1.0, math.exp(-0.5772156649015329), math.log(2)),
    "rare_counts": (lambda rng, shape: rng.poisson(0.1, shape).astype(float), 0.1, math.nan, math.nan),
    "student_5": (lambda rng, shape: rng.standard_t(5, shape), 0.0, math.nan, 0.0),
}  # fmt: skip
ESTIMANDS = ("mean", "geometric_mean", "median")


def skip(cell):
    if cell["of"] != "mean" and cell["replicates"] > 16:
        return "the geometric mean and the median are shown at the fewest replicates"
    truth = LAWS[cell["law"]][1 + ESTIMANDS.index(cell["of"])]
    if math.isnan(truth):
        return f"{cell['law']} has no {cell['of']} that an interval could cover"
    if cell["of"] != "mean" and cell["law"] != "lognormal_1" and cell["seed"] < FEW:
        return "no claim is about it: larger profiles measure it, with the seeds beyond those of the quick one"
    return False


def student_misses(y, truth, level):
    """Which samples (trial, replicate) have a Student interval that misses the truth; equal values have none."""
    count = y.shape[1]
    half = t_quantile(level, count - 1) * y.std(axis=1, ddof=1) / math.sqrt(count)
    return (np.abs(y.mean(axis=1) - truth) > half) & (half > 0)


def measure(cell, rng):
    count, of = cell["replicates"], cell["of"]
    draw, mean, *others = LAWS[cell["law"]]
    y = draw(rng, (TRIALS[count] if of == "mean" else OTHERS, count))
    if of == "mean":
        found, missed_mean = of_mean(y, mean), math.nan
    else:
        truth = others[ESTIMANDS.index(of) - 1]
        found = {"refuted": misses(y, truth, of, REFUTE_LEVEL), "missed": misses(y, truth, of, SUPPORT_LEVEL)}
        found |= dict.fromkeys(
            ("refuted_johnson", "refuted_hall", "refuted_student", "missed_student", "width"), math.nan
        )
        missed_mean = misses(y, mean, of, SUPPORT_LEVEL)
    return found | {"missed_mean": missed_mean}


def of_mean(y, mean):
    """Shares of samples whose interval of the mean misses it, by the test and by Student, and the test's width."""
    found = {}
    for name, level in (("refuted", REFUTE_LEVEL), ("missed", SUPPORT_LEVEL)):
        plain = student_misses(y, mean, level)
        found[name] = misses(y[plain], mean, "mean", level) * plain.mean() if plain.any() else 0.0
        found[f"{name}_student"] = float(plain.mean())
    for name, half in (("johnson", johnson), ("hall", hall)):
        found[f"refuted_{name}"] = float(half(y, mean, REFUTE_LEVEL).mean())
    return found | {"width": float(np.mean([width_over_student(sample) for sample in y[:100]]))}


def studentised(y, mean):
    """The Studentised mean of every sample (trial,), its skewness over sqrt(n), and whether it has any spread."""
    count, spread = y.shape[1], y.std(axis=1)
    some = spread > 0
    scale = np.where(some, spread, 1.0)
    skewness = ((y - y.mean(axis=1, keepdims=True)) ** 3).mean(axis=1) / scale**3
    t = (y.mean(axis=1) - mean) / scale * math.sqrt(count - 1)
    return t, skewness / math.sqrt(count), some


def johnson(y, mean, level):
    """Which intervals of Johnson's t, with the sample skewness, miss the mean."""
    t, relative, some = studentised(y, mean)
    q = t_quantile(level, y.shape[1] - 1)
    shift = (2 * q**2 + 1) / 6 * relative
    return some & ((t < -q - np.maximum(shift, 0)) | (t > q - np.minimum(shift, 0)))


def hall(y, mean, level):
    """Which intervals of Hall's transformation, with the sample skewness, miss the mean."""
    t, relative, some = studentised(y, mean)
    # (1 + a t / 3)^3 - 1 over a, plus a / 6, with a the skewness over sqrt(n): monotone and without the skewness.
    small = np.where(relative == 0, 1e-9, relative)
    return some & (np.abs(((1 + small * t / 3) ** 3 - 1) / small + small / 6) > t_quantile(level, y.shape[1] - 1))


def misses(y, truth, of, level):
    """Share of samples (trial, replicate) whose interval misses the truth; one without an interval refutes nothing."""
    test = Inside(-math.inf, truth, of=of)
    estimates = (test.estimate(sample, level=level) for sample in y)
    return sum(estimate.kind != "none" and not estimate.covers(truth) for estimate in estimates) / len(y)


def width_over_student(sample):
    """Width of the 99.99 % interval of the mean over that of Student's, at most 10; 1 where both have none."""
    estimate = Inside(-math.inf, 0.0).estimate(sample, level=REFUTE_LEVEL)
    half = t_quantile(REFUTE_LEVEL, sample.size - 1) * sample.std(ddof=1) / math.sqrt(sample.size)
    return min((estimate.high - estimate.low) / (2 * half), 10.0) if half else 1.0


SOURCE = "derived here, from the levels of the decision rule"
STUDENT = "Student's interval for the same replicates"
BOUNDS = {16: (1e-3, "once in 1000"), 64: (5e-4, "once in 2000"), 256: (5e-4, "once in 2000")}
WORDS = {
    "normal": "normal replicates", "lognormal_0.3": "lognormal replicates of log sd 0.3",
    "lognormal_0.6": "lognormal replicates of log sd 0.6", "lognormal_1": "lognormal replicates of log sd 1",
    "lognormal_2": "lognormal replicates of log sd 2", "chi_square_1": "chi-square replicates of one degree of freedom",
    "chi_square_4": "chi-square replicates of four degrees of freedom", "exponential": "exponential replicates",
    "shifted_lognormal_1": "replicates of mixed signs, lognormal ones of log sd 1 less their mean,",
    "rare_counts": "Poisson counts of mean 0.1", "student_5": "Student replicates of five degrees of freedom",
}  # fmt: skip
QUICK = {("lognormal_1", 16), ("chi_square_1", 16), ("rare_counts", 64), ("lognormal_1", 64)}
# Of 16 replicates that miss, few look skewed: where zero is no end of the law, or the log sd is beyond 1, no interval
# that normal replicates could live with holds the level.
REFUTED = {("shifted_lognormal_1", 16), ("lognormal_2", 16), ("lognormal_2", 64)}
# Where Student's interval errs too rarely for a control, or the share is near the bound and theory has no side.
UNCLAIMED = {("lognormal_0.3", 16), ("lognormal_0.3", 64), ("lognormal_0.3", 256), ("lognormal_0.6", 256),
             ("chi_square_4", 64), ("chi_square_4", 256), ("exponential", 256), ("chi_square_1", 256),
             ("rare_counts", 16), ("shifted_lognormal_1", 64), ("lognormal_2", 256)}  # fmt: skip


def refutation_claims():
    """The 99.99 % interval of the mean."""
    for law in WORDS:
        for count, (bound, words) in BOUNDS.items():
            if law in ("normal", "student_5") or (law, count) in UNCLAIMED:
                continue
            refuted = (law, count) in REFUTED
            yield Claim(
                "calibration.skewed_mean_refuted",
                f"Inside refutes a true claim about the mean of {count} {WORDS[law]} at most {words}.",
                SOURCE, "monte_carlo", "refuted", Proportion(0, bound, TRIALS[count]),
                where={"law": law, "replicates": count, "of": "mean"}, regime=f"{law}_{count}",
                expect="refuted" if refuted else "supported",
                control=None if refuted else Control(STUDENT, variable="refuted_student"),
                profile="quick" if (law, count) in QUICK else "standard",
            )  # fmt: skip


def other_claims():
    """Coverage at 99 % from 64 replicates on, the width of normal intervals, and the other estimands."""
    for law in ("lognormal_1", "chi_square_1", "exponential", "rare_counts"):
        yield Claim(
            "calibration.skewed_mean_missed",
            f"The 99 % interval of the mean of 64 {WORDS[law]} misses it at most 11 times in 1000.",
            SOURCE, "monte_carlo", "missed", Proportion(0, 0.011, TRIALS[64]),
            where={"law": law, "replicates": 64, "of": "mean"}, regime=law,
            control=Control(STUDENT, variable="missed_student"),
            profile="quick" if (law, 64) in QUICK else "standard",
        )  # fmt: skip
    for count, most in ((16, 1.05), (64, 1.03)):
        yield Claim(
            "calibration.normal_width",
            f"The 99.99 % interval of {count} normal replicates is on average at most {100 * (most - 1):.0f} % wider "
            "than Student's.",
            SOURCE, "monte_carlo", "width", Inside(0.9, most),
            where={"law": "normal", "replicates": count, "of": "mean"}, regime=f"{count}",
            control=Control("lognormal replicates", where={"law": "lognormal_1"}),
        )  # fmt: skip
    for of in ("geometric_mean", "median"):
        yield Claim(
            "calibration.estimand_covered",
            f"The 99 % interval of the {of.replace('_', ' ')} of 16 lognormal replicates of log sd 1 misses it at most "
            "twice in 100.",
            SOURCE, "monte_carlo", "missed", Proportion(0, 0.02, OTHERS),
            where={"law": "lognormal_1", "replicates": 16, "of": of}, regime=of,
            control=Control("the mean in its place", variable="missed_mean"), profile="quick",
        )  # fmt: skip


study = Study(
    name="calibration_estimand", title="Intervals of the mean, the geometric mean and the median of skewed replicates",
    grid=Grid(skip=skip, law=["normal", "lognormal_1", "chi_square_1", "rare_counts"], replicates=[16, 64],
              of=list(ESTIMANDS), seed=range(FEW)),
    profiles={"standard": {"law": list(LAWS), "replicates": list(TRIALS), "seed": range(16)}}, measure=measure,
    variables={
        "refuted": Variable("Share of true claims that are refuted"),
        "refuted_student": Variable("Share of true claims that Student's interval refutes"),
        "refuted_johnson": Variable("Share of true claims that Johnson's t refutes, with the sample skewness"),
        "refuted_hall": Variable("Share of true claims that Hall's transformation refutes, with the sample skewness"),
        "missed": Variable("Share of 99 % intervals that miss the truth"),
        "missed_student": Variable("Share of 99 % Student intervals that miss the truth"),
        "missed_mean": Variable("Share of 99 % intervals that miss the mean, whatever they estimate"),
        "width": Variable("Width of the 99.99 % interval over that of Student's"),
    },
    claims=[*refutation_claims(), *other_claims()],
)  # fmt: skip
