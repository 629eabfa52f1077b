"""Are the books kept? Records, hashes, ledgers and their comparison, each with one thing planted that must show.

A case asks the code that `verify` runs whether it notices: of a record that stands under a foreign key, of an engine
whose content has changed under the same names, of a ledger with a verdict that is not as expected. Its twin, in which
nothing is planted, must pass unnoticed.
"""

import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from unifiedscore.inference import SUPPORT_LEVEL, Verdict
from unifiedscore.inference.looks import decided_at, planned_looks
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.diff import changes
from unifiedscore.ledger.part import Part
from unifiedscore.ledger.words import digits
from unifiedscore.sources import hash_of
from unifiedscore.study import Cell, Claim, Control, Grid, Inside, Study, Variable
from unifiedscore.study.grid import stream
from unifiedscore.study.identity import Identity
from unifiedscore.study.records import Record, RecordStore, record_key
from unifiedscore.verify.routine import Judged

CELL = Cell({"dimension": 4, "seed": 0})
NUMBER = {"low": 1.0, "high": 1.0, "level": None, "kind": "numerical"}


def verdict(claim="books.one", **changes):
    parts = {
        "study": "books", "claim": claim, "evidence": "exact", "statement": "s", "source": "here", "reason": "r",
        "outcome": "supported", "expected": "supported", "control_outcome": "refuted", "interval": NUMBER,
        "region": {"low": 0.0, "high": 2.0},
    } | changes  # fmt: skip
    return Verdict(**parts)


def ledger(*verdicts):
    return Ledger(profile="quick", root_seed=0, verdicts=verdicts)


def foreign_record(planted):
    """A whole record of another seed, put under the key of this one."""
    with tempfile.TemporaryDirectory() as folder:
        store = RecordStore.of(Path(folder), "books")
        store.open()
        store.write("theirs", Record("ok", {"y": 1.0}), CELL)
        if not planted:
            store.write("mine", Record("ok", {"y": 2.0}), CELL)
        else:
            store.path("mine").write_bytes(store.path("theirs").read_bytes())
        return store.read("mine", CELL) is None


def other_key(**change):
    """Whether a record is looked for under another key where one of the things that determine it has changed."""

    def noticed(planted):
        base = {"engine": "a", "source": "b", "study": "c", "cell": CELL, "seed": 0}
        return record_key(**base) != record_key(**base | (change if planted else {}))

    return noticed  # fmt: skip


def other_engine(planted):
    first, second = (Identity(engine=engine) for engine in ("a", "b" if planted else "a"))
    return first.hashes != second.hashes


def edited_file(planted):
    """Either of two files, under its old name."""
    before, after = {"one.py": "a", "two.py": "b"}, "c"
    edits = [before | ({name: after} if planted else {}) for name in before]
    return all(hash_of(edit) != hash_of(before) for edit in edits)


def unexpected_verdict(planted):
    return ledger(verdict(outcome="refuted" if planted else "supported")).exit_code != 0


def true_control(planted):
    return not verdict(control_outcome="supported" if planted else "refuted").as_expected


def gone_claim(planted):
    """A claim of a study that was judged anew, which no longer has it."""
    old = ledger(verdict("books.one"), verdict("books.gone" if planted else "books.one", regime="again"))
    new = ledger(verdict("books.one"), *([] if planted else [verdict("books.one", regime="again")]))
    merged = new.merge(old, Part(frozenset({"books"})))
    return len(merged.verdicts) < len(old.verdicts)


def turned_control(planted):
    one = verdict()
    other = replace(one, control_outcome="inconclusive") if planted else one
    return bool(changes(ledger(one), ledger(other)))


def small_number(planted):
    """Two numbers far below one that differ in their third digit."""
    return digits(6.19e-7) != digits(6.18e-7 if planted else 6.19e-7)


def bound(planted):
    """Exact verdicts carry no chance of a wrong refutation."""
    count = ledger(verdict(evidence="monte_carlo" if planted else "exact")).family_wise_bound
    return count > 0


def failed_derivation(planted):
    judged = Judged(root_seed=0)
    raised = type("Found", (), {"path": Path("derive_books.py")})()
    judged.add_derivation(raised, "ZeroDivisionError" if planted else verdict(evidence="symbolic"))
    return judged.ledger(profile="quick").exit_code == 3


def within_budget(planted):
    """Forty looks as they are planned; the twin spends 1/k of the error rate each, in place of 1/(k (k + 1))."""
    looks = planned_looks(16, 16 * 2**39)
    spent = [1 - look.support if planted else (1 - SUPPORT_LEVEL) / look.number for look in looks]
    return math.fsum(spent) <= 1 - SUPPORT_LEVEL


def lone_refutation(planted):
    """A refutation that the next look, at twice as many seeds, does not repeat."""
    second = "inconclusive" if planted else "refuted"
    return decided_at(["refuted", second], [{"d=4": 16}, {"d=4": 32}]) is None


def same_replicates(planted):
    """A refutation that the next look repeats with the replicates of the first."""
    return decided_at(["refuted", "refuted"], [{"d=4": 16}, {"d=4": 16 if planted else 32}]) is None


def paired_draws(planted):
    """Cells that differ along a paired axis alone see the same draws; along another axis they do not."""
    cells = [Cell({"estimator": name, "dimension": 4, "seed": 0}) for name in ("one", "two")]
    draws = [stream(cell, seed=0, paired=() if planted else ("estimator",)).random() for cell in cells]
    return draws[0] != draws[1]


def seeds_reported(planted):
    """A verdict over thirty-two seeds where sixteen are looked for in its reason."""
    import xarray as xr

    from unifiedscore.study import judge

    seeds = 32 if planted else 16
    claim = Claim("books.seeds", "The mean is near one.", "planted", "monte_carlo", "y", Inside(0.99, 1.01),
                  control=Control("far", variable="far"))  # fmt: skip
    variables = {"y": Variable("y"), "far": Variable("far")}
    study = Study("books_seeds", "Seeds", Grid(seed=range(seeds)), lambda cell, rng: {}, variables, [claim])
    spread = np.linspace(-1, 1, seeds)
    dataset = xr.Dataset({"y": ("seed", 1 + spread), "far": ("seed", 9 + spread)}, {"seed": range(seeds)})
    return "over 16 seeds" not in judge(study, dataset)[0].reason


def failed_partner(planted):
    """A paired difference of which one cell failed, and left a number."""
    import xarray as xr

    from unifiedscore.study import judge

    claim = Claim("books.difference", "The difference is one.", "planted", "quadrature", "y", Inside(0.5, 1.5),
                  where={"way": "one"}, minus={"way": "two"}, control=Control("far", variable="far"))  # fmt: skip
    variables = {name: Variable(name, error=f"{name}_error") for name in ("y", "far")}
    study = Study("books_pair", "A pair", Grid(way=["one", "two"]), lambda cell, rng: {}, variables, [claim])
    data = {"y": [3.0, 2.0], "far": [9.0, 2.0], "y_error": [1e-9, 1e-9], "far_error": [1e-9, 1e-9],
            "status": [0, 2 if planted else 0]}  # fmt: skip
    dataset = xr.Dataset({name: ("way", np.array(value)) for name, value in data.items()}, {"way": ["one", "two"]})
    return judge(study, dataset)[0].outcome == "inconclusive"


CASES = {
    "foreign_record": ("a record of another seed under this cell's key is not read", foreign_record),
    "key_engine": ("an edited engine looks for its records under other keys", other_key(engine="b")),
    "key_source": ("an edited study file looks for its records under other keys", other_key(source="d")),
    "key_seed": ("another root seed looks for its records under other keys", other_key(seed=1)),
    "identity": ("the identity of a study's numbers holds the engine's hash", other_engine),
    "hash": ("the hash of several files changes with the content of one of them", edited_file),
    "exit_code": ("a ledger with a verdict that is not as expected has an exit code that is not 0", unexpected_verdict),
    "true_control": ("a verdict whose control is supported is not as expected", true_control),
    "gone_claim": ("a claim that its study no longer makes leaves the ledger", gone_claim),
    "turned_control": ("a comparison of ledgers names a verdict whose control came out otherwise", turned_control),
    "digits": ("numbers far below one are printed with their leading digits", small_number),
    "bound": ("the bound on wrong refutations counts Monte Carlo verdicts, and them alone", bound),
    "looks_budget": ("planned looks together spend no more than the error rate of one", within_budget),
    "lone_refutation": ("a refutation counts once a look at more seeds repeats it", lone_refutation),
    "same_replicates": ("a refutation is not confirmed by the replicates that it came from", same_replicates),
    "paired_draws": ("cells see different draws unless they differ along a paired axis alone", paired_draws),
    "seeds_reported": ("the reason of a verdict counts the seeds behind its interval", seeds_reported),
    "failed_derivation": ("a derivation that raises ends a run with exit code 3", failed_derivation),
    "failed_partner": ("a difference is inconclusive where the cell to subtract failed", failed_partner),
}  # fmt: skip


def measure(cell, rng):
    _, noticed = CASES[cell["case"]]
    return {"noticed": float(noticed(True)), "noticed_in_twin": float(noticed(False))}


study = Study(
    name="calibration_books", title="What records, hashes and ledgers must notice",
    grid=Grid(case=list(CASES)), measure=measure,
    variables={
        "noticed": Variable("Whether what was planted shows (1 or 0)"),
        "noticed_in_twin": Variable("Whether the twin without it shows the same (1 or 0)"),
    },
    claims=[
        Claim("calibration.books", f"In the books of a run {words}.", "derived here, from the decision rule", "exact",
              "noticed", Inside(0.5, 1.5), where={"case": case}, regime=case,
              control=Control("nothing planted", variable="noticed_in_twin"))
        for case, (words, _) in CASES.items()
    ],
)  # fmt: skip
