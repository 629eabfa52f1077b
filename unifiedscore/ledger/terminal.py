"""The ledger on one screen: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable

from unifiedscore.errors import visible
from unifiedscore.inference.verdict import OUTCOMES, Verdict, claim_name
from unifiedscore.ledger.diff import Change, Side
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.words import between, count, digits, spoken
from unifiedscore.output import say

SPELLED_OUT = 5
"""Verdicts of one study that appeared or vanished together and are still listed one by one."""
COLOUR = {"supported": "green", "refuted": "red", "inconclusive": "yellow", "not_applicable": "blue"}


def print_ledger(ledger: Ledger, *, file=None) -> None:
    """Print every verdict and the totals; on a terminal as a table in colour."""
    file = file or sys.stdout
    if getattr(file, "isatty", lambda: False)():
        _print_table(ledger, file)
    else:
        for verdict in ledger.verdicts:
            say("  ".join(part for part in _row(verdict) if part), file=file)
    for line in remarks(ledger):
        say(line, file=file)
    say(totals(ledger), file=file)


def totals(ledger: Ledger) -> str:
    """One paragraph: how many verdicts of which outcome, how many differ, what was left out."""
    counts = Counter(verdict.outcome for verdict in ledger.verdicts)
    outcomes = ", ".join(f"{counts[name]} {spoken(name)}" for name in OUTCOMES if counts[name])
    parts = [f"{count(len(ledger.verdicts), 'verdict')}{': ' if outcomes else ''}{outcomes}"]
    if not ledger.verdicts:
        parts.append("nothing was judged")
    elif ledger.differing:
        parts.append(f"{len(ledger.differing)} not as expected")
    else:
        parts.append("all as expected, every control refuted" + (" (on stale data)" if ledger.stale else ""))
    if ledger.stale:
        studies = count(len(ledger.stale), "study", "studies")
        parts.append(f"{studies} judged on stale data ({', '.join(ledger.stale)})")
    if ledger.failed_cells:
        parts.append(count(len(ledger.failed_cells), "failed cell"))
    if ledger.not_run:
        parts.append(f"{count(len(ledger.not_run), 'claim waits', 'claims wait')} for a larger profile")
    if ledger.monte_carlo_verdicts:
        sampled = count(ledger.monte_carlo_verdicts, "Monte Carlo verdict")
        parts.append(f"{sampled}, chance of any wrong refutation at most {ledger.family_wise_bound:.2g}")
    return "; ".join(parts) + "."


def remarks(ledger: Ledger) -> list[str]:
    """A line for each verdict that differs and (up to a dozen of) the failed cells."""
    lines = []
    for verdict in ledger.differing:
        lines.append(f"NOT AS EXPECTED  {verdict.name}: expected {spoken(verdict.expected)}. {verdict.reason}")
        lines.append(f"                 {verdict.reproduce}")
    failed = ledger.failed_cells
    for cell in failed[:12]:
        lines.append(f"FAILED  {cell.study}{f' ({cell.where})' if cell.where else ''}: {cell.message}")
    if len(failed) > 12:
        lines.append(f"FAILED  ... and {len(failed) - 12} more, see ledger.json")
    if failed:
        lines.append("Once the cause is removed, --retry-failed measures just these cells again.")
    return lines


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
    return f"{spoken(side.outcome)} (expected {spoken(side.expected)}{control})"


def _print_table(ledger: Ledger, file) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", "outcome", "claim", "estimate", "region", "evidence"):
        table.add_column(title, no_wrap=title in ("", "outcome", "evidence"), overflow="fold")
    for verdict in ledger.verdicts:
        mark, outcome, *rest = map(visible, _row(verdict))
        # Text, not markup: a claim may hold square brackets.
        attention = "dim" if verdict.as_expected else "bold red"
        table.add_row(Text(mark, attention), Text(outcome, COLOUR.get(verdict.outcome, "")), *map(Text, rest))
    Console(file=file).print(table)


def _row(verdict: Verdict) -> tuple[str, str, str, str, str, str]:
    known = not math.isnan(verdict.estimate)
    estimate = f"{digits(verdict.estimate)} {between(verdict.interval)}".strip() if known else ""
    region = between(verdict.region)
    mark = "ok" if verdict.as_expected else "!!"
    return mark, spoken(verdict.outcome), verdict.name, estimate, region and f"in {region}", verdict.evidence
