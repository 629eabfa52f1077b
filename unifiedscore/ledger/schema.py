"""What every entry of a ledger must hold, so that a foreign or damaged file is refused by name."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unifiedscore.errors import FileError

SCHEMA_VERSION = 2
READABLE = (1, SCHEMA_VERSION)  # version 1 had no searches and no looks

_LARGEST = sys.float_info.max
_NUMBER = (int, float, type(None))
_ENDS = {"low": _NUMBER, "high": _NUMBER}
_INTERVAL = _ENDS | {"level": _NUMBER, "kind": str}
_SAMPLED = _INTERVAL | {"level": (int, float)}
_CONTROL = {"mutation": str, "interval": dict}
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
# Keys that ledgers from before they were stored lack, and verdicts that they do not concern.
_OPTIONAL = {"of": str, "control_kind": str, "sharpness": _NUMBER}
_PRINTED = {"instance": dict, "code": str}
_SEARCH = {
    "budget": int,
    "evaluations": int,
    "feasible": (int, float),
    "undefined": int,
    "root_seed": int,
    "stage": str,
    "sharpness": _NUMBER,
    "per_seed": list,
    "sharpness_expected": (dict, type(None)),
    "worst": (dict, type(None)),
    "counterexample": (dict, type(None)),
}
_LOOKS = {"look": int, "seeds": int, "levels": (dict, type(None)), "decided_at": (int, type(None))}
_MAP_OPTIONAL = {"regime": str}  # ledgers from before it was stored lack it
_MAP = {"study": str, "claim": str, "x": str, "y": str, "shares": dict, "boundary": list}
_NOT_RUN = {name: str for name in ("claim", "regime", "study", "profile", "reason")}
_FAILED = {"study": str, "cell": dict, "message": str}
_LEDGER = {
    "schema_version": int,
    "profile": str,
    "root_seed": int,
    "package_version": str,
    "monte_carlo_verdicts": int,
    "family_wise_bound": (int, float),
    "verdicts": list,
    "not_run": list,
    "failed_cells": list,
}


def check_ledger(ledger, path: str | Path) -> None:
    """Refuse a ledger of another schema, or one whose entries lack a key or hold the wrong kind of value."""
    problem = f"{path} is not a ledger"
    if isinstance(ledger, dict) and ledger.get("schema_version", SCHEMA_VERSION) not in READABLE:
        raise FileError(
            f"{path} has schema version {ledger['schema_version']!r}, this package reads {SCHEMA_VERSION}; "
            "write it again with this version"
        )
    _check(ledger, _LEDGER, "the file", problem)
    check_verdicts(ledger["verdicts"], problem)
    for part, kinds in (("not_run", _NOT_RUN), ("failed_cells", _FAILED)):
        for position, entry in enumerate(ledger[part]):
            _check(entry, kinds, f"{part}[{position}]", problem)
    runs = ledger.get("runs", {})
    if not isinstance(runs, dict) or not all(isinstance(run, dict) for run in runs.values()):
        raise FileError(f"{problem}: runs must hold an object for every study")
    maps = ledger.get("maps", {})
    if not isinstance(maps, dict):
        raise FileError(f"{problem}: maps must hold an object for every map")
    for name, entry in maps.items():
        _check(entry, _MAP, f"the map {name!r}", problem)
        _check(entry, {key: kind for key, kind in _MAP_OPTIONAL.items() if key in entry}, f"the map {name!r}", problem)
    if not isinstance(looked := ledger.get("until_decided", False), bool):
        raise FileError(f"{problem}: until_decided of the file is {_kind(looked)}")
    stale = ledger.get("stale", [])
    if not isinstance(stale, list) or not all(isinstance(name, str) for name in stale):
        raise FileError(f"{problem}: stale must list names of studies")


def check_verdicts(entries, problem: str, parts: Iterable[str] = tuple(_VERDICT)) -> None:
    """Refuse a list of verdicts that lack one of these parts or hold the wrong kind of value there.

    `problem` begins the message: which file is not what it should be.
    """
    if not isinstance(entries, list):
        raise FileError(f"{problem}: verdicts of the file is {_kind(entries)}")
    parts = set(parts)
    kinds = {name: kind for name, kind in _VERDICT.items() if name in parts}
    for position, entry in enumerate(entries):
        where = f"verdicts[{position}]"
        _check(entry, kinds, where, problem)
        _check(entry, {name: kind for name, kind in _OPTIONAL.items() if name in entry}, where, problem)
        _check_search(entry.get("search"), where, problem)
        if entry.get("looks") is not None:
            _check(entry["looks"], _LOOKS, f"looks of {where}", problem)
        if "region" in parts:
            _check(entry["region"], _ENDS, f"region of {where}", problem)
        if "interval" in parts:
            _check_interval(entry["interval"], f"interval of {where}", problem)
        for item in entry["hypotheses"] if "hypotheses" in parts else ():
            _check(item, _HYPOTHESIS, f"a hypothesis of {where}", problem)
        if "control_detail" in parts and (control := entry["control_detail"]) is not None:
            estimate = {"estimate": _NUMBER} if "estimate" in control else {}
            _check(control, _CONTROL | estimate, f"control_detail of {where}", problem)
            if control["interval"]:
                _check_interval(control["interval"], f"the control's interval of {where}", problem)


def _check_search(search, where: str, problem: str) -> None:
    """What a search tried and found; null for other evidence, and absent in ledgers from before there were searches."""
    if search is None:
        return
    _check(search, _SEARCH, f"search of {where}", problem)
    for name, parts in (("worst", _PRINTED), ("counterexample", _PRINTED | {"value": _NUMBER, "error": _NUMBER})):
        if search[name] is not None:
            _check(search[name], parts, f"{name} of the search of {where}", problem)
    if search["sharpness_expected"] is not None:
        _check(search["sharpness_expected"], _ENDS, f"sharpness_expected of {where}", problem)


def _check_interval(interval: Mapping[str, Any], where: str, problem: str) -> None:
    _check(interval, _SAMPLED if interval.get("kind") in ("t", "binomial") else _INTERVAL, where, problem)


def _check(entry, kinds: Mapping[str, Any], where: str, problem: str) -> None:
    if not isinstance(entry, dict):
        raise FileError(f"{problem}: {where} is {_kind(entry)}, not an object")
    for name, kind in kinds.items():
        if name not in entry:
            raise FileError(f"{problem}: {where} lacks {name}")
        if not isinstance(entry[name], kind):
            raise FileError(f"{problem}: {name} of {where} is {_kind(entry[name])}")
        if type(entry[name]) in (int, float) and not abs(entry[name]) <= _LARGEST:  # NaN, 10**400
            raise FileError(f"{problem}: {name} of {where} is not a finite number")


def _kind(value) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
