"""The ledger on one screen: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from unifiedscore.errors import visible
from unifiedscore.ledger.ledger import as_expected
from unifiedscore.output import say

SPELLED_OUT = 5
"""Verdicts of one study that appeared or vanished together and are still listed one by one."""
MARK = {"supported": "green", "refuted": "red", "inconclusive": "yellow", "not_applicable": "blue"}


def print_ledger(ledger: Mapping[str, Any], *, file=None) -> None:
    """Print every verdict and the totals; on a terminal as a table in colour."""
    file = file or sys.stdout
    if getattr(file, "isatty", lambda: False)():
        _print_table(ledger, file)
    else:
        for verdict in ledger["verdicts"]:
            say("  ".join(part for part in _row(verdict) if part), file=file)
    for line in remarks(ledger):
        say(line, file=file)
    say(totals(ledger), file=file)


def totals(ledger: Mapping[str, Any]) -> str:
    """One paragraph: how many verdicts of which outcome, how many differ, what was left out."""
    verdicts, stale = ledger["verdicts"], ledger.get("stale", [])
    counts = Counter(verdict["outcome"] for verdict in verdicts)
    outcomes = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in MARK if counts[name])
    differ = sum(not as_expected(verdict) for verdict in verdicts)
    parts = [f"{_count(len(verdicts), 'verdict')}{': ' if outcomes else ''}{outcomes}"]
    if not verdicts:
        parts.append("nothing was judged")
    elif differ:
        parts.append(f"{differ} not as expected")
    else:
        parts.append("all as expected, every control refuted" + (" (on stale data)" if stale else ""))
    if stale:
        parts.append(f"{_count(len(stale), 'study', 'studies')} judged on stale data ({', '.join(stale)})")
    if ledger["failed_cells"]:
        parts.append(_count(len(ledger["failed_cells"]), "failed cell"))
    if ledger["not_run"]:
        parts.append(f"{_count(len(ledger['not_run']), 'claim waits', 'claims wait')} for a larger profile")
    bound = f"chance of any wrong refutation at most {ledger['family_wise_bound']:.2g}"
    if ledger["monte_carlo_verdicts"]:
        parts.append(f"{_count(ledger['monte_carlo_verdicts'], 'Monte Carlo verdict')}, {bound}")
    return "; ".join(parts) + "."


def remarks(ledger: Mapping[str, Any]) -> list[str]:
    """A line for each verdict that differs and (up to a dozen of) the failed cells."""
    lines = []
    for verdict in ledger["verdicts"]:
        if not as_expected(verdict):
            lines.append(f"NOT AS EXPECTED  {_name(verdict)}: expected {verdict['expected']}. {verdict['reason']}")
            lines.append(f"                 {verdict['reproduce']}")
    failed = ledger["failed_cells"]
    for entry in failed[:12]:
        cell = ", ".join(f"{axis}={label}" for axis, label in entry["cell"].items())
        lines.append(f"FAILED  {entry['study']}{f' ({cell})' if cell else ''}: {entry['message']}")
    if len(failed) > 12:
        lines.append(f"FAILED  ... and {len(failed) - 12} more, see ledger.json")
    if failed:
        lines.append("Once the cause is removed, --retry-failed measures just these cells again.")
    return lines


def print_changes(changes: Iterable[Mapping[str, Any]], *, file=None) -> None:
    """Print what `compare` found: both reasons where a verdict changed, one line a study where many came or went."""
    file = file or sys.stdout
    changes = list(changes)
    studies = Counter((change["study"], *_presence(change)) for change in changes)
    told = set()
    for change in changes:
        old, new = (_outcome_text(change[side]) for side in ("old", "new"))
        group = (change["study"], *_presence(change))
        if all(_presence(change)):
            say(f"{_name(change)} [{change['evidence']}]: {old} -> {new}", file=file)
            for word, side in (("was", "old"), ("now", "new")):
                if change[side]["reason"]:
                    say(f"    {word}: {change[side]['reason']}", file=file)
        elif studies[group] <= SPELLED_OUT:
            say(f"{_name(change)} [{change['evidence']}]: {old} -> {new}", file=file)
        elif group not in told:
            told.add(group)
            text = "appeared" if change["old"]["outcome"] is None else "vanished"
            line = f"{change['study']}: {studies[group]} verdicts {text}, {_name(change)} and others"
            say(line, file=file)
    say(f"{_count(len(changes), 'verdict')} changed" if changes else "no verdict changed", file=file)


def print_runs(old: Mapping[str, Any], new: Mapping[str, Any], *, file=None) -> None:
    """Say where two ledgers come from different runs, or hold failed cells or stale data, before they are compared."""
    for name in ("profile", "root_seed", "package_version"):
        if old[name] != new[name]:
            say(f"note: {name.replace('_', ' ')} {old[name]} -> {new[name]}", file=file or sys.stdout)
    for word, ledger in (("old", old), ("new", new)):
        problems = [_count(len(ledger["failed_cells"]), "failed cell")] if ledger["failed_cells"] else []
        problems += [f"stale data of {', '.join(ledger['stale'])}"] if ledger.get("stale") else []
        if problems:
            say(f"note: the {word} ledger holds {' and '.join(problems)}", file=file or sys.stdout)


def _presence(change: Mapping[str, Any]) -> tuple[bool, bool]:
    return change["old"]["outcome"] is not None, change["new"]["outcome"] is not None


def _outcome_text(side: Mapping[str, Any]) -> str:
    if side["outcome"] is None:
        return f"absent ({side['reason']})" if side["reason"] else "absent"
    control = f", control {side['control_outcome']}" if side["control_outcome"] not in (None, "refuted") else ""
    return f"{side['outcome']} (expected {side['expected']}{control})"


def _print_table(ledger: Mapping[str, Any], file) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", "outcome", "claim", "estimate", "region", "evidence"):
        table.add_column(title, no_wrap=title in ("", "outcome", "evidence"), overflow="fold")
    for verdict in ledger["verdicts"]:
        mark, outcome, *rest = map(visible, _row(verdict))
        # Text, not markup: a claim may hold square brackets.
        attention = "dim" if mark == "ok" else "bold red"
        table.add_row(Text(mark, attention), Text(outcome, MARK.get(verdict["outcome"], "")), *map(Text, rest))
    Console(file=file).print(table)


def _row(verdict: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    interval, region = verdict["interval"] or {}, verdict["region"] or {}
    estimate = "" if verdict["estimate"] is None else _number(verdict["estimate"])
    if estimate and interval.get("low") is not None and interval.get("high") is not None:
        estimate += f" [{_number(interval['low'])}, {_number(interval['high'])}]"
    ends = region.get("low"), region.get("high")
    inside = f"in [{_end(ends[0], '-inf')}, {_end(ends[1], 'inf')}]" if ends != (None, None) else ""
    mark = "ok" if as_expected(verdict) else "!!"
    return mark, verdict["outcome"].replace("_", " "), _name(verdict), estimate, inside, verdict["evidence"]


def _name(entry: Mapping[str, Any]) -> str:
    return f"{entry['claim']} ({entry['regime']})" if entry["regime"] else entry["claim"]


def _number(value: float) -> str:
    return f"{value:.4g}"


def _end(value: float | None, infinite: str) -> str:
    return infinite if value is None else _number(value)


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
