"""The scores as a table, and what noticed each mistake."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from itertools import takewhile

from scipy.stats import binomtest

from tests.mutations.campaign import MODES, Result
from tests.mutations.mutation import ROOT, Mutation, in_random_order
from tests.mutations.reasons import REASONS

INTRODUCTION = """\
# Single mistakes planted in the package

`python -m tests.mutations --verify | --tests` plants {count} single mistakes, one at a time, in a copy of the project \
(`tests/mutations/lists/`). `--verify` runs the studies and derivations that should notice each, and counts it as \
noticed if a verdict is not as expected or a cell fails; `--tests` runs the tests. With `--first` nothing else is run; \
without it, everything is run where these notice nothing. `--table FILE` writes this page from what is known.

Claims were added, and other files named, for mistakes that went unnoticed at first: the shares say how these mistakes \
are noticed, not how the next one would be.

Written at commit {commit}.{earlier} In {first} of {tried} results only the files that should notice were run. \
Shares are of the mistakes that were run.
"""
SAMPLED = """\
Scores of `verify` are those of a random sample of {size}, the beginning of the order that `--sample {seed}` gives, \
stratified into numerical packages and the rest, with exact binomial 95 % intervals. They are lower bounds: for each \
mistake one or two cheap files were run (`tests/mutations/importers.py`), up to the first that noticed.
"""

Found = Mapping[tuple[str, str], Result]
CALLED = {"verify": "`verify`", "tests": "the tests"}


def page(found: Found, listed: Sequence[Mutation], *, earlier: int = 0, seed: int | None = None) -> str:
    """The whole page: scores, what went unnoticed, and every mistake with what noticed it.

    `earlier` results belong to an earlier state of the project. With a `seed`, the scores of `verify` count the random
    sample alone: the first of `in_random_order`, up to one that was not run.
    """
    of_which = f" {earlier} of {len(found)} results are of an earlier state of the project." if earlier else ""
    first = sum(not result.whole for result in found.values())
    introduction = INTRODUCTION.format(
        count=len(listed), commit=_commit(), earlier=of_which, first=first, tried=len(found)
    )
    if seed is None:
        return f"{introduction}\n{table(found, listed)}\n{details(found, listed)}"
    order = in_random_order(listed, seed)
    sample = {mutation.name for mutation in takewhile(lambda mutation: (mutation.name, "verify") in found, order)}
    counted = {place: result for place, result in found.items() if place[1] != "verify" or place[0] in sample}
    about = SAMPLED.format(size=len(sample), seed=seed)
    return f"{introduction}\n{about}\n{table(counted, listed)}\n{details(found, listed)}"


def table(found: Found, listed: Sequence[Mutation]) -> str:
    """Markdown: noticed of tried per package and in all, and every mutation that survived."""
    packages = sorted({mutation.package for mutation in listed}, key=lambda name: (not _numerical(listed, name), name))
    rows = [(name, [mutation for mutation in listed if mutation.package == name]) for name in packages]
    rows += [
        ("**numerical packages**", [mutation for mutation in listed if mutation.numerical]),
        ("**the others**", [mutation for mutation in listed if not mutation.numerical]),
        ("**all**", list(listed)),
    ]
    lines = ["| package | mutations | noticed by `verify` | noticed by the tests |", "|---|---:|---:|---:|"]
    for name, of in rows:
        lines.append(f"| {name} | {len(of)} | {_score(found, of, 'verify')} | {_score(found, of, 'tests')} |")
    for mode in MODES:
        tried = [found[mutation.name, mode] for mutation in listed if (mutation.name, mode) in found]
        survived = [result for result in tried if not result.noticed]
        lines += ["", f"Not noticed by {CALLED[mode]} ({len(survived)} of {len(tried)}):", ""]
        lines += [
            f"- {result.name}{'' if result.whole else ' (only the files that should notice were run)'}"
            f"{_because(result)}"
            for result in survived
        ]
    return "\n".join(lines) + "\n"


def details(found: Found, listed: Sequence[Mutation]) -> str:
    """Markdown: every mutation, the claims that came out otherwise and the first test that failed."""
    lines = ["| file | mistake | noticed by `verify` | noticed by the tests |", "|---|---|---|---|"]
    for mutation in listed:
        cells = (_by(found.get((mutation.name, mode))) for mode in MODES)
        lines.append(f"| {mutation.file} | {mutation.mistake} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _by(result: Result | None) -> str:
    if result is None:
        return "not run"
    if not result.noticed:
        return "**no**"
    shown = ", ".join(result.by[:2]) + (f" and {len(result.by) - 2} more" if len(result.by) > 2 else "")
    return shown.replace("|", "\\|")


def _because(result: Result) -> str:
    """Why `verify` did not notice a mistake, where that was found out."""
    reason = REASONS.get(result.name, "") if result.mode == "verify" else ""
    return f": {reason}" if reason else ""


def _numerical(listed: Sequence[Mutation], package: str) -> bool:
    return any(mutation.numerical for mutation in listed if mutation.package == package)


def _score(found: Found, of: Sequence[Mutation], mode: str) -> str:
    tried = [found[mutation.name, mode] for mutation in of if (mutation.name, mode) in found]
    if not tried:
        return "not run"
    noticed = sum(result.noticed for result in tried)
    left = f", {len(of) - len(tried)} not run" if len(tried) < len(of) else ""
    if not left:
        return f"{noticed} of {len(tried)} ({100 * noticed / len(tried):.0f} %)"
    ends = binomtest(noticed, len(tried)).proportion_ci(0.95, "exact")
    interval = f"{100 * ends.low:.0f} to {100 * ends.high:.0f} %"
    return f"{noticed} of {len(tried)} ({100 * noticed / len(tried):.0f} %, interval {interval}){left}"


def _commit() -> str:
    said = subprocess.run(
        ["git", "log", "-1", "--format=%h of %cs"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"
