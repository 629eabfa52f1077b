"""The ledger on one screen: the same words on a terminal and in a pipe."""

from __future__ import annotations

import math
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from unifiedscore.errors import visible
from unifiedscore.inference.verdict import OUTCOMES, Verdict, claim_name
from unifiedscore.ledger.columns import aligned, width_of
from unifiedscore.ledger.diff import Change, Side
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.words import (
    basis,
    between,
    controls,
    count,
    digits,
    inequalities,
    sharpness,
    spoken,
    tried,
)
from unifiedscore.output import say

SPELLED_OUT = 5
"""Verdicts of one study that appeared or vanished together, or studies with stale data, that are listed one by one."""
JOINT = "\N{NO-BREAK SPACE}"
"""A space at which no line is broken, within the name of a claim."""
COLOUR = {
    "supported": "green",
    "refuted": "magenta",
    "inconclusive": "yellow",
    "not_applicable": "blue",
    "survived": "cyan",
}


def print_ledger(ledger: Ledger, *, verbose: bool = False, file=None) -> None:
    """Print what a person has to know: a line for each family, all that is not as expected, and the totals.

    Parameters
    ----------
    ledger : Ledger
    verbose : bool
        Print every verdict first, one a line. A terminal shows as much of it as its width holds; elsewhere nothing
        is cut.
    file : file, optional
        By default standard output.
    """
    file = file or sys.stdout
    width, mark = width_of(file), _mark(file)
    if verbose and ledger.verdicts:
        rows = [_row(verdict) for verdict in ledger.verdicts]
        lines = aligned(rows, name=2, width=width, mark=mark)
        for verdict, line in zip(ledger.verdicts, lines, strict=True):
            say(line, file=file, colour=COLOUR[verdict.outcome] if verdict.as_expected else "alarm")
        say(file=file)
    if ledger.verdicts:
        table = aligned(_families(ledger), name=0, width=width, right=range(1, 6), mark=mark)
        for position, line in enumerate(table):
            say(line, file=file, colour="" if position else "strong")
        say(file=file)
    for paragraph in (paragraphs := remarks(ledger)):
        for line in _wrapped(paragraph, width):
            say(line, file=file, colour="alarm" if line.startswith(("NOT AS EXPECTED", "FAILED")) else "")
    if paragraphs:
        say(file=file)
    for part in (_came_out(ledger), *_further(ledger)):
        for line in _wrapped([f"{part}."], width):
            say(line, file=file)


def totals(ledger: Ledger) -> str:
    """One sentence: how many verdicts of which outcome, how many differ, what was left out."""
    return "; ".join((_came_out(ledger), *_further(ledger))) + "."


def remarks(ledger: Ledger) -> list[list[str]]:
    """A paragraph for each verdict that differs and (up to a dozen of) the failed cells: a heading and its lines."""
    found = []
    for verdict in ledger.differing:
        control = verdict.control_outcome
        came = f"came out {spoken(verdict.outcome)}"
        if verdict.outcome == verdict.expected:
            came = f"its control came out {spoken(control)}" if control else "it has no control"
        name = verdict.name.replace(" ", JOINT)
        paragraph = [f"NOT AS EXPECTED  {name}: expected {spoken(verdict.expected)}, {came}"]
        number = "  ".join(part for part in _row(verdict)[3:] if part)
        paragraph += [text for text in (verdict.statement, verdict.reason, number, verdict.finding) if text]
        if not verdict.sharpness_as_expected:
            paragraph.append(f"its sharpness left the pinned range {between(verdict.search['sharpness_expected'])}")
        found.append(paragraph + [verdict.reproduce] * bool(verdict.reproduce))
    failed: dict[tuple[str, str], list[str]] = {}
    for cell in ledger.failed_cells:
        failed.setdefault((cell.study, cell.message), []).append(cell.where)
    for (study, message), where in list(failed.items())[:12]:
        at = where[0] if len(where) == 1 else f"{len(where)} cells, the first at {where[0]}"
        found.append([f"FAILED  {study}{f' ({at})' if at else ''}: {message}"])
    if len(failed) > 12:
        found.append([f"FAILED  ... and {len(failed) - 12} more messages, see ledger.json"])
    if failed:
        found.append(["Once the cause is removed, --retry-failed measures just these cells again."])
    return found


def _came_out(ledger: Ledger) -> str:
    counts = Counter(verdict.outcome for verdict in ledger.verdicts)
    outcomes = ", ".join(f"{counts[name]} {spoken(name)}" for name in OUTCOMES if counts[name])
    verdicts = f"{count(len(ledger.verdicts), 'verdict')}{': ' if outcomes else ''}{outcomes}"
    if not ledger.verdicts:
        return f"{verdicts}; nothing was judged"
    if ledger.differing:
        return f"{verdicts}; {len(ledger.differing)} not as expected"
    return f"{verdicts}; all as expected, every control refuted" + (" (on stale data)" if ledger.stale else "")


def _further(ledger: Ledger) -> Iterator[str]:
    """What a reader must know beside the outcomes."""
    yield from filter(None, (controls(ledger), inequalities(ledger)))
    if changed := len(ledger.changed_after_a_run):
        yield f"{count(changed, 'claim was', 'claims were')} changed after a run (see the report)"
    if ledger.stale:
        more = len(ledger.stale) - SPELLED_OUT
        names = ", ".join(ledger.stale[:SPELLED_OUT]) + (f" and {more} more" if more > 0 else "")
        yield f"{count(len(ledger.stale), 'study', 'studies')} judged on stale data ({names})"
    if ledger.failed_cells:
        yield count(len(ledger.failed_cells), "failed cell")
    if ledger.not_run:
        yield f"{count(len(ledger.not_run), 'claim waits', 'claims wait')} for a larger profile"
    if ledger.monte_carlo_verdicts:
        sampled = count(ledger.monte_carlo_verdicts, "Monte Carlo verdict")
        yield f"{sampled}, chance of any wrong refutation at most {ledger.family_wise_bound:.2g}"


def _families(ledger: Ledger) -> list[list[str]]:
    """Counts by family, the part of a claim before its dot: outcomes as expected, and all that are not."""
    families: dict[str, Counter] = {}
    for verdict in ledger.verdicts:
        column = verdict.outcome if verdict.as_expected else "unexpected"
        families.setdefault(verdict.claim.partition(".")[0], Counter())[column] += 1
    if len(families) > 1:
        families["all"] = sum(families.values(), Counter())
    attacked = any(verdict.search is not None for verdict in ledger.verdicts)
    columns = (*(outcome for outcome in OUTCOMES if attacked or outcome != "survived"), "unexpected")
    rows = [[name, *(str(counts[column] or "-") for column in columns)] for name, counts in families.items()]
    return [["as expected", *map(spoken, columns)], *rows]


def _wrapped(paragraph: list[str], width: int | None) -> Iterator[str]:
    """A heading and its lines at the width of a terminal; a name is never broken, nor is a command, to be copied."""
    for position, text in enumerate(paragraph):
        indent = "  " if position else ""
        text = JOINT.join(map(visible, text.split(JOINT)))
        whole = width is None or text.startswith("unifiedscore ")
        options = {"initial_indent": indent, "subsequent_indent": "  ", "break_long_words": False}
        lines = textwrap.wrap(text, width, **options, break_on_hyphens=False) if not whole else [indent + text]
        yield from (line.replace(JOINT, " ") for line in lines)


def _mark(file) -> str:
    """What stands for a part that was cut out: an ellipsis, or dots where the terminal has none."""
    try:
        "…".encode(getattr(file, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "..."
    return "…"


def print_changes(changes: Iterable[Change], *, file=None) -> None:
    """Print what `Ledger.compare` found: both reasons where a verdict changed, one line per study where many came or
    went.
    """
    file = file or sys.stdout
    changes = list(changes)
    studies = Counter((change.study, change.presence) for change in changes)
    told = set()
    for change in changes:
        group = change.study, change.presence
        if all(change.presence) or studies[group] <= SPELLED_OUT:
            say(f"{change.name}: {_outcome(change.old)} -> {_outcome(change.new)}", file=file)
            for word, side in (("was", change.old), ("now", change.new)) if all(change.presence) else ():
                if side.reason:
                    say(f"    {word}: {side.reason}", file=file)
        elif group not in told:
            told.add(group)
            text = "vanished" if change.presence[0] else "appeared"
            first = claim_name(*change.key[:2])
            say(f"{change.study}: {studies[group]} verdicts {text}, {first} and others", file=file)
    say(f"{count(len(changes), 'verdict')} changed" if changes else "no verdict changed", file=file)


def print_runs(old: Ledger, new: Ledger, *, file=None) -> None:
    """Say where two ledgers come from different runs, or hold failed cells or stale data, before they are compared."""
    file = file or sys.stdout
    for name, value in old.run.items():
        if value != new.run[name]:
            say(f"note: {name.replace('_', ' ')} {value} -> {new.run[name]}", file=file)
    for word, ledger in (("old", old), ("new", new)):
        problems = [count(len(ledger.failed_cells), "failed cell")] if ledger.failed_cells else []
        problems += [f"stale data of {', '.join(ledger.stale)}"] if ledger.stale else []
        if problems:
            say(f"note: the {word} ledger holds {' and '.join(problems)}", file=file)


def _outcome(side: Side) -> str:
    if side.outcome is None:
        return f"absent ({side.reason})" if side.reason else "absent"
    control = f", control {spoken(side.control_outcome)}" if side.control_outcome not in (None, "refuted") else ""
    sharpness = f", sharpness {side.sharpness} outside of its pinned range" if side.sharpness else ""
    return f"{spoken(side.outcome)} (expected {spoken(side.expected)}{control}{sharpness})"


def _row(verdict: Verdict) -> tuple[str, ...]:
    known = not math.isnan(verdict.estimate)
    region = between(verdict.region)
    if verdict.search is not None and verdict.outcome != "refuted":
        mark = "ok" if verdict.as_expected else "!!"
        return mark, spoken(verdict.outcome), verdict.name, "", "", "", tried(verdict), sharpness(verdict)
    return (
        "ok" if verdict.as_expected else "!!",
        spoken(verdict.outcome),
        verdict.name,
        digits(verdict.estimate) if known else "",
        between(verdict.interval) if known else "",
        region and f"in {region}",
        basis(verdict),
        sharpness(verdict),
    )
