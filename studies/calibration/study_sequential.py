"""Calibration of verdicts that ask for more seeds: what the planned looks promise, and what looking on costs without.

Every trial is a stream of up to 1024 replicates, judged at looks at 16, 32, ... 1024 of them. The naive rule, which
looks after each batch at the full level and stops where it likes the answer, is the control: its chance of a wrong
verdict is three to five times what it says. The test's interval contains Student's, so that a trial in which Student's
decides nothing at the full level at any look is one in which no rule decides anything.
"""

import math

import numpy as np
import xarray as xr

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL
from unifiedscore.inference.estimates import t_quantile
from unifiedscore.study import Claim, Control, Grid, Inside, Proportion, Study, Variable, judge

LOOKS = [16 * 2**k for k in range(7)]
MOST = LOOKS[-1]
TRIALS = {"support": 300, "refute": 25_000, "at_64": 40, "spread": 12, "hard": 6}
NEEDS = {"at_64": (64, 64), "spread": (16, 700), "hard": (512, 512)}  # seeds that would decide, if chosen beforehand
BLOCK = 2_500  # trials drawn at once: 20 MB
LAWS = {
    "normal": lambda rng, shape: 1 + 0.1 * rng.normal(size=shape),
    "student_5": lambda rng, shape: 1 + 0.1 * rng.standard_t(5, shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
}
BELOW_ONE, FROM_ONE = Inside(-np.inf, 1 - 1e-12), Inside(1.0, np.inf)  # the mean is 1: wrong to support, to refute
FAR = Control("the mean is a thousand", test=Inside(999.0, 1001.0))


def judged(y, test, *, until_decided):
    """The verdict of a study of these replicates (seed,)."""
    claim = Claim("trial.mean", "The mean lies inside.", "synthetic", "monte_carlo", "y", test, control=FAR)
    study = Study("trial", "One trial", Grid(seed=range(LOOKS[0])), lambda cell, rng: {}, {"y": Variable("y")}, [claim])
    return judge(study, xr.Dataset({"y": ("seed", y)}, {"seed": range(len(y))}), until_decided=until_decided)[0]


def suspects(y, level):
    """The trials (trial, seed) whose mean Student's interval of this level places below 1 at one look at least."""
    found = np.zeros(len(y), dtype=bool)
    for n in LOOKS:
        part = y[:, :n]
        half = t_quantile(level, n - 1) * part.std(axis=1, ddof=1) / math.sqrt(n)
        found |= part.mean(axis=1) + half < 1
    return y[found]


def wrong(cell, rng):
    """Shares of trials with a wrong verdict: by the looks as planned, and by looking on at the full level."""
    outcome, level, test = (("supported", SUPPORT_LEVEL, BELOW_ONE) if cell["what"] == "support" else
                            ("refuted", REFUTE_LEVEL, FROM_ONE))  # fmt: skip
    trials, planned, naive, student = TRIALS[cell["what"]], 0, 0, 0
    for start in range(0, trials, BLOCK):
        for y in suspects(LAWS[cell["law"]](rng, (min(BLOCK, trials - start), MOST)), level):
            student += 1
            planned += judged(y, test, until_decided=True).outcome == outcome
            naive += any(judged(y[:n], test, until_decided=False).outcome == outcome for n in LOOKS)
    return {"wrong": planned / trials, "wrong_naive": naive / trials, "wrong_student": student / trials}


def decided(cell, rng):
    """How often a true claim is supported, and which part of 1024 seeds is never asked for."""
    # The half-width at which n normal seeds just support a mean in the middle of the region.
    half = lambda n: 0.1 * t_quantile(SUPPORT_LEVEL, n - 1) / math.sqrt(n)
    right, first, saved = 0, 0, []
    for _ in range(TRIALS[cell["what"]]):
        low, high = NEEDS[cell["what"]]
        need = round(low * (high / low) ** rng.uniform())
        size = half(need) * (1 + 3 / t_quantile(SUPPORT_LEVEL, need - 1))  # with chance .998 at that many seeds
        verdict = judged(LAWS["normal"](rng, MOST), Inside(1 - size, 1 + size), until_decided=True)
        right += verdict.outcome == "supported"
        first += verdict.outcome == "supported" and verdict.looks["decided_at"] == 1
        saved.append(1 - verdict.looks["seeds"] / MOST)
    trials = TRIALS[cell["what"]]
    return {"right": right / trials, "right_first": first / trials, "saved": float(np.mean(saved))}


NAMES = ("wrong", "wrong_naive", "wrong_student", "right", "right_first", "saved")


def measure(cell, rng):
    found = decided(cell, rng) if cell["what"] in NEEDS else wrong(cell, rng)
    return dict.fromkeys(NAMES, math.nan) | found


def skip(cell):
    if cell["what"] in NEEDS and cell["law"] != "normal":
        return "how much is saved is shown for normal replicates"
    return ""


RATE = {"support": 1 - SUPPORT_LEVEL, "refute": 1 - REFUTE_LEVEL}
WORDS = {"normal": "normal", "student_5": "Student-t (5 degrees of freedom)", "exponential": "exponential"}
MUTATIONS = dict.fromkeys(LAWS, ("each look at the full level, without confirmation", "wrong_naive"))
# The interval of the mean knows about skewness, and pays for it where tails are exponential.
MUTATIONS["exponential"] = ("each look at the full level of Student's interval", "wrong_student")
study = Study(
    name="calibration_sequential", title="Verdicts that ask for more seeds keep their error rates",
    grid=Grid(what=["support", "spread", "hard"], law=["normal"], seed=range(16), skip=skip),
    profiles={"standard": {"what": list(TRIALS), "law": list(LAWS)}},
    measure=measure,
    variables={
        "wrong": Variable("Share of trials with a wrong verdict by planned looks"),
        "wrong_naive": Variable("Share of trials with a wrong verdict by looks at the full level"),
        "wrong_student": Variable("Share of trials with a wrong verdict by Student's interval at the full level"),
        "right": Variable("Share of true claims supported by 1024 seeds"),
        "right_first": Variable("Share of true claims supported at the first look"),
        "saved": Variable("Part of 1024 seeds that is never asked for"),
    },
    claims=[
        Claim("calibration.looks",
              f"Looks at 16 to 1024 {WORDS[law]} seeds {what} a false claim about a mean with chance {rate:g} at most."
              if what == "support" else
              f"Looks at 16 to 1024 {WORDS[law]} seeds refute a true claim about a mean with chance {rate:g} at most.",
              "union bound over the looks", "monte_carlo", "wrong", Proportion(-0.1, rate, TRIALS[what]),
              where={"what": what, "law": law}, regime=f"{what}_{law}",
              control=Control(*MUTATIONS[law]),
              profile="quick" if (what, law) == ("support", "normal") else "standard")
        for what, rate in RATE.items() for law in LAWS
    ] + [
        Claim("calibration.looks_power", "Looks support 9 of 10 true claims that 64 seeds would decide.",
              "derived here", "monte_carlo", "right", Proportion(0.9, 1.1, TRIALS["at_64"]),
              where={"what": "at_64", "law": "normal"},
              control=Control("the first look alone", variable="right_first"), profile="standard"),
        Claim("calibration.looks_saved", "Claims that 16 to 700 seeds would decide ask for a quarter of 1024 seeds.",
              "derived here", "monte_carlo", "saved", Inside(0.75, 1.0), where={"what": "spread", "law": "normal"},
              control=Control("claims that 512 seeds would decide", where={"what": "hard"})),
    ],
)  # fmt: skip
