"""ledger.json: what was claimed, what came out, what was not run, what failed; and the exit code that follows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unifiedscore.atomic import make_folder, write_atomic
from unifiedscore.errors import FileError, StudyError
from unifiedscore.inference import REFUTE_LEVEL, Verdict
from unifiedscore.ledger.schema import check_ledger

SCHEMA_VERSION = 1
NEEDED = ("schema_version", "profile", "root_seed", "package_version", "verdicts", "not_run", "failed_cells")


def build_ledger(
    verdicts: Iterable[Verdict],
    *,
    profile: str,
    root_seed: int,
    not_run: Iterable[Mapping[str, Any]] = (),
    failed_cells: Iterable[Mapping[str, Any]] = (),
    stale: Iterable[str] = (),
    runs: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The ledger as plain JSON values.

    Parameters
    ----------
    verdicts : iterable of Verdict
    profile, root_seed
        Of the run.
    not_run : iterable of mapping
        Claims that wait for a larger profile: claim, regime, study, profile, reason.
    failed_cells : iterable of mapping
        study, cell, message.
    stale : iterable of str
        Studies judged on data that another version of their file or of the engine measured.
    runs : mapping, optional
        Study to the stamp of the run that was judged; see `unifiedscore.study.stamp`.

    Returns
    -------
    dict
        With `family_wise_bound = K (1 - REFUTE_LEVEL)`, the bound on the chance of any wrong refutation among the
        K Monte Carlo verdicts.

    Raises
    ------
    StudyError
        Two verdicts have the same key (claim, regime, evidence).
    """
    from unifiedscore import __version__

    verdicts = list(verdicts)
    keys = [(verdict.claim, verdict.regime, verdict.evidence) for verdict in verdicts]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise StudyError(f"two verdicts have the same claim, regime and evidence: {twice}; name their regimes apart")
    entries = [verdict.to_json() for verdict in verdicts]
    ledger = {
        "schema_version": SCHEMA_VERSION,
        "profile": profile,
        "root_seed": root_seed,
        "package_version": __version__,
        **family_wise(entries),
        "verdicts": entries,
        "not_run": [dict(entry) for entry in not_run],
        "failed_cells": [dict(entry) for entry in failed_cells],
        "stale": sorted(stale),
        "runs": {study: dict(run) for study, run in (runs or {}).items()},
    }
    return _plain(ledger)


def family_wise(verdicts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How many verdicts rest on Monte Carlo evidence, and the bound on the chance of any wrong refutation."""
    sampled = sum(verdict["evidence"] == "monte_carlo" for verdict in verdicts)
    return {"monte_carlo_verdicts": sampled, "family_wise_bound": round(sampled * (1 - REFUTE_LEVEL), 12)}


def as_expected(verdict: Mapping[str, Any]) -> bool:
    """Whether a ledger entry came out as its claim expects and its control, where it needs one, was refuted."""
    needs_control = verdict["expected"] in ("supported", "inconclusive")
    control = verdict["control_outcome"]
    refuted = control == "refuted" or (control is None and not (needs_control and verdict["outcome"] == "supported"))
    return verdict["outcome"] == verdict["expected"] and refuted


def exit_code(ledger: Mapping[str, Any]) -> int:
    """0: every verdict as expected and every control refuted; 1: some verdict differs, is stale, or there is none;
    3: a cell failed.
    """
    if ledger["failed_cells"]:
        return 3
    if ledger.get("stale") or not ledger["verdicts"]:
        return 1
    return 0 if all(as_expected(verdict) for verdict in ledger["verdicts"]) else 1


def write_ledger(ledger: Mapping[str, Any], out: str | Path) -> Path:
    """Write `<out>/ledger.json` atomically."""
    path = Path(out) / "ledger.json"
    make_folder(path.parent)
    write_atomic(path, (json.dumps(ledger, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode())
    return path


def read_ledger(path: str | Path) -> dict[str, Any]:
    """Read a ledger, or the one in a results folder."""
    path = Path(path)
    path = path if path.suffix == ".json" else path / "ledger.json"
    try:
        ledger = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(
            f"cannot read {path}: {error.strerror or error}; unifiedscore verify or judge writes a ledger.json"
        ) from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is no JSON file: {error}") from error
    missing = [name for name in NEEDED if not isinstance(ledger, dict) or name not in ledger]
    if missing:
        raise FileError(f"{path} is no ledger: it lacks {', '.join(missing)}")
    if ledger["schema_version"] != SCHEMA_VERSION:
        raise FileError(
            f"{path} has schema version {ledger['schema_version']!r}, this package reads {SCHEMA_VERSION}; "
            "write it again with this version"
        )
    check_ledger(ledger, path)
    return ledger | {"stale": ledger.get("stale", [])}


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What changed between two ledgers: verdicts that appeared, vanished, or came out differently.

    Outcomes, expectations and outcomes of controls count; numbers do not: their last digits depend on the BLAS
    library, and a number that matters changes an outcome.

    Returns
    -------
    list of dict
        claim, regime, evidence, study; and, under old and new, outcome (None where there is no verdict), expected,
        control_outcome and reason (where there is none: the profile for which the claim waits, if the ledger says so).
    """
    before, after = ({_key(verdict): verdict for verdict in ledger["verdicts"]} for ledger in (old, new))
    waiting = [{(entry["claim"], entry["regime"]): entry["profile"] for entry in one["not_run"]} for one in (old, new)]
    decisive = ("outcome", "expected", "control_outcome")
    changes = []
    for key in sorted(before.keys() | after.keys()):
        verdicts = before.get(key), after.get(key)
        was, now = ({part: (verdict or {}).get(part) for part in (*decisive, "reason")} for verdict in verdicts)
        for side, profiles in zip((was, now), waiting, strict=True):
            if side["outcome"] is None and key[:2] in profiles:
                side["reason"] = f"waits for profile {profiles[key[:2]]}"
        if any(was[part] != now[part] for part in decisive):
            study = next(verdict["study"] for verdict in verdicts if verdict is not None)
            name = dict(zip(("claim", "regime", "evidence"), key, strict=True))
            changes.append(name | {"study": study, "old": was, "new": now})
    return changes


def _key(verdict: Mapping[str, Any]) -> tuple[str, str, str]:
    return verdict["claim"], verdict["regime"], verdict["evidence"]


def _plain(value):
    """Infinities and NaN have no JSON; they become null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
