"""What every entry of a ledger must hold, so that a foreign or damaged file is refused by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unifiedscore.errors import FileError

_LARGEST = sys.float_info.max
_NUMBER = (int, float, type(None))
_ENDS = {"low": _NUMBER, "high": _NUMBER}
_INTERVAL = _ENDS | {"level": _NUMBER, "kind": str}
_CONTROL = {"mutation": str, "interval": dict, "estimate": _NUMBER}
_HYPOTHESIS = _ENDS | {"name": str, "value": _NUMBER, "holds": bool}
_TEXTS = ("claim", "regime", "study", "statement", "source", "evidence", "outcome", "expected", "reason")
_VERDICT = {name: str for name in (*_TEXTS, "finding", "reproduce")} | {
    "estimate": _NUMBER,
    "interval": dict,
    "region": dict,
    "control_outcome": (str, type(None)),
    "control_detail": (dict, type(None)),
    "hypotheses": list,
    "cells": int,
}
_NOT_RUN = {name: str for name in ("claim", "regime", "study", "profile", "reason")}
_FAILED = {"study": str, "cell": dict, "message": str}
_LEDGER = {
    "profile": str,
    "root_seed": int,
    "package_version": str,
    "monte_carlo_verdicts": int,
    "family_wise_bound": (int, float),
    "verdicts": list,
    "not_run": list,
    "failed_cells": list,
}


def check_ledger(ledger: Mapping[str, Any], path: Path) -> None:
    """Refuse a ledger whose entries lack a key or hold the wrong kind of value."""

    def check(entry, kinds: Mapping[str, Any], where: str) -> None:
        if not isinstance(entry, dict):
            raise FileError(f"{path} is no ledger: {where} is {_kind(entry)}, not an object")
        for name, kind in kinds.items():
            if name not in entry:
                raise FileError(f"{path} is no ledger: {where} lacks {name}")
            if not isinstance(entry[name], kind):
                raise FileError(f"{path} is no ledger: {name} of {where} is {_kind(entry[name])}")
            if type(entry[name]) in (int, float) and not abs(entry[name]) <= _LARGEST:  # NaN, 10**400
                raise FileError(f"{path} is no ledger: {name} of {where} is no finite number")

    def check_interval(interval, where: str) -> None:
        sampled = interval.get("kind") in ("t", "binomial")
        check(interval, _INTERVAL | ({"level": (int, float)} if sampled else {}), where)

    check(ledger, _LEDGER, "the file")
    for part, kinds in (("verdicts", _VERDICT), ("not_run", _NOT_RUN), ("failed_cells", _FAILED)):
        for position, entry in enumerate(ledger[part]):
            check(entry, kinds, f"{part}[{position}]")
    for position, entry in enumerate(ledger["verdicts"]):
        where, control = f"verdicts[{position}]", entry["control_detail"]
        check(entry["region"], _ENDS, f"region of {where}")
        check_interval(entry["interval"], f"interval of {where}")
        for item in entry["hypotheses"]:
            check(item, _HYPOTHESIS, f"a hypothesis of {where}")
        if control is not None:
            check({"estimate": None} | control, _CONTROL, f"control_detail of {where}")
            if control["interval"]:
                check_interval(control["interval"], f"the control's interval of {where}")
    runs = ledger.get("runs", {})
    if not isinstance(runs, dict) or not all(isinstance(run, dict) for run in runs.values()):
        raise FileError(f"{path} is no ledger: runs must hold an object for every study")
    stale = ledger.get("stale", [])
    if not isinstance(stale, list) or not all(isinstance(name, str) for name in stale):
        raise FileError(f"{path} is no ledger: stale must list names of studies")


def check_entries(entries, parts: tuple[str, ...], path: Path) -> None:
    """Refuse a list of verdicts that lack one of these parts or hold the wrong kind of value there."""
    if not isinstance(entries, list):
        raise FileError(f"{path} holds {_kind(entries)} where its verdicts should be")
    for position, entry in enumerate(entries):
        for part in parts:
            if not isinstance(entry, dict) or part not in entry or not isinstance(entry[part], _VERDICT[part]):
                raise FileError(f"{path}: verdicts[{position}] lacks {part}, or it is of the wrong kind")
        for part, ends in (("region", _ENDS), ("interval", _INTERVAL)):
            if part in parts and not all(isinstance(entry[part].get(name, ()), kind) for name, kind in ends.items()):
                raise FileError(f"{path}: {part} of verdicts[{position}] lacks an end, or it is no number")


def _kind(value) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
