"""`status`: how far a results folder is."""

from __future__ import annotations

from unifiedscore.cli.options import OUT, Results
from unifiedscore.errors import InputError
from unifiedscore.output import say


def status_command(results: Results = OUT):
    """How far the studies in a results folder are: cells done, failed, missing, running, and what remains."""
    from unifiedscore.ledger.words import count
    from unifiedscore.study.runner import outdated, recorded, running_now

    if not results.is_dir():
        raise InputError(f"{results} is not a folder; give the one that a run was told to write to with --out")
    empty = True
    for manifest, records, damaged in recorded(results):
        empty = False
        if changed := outdated(manifest):
            name = f"{manifest['study']} ({manifest['profile']})"
            line = f"{name}: {count(len(records), 'cell')} stale: {changed}"
            say(f"{line}; {manifest['cells']} missing for what is there now")
            continue
        failed = sum(record.status == "failed" for record in records.values())
        done, missing = len(records) - failed, manifest["cells"] - len(records)
        line = f"{manifest['study']} ({manifest['profile']}): {done} done, {failed} failed, {missing} missing"
        if missing and records:
            seconds = sum(record.seconds for record in records.values()) / len(records) * missing
            line += f", about {_duration(seconds)} of one worker's time left"
        if damaged:
            line += f"; {damaged} of the missing {'has' if damaged == 1 else 'have'} a damaged record"
        for reason, number in manifest.get("skipped", {}).items():
            line += f"; {number} skipped: {reason}" if reason else ""
        say(line)
        for text in running_now(results / "cells" / manifest["study"], set(records)):
            say(f"  {text}")
    if empty:
        raise InputError(f"no study has been run into {results}; start one with: unifiedscore run --out {results}")


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"
