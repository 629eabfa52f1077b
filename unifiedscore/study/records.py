"""Cell records: one small file per finished cell, atomic and self-checking, keyed by all that determines it.

A killed run resumes from its records; a changed engine, study file, cell or root seed has another key, so a stale
number is never found. What the hashes in a key stand for is kept beside the records (`*.identity`).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Literal, final

from unifiedscore.atomic import cannot, make_folder, sweep, write_atomic
from unifiedscore.errors import FileError
from unifiedscore.output import encoded
from unifiedscore.reading import parse_json, read_file
from unifiedscore.study.grid import canonical

SCHEMA = 2  # 1: keys without imports, data and versions of packages
IDENTITY = ".identity"
LARGEST, MOST = 2**26, 2**22  # bytes and values; a record holds scalars and short vectors, and is read whole
DAMAGED = "damaged"
Fits = Callable[[Mapping], bool] | None


@final
@dataclass(frozen=True, slots=True)
class Record:
    """What one cell returned: its values (floats, or nested lists for vectors), or why it failed."""

    status: Literal["ok", "failed"]
    values: Mapping[str, float | list] = field(default_factory=dict)
    message: str = ""
    seconds: float = 0.0


def record_key(*, engine: str, source: str, study: str, cell: Mapping, seed: int) -> str:
    """Name of the record of one cell."""
    kinds = ",".join(type(label).__name__ for _, label in sorted(cell.items()))  # 1 and 1.0 are measured apart
    text = "\n".join((str(SCHEMA), engine, source, study, canonical(cell), kinds, str(seed)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def identity_name(hashes: Mapping[str, str]) -> str:
    """Name of the file that says what a record's key stands for; every record bears it."""
    return hashlib.sha256("\n".join((hashes["engine"], hashes["source"])).encode()).hexdigest()[:16]


@final
@dataclass(frozen=True, slots=True)
class RecordStore:
    """The records of one study in `<out>/cells/<study>/`."""

    folder: Path
    identity: str = ""  # name of what the keys stand for, which every record bears; see `identity_name`

    @classmethod
    def of(cls, out: Path, study: str, hashes: Mapping[str, str] | None = None) -> RecordStore:
        """The store of `study` below the results folder `out`; `hashes` where records will be written."""
        return cls(out / "cells" / study, identity_name(hashes) if hashes else "")

    @property
    def out(self) -> Path:
        """The results folder, below which no link is followed."""
        return self.folder.parent.parent

    def open(self) -> None:
        """Create the folder, and remove what killed processes left half-written in it."""
        make_folder(self.folder, below=self.out)
        sweep(self.folder)

    def path(self, key: str) -> Path:
        """File of the record `key`."""
        return self.folder / f"{key}.json"

    def keys(self) -> frozenset[str]:
        """Those of all files that bear the name of a record, whatever they hold."""
        with os.scandir(self.folder) as entries:
            return frozenset(entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json"))

    def keep_identity(self, identity: Mapping) -> None:
        """Write what the keys stand for, once for all the records that share it."""
        path = self.folder / f"{self.identity}{IDENTITY}"
        if not path.exists():
            write_atomic(path, encoded(json.dumps(identity, indent=1)))

    def write(self, key: str, record: Record, cell: Mapping, *, lasting: bool = True) -> None:
        """Write a record; it is either complete under its name or not there at all.

        One that need not be `lasting` may be damaged by a power cut, and is measured again.
        """
        content = {"schema": SCHEMA, "key": key, "identity": self.identity, "cell": dict(cell)} | asdict(record)
        text = json.dumps(content | {"sha256": _content_hash(content)}, separators=(",", ":"))
        write_atomic(self.path(key), encoded(text), lasting=lasting)

    def read(self, key: str, cell: Mapping | None = None, fits: Fits = None) -> Record | None:
        """The record `key`; None where there is none, or one that is damaged or foreign.

        Parameters
        ----------
        key : str
        cell : mapping, optional
            Its cell, if the caller knows.
        fits : callable, optional
            Whether the values of a finished record are ones that the study can have returned.
        """
        record = self._look(key, cell, fits)
        return record if isinstance(record, Record) else None

    def read_many(
        self, keys: Iterable[str] | Mapping[str, Mapping], fits: Fits = None, *, set_aside: bool = False
    ) -> tuple[dict[str, Record], int]:
        """The records found among `keys` (or keys with their cells), and how many damaged or foreign ones there are.

        With `set_aside`, those are renamed to `<key>.damaged`, so that what happened can be looked into.
        """
        found, damaged = {}, 0
        for key in keys:
            record = self._look(key, keys[key] if isinstance(keys, Mapping) else None, fits)
            if isinstance(record, Record):
                found[key] = record
            elif record is DAMAGED:
                damaged += 1
                if set_aside:
                    self._set_aside(key)
        return found, damaged

    def _look(self, key: str, cell: Mapping | None, fits: Fits) -> Record | str | None:
        path = self.path(key)
        try:
            record = _parse(read_file(path, below=self.out, limit=LARGEST), key, cell)
        except FileError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            if isinstance(error.__cause__, PermissionError):
                raise FileError(f"cannot read the record {path}: {error.__cause__.strerror}") from error
            return DAMAGED  # a link or anything else that is not a file is in the way of a record; a bad sector
        if record is None or (record.status == "ok" and fits is not None and not fits(record.values)):
            return DAMAGED
        return record

    def _set_aside(self, key: str) -> None:
        path = self.path(key)
        names = (path.with_name(f"{key}{text}.damaged") for text in chain([""], map(".{}".format, count(2))))
        try:
            os.replace(path, next(name for name in names if not os.path.lexists(name)))
        except FileNotFoundError:
            pass  # another run in the same folder has set it aside
        except OSError as error:
            raise cannot("set aside the damaged record", path, error) from error


def _content_hash(content: Mapping) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _parse(text: bytes, key: str, cell: Mapping | None) -> Record | None:
    """A record from its text; None where anything about it is not as this package writes it."""
    try:
        content = parse_json(text, values=MOST)
        stated = content.pop("sha256")
        if content["schema"] != SCHEMA or content["key"] != key or stated != _content_hash(content):
            return None
        if cell is not None and content["cell"] != dict(cell):
            return None
        record = Record(content["status"], content["values"], content["message"], content["seconds"])
        return record if _well_formed(record) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _well_formed(record: Record) -> bool:
    seconds = record.seconds
    return (
        record.status in ("ok", "failed")
        and isinstance(record.values, dict)
        and all(map(_numeric, record.values.values()))
        and (record.status == "ok" or not record.values)
        and isinstance(record.message, str)
        and type(seconds) in (int, float)
        and 0.0 <= seconds < math.inf
    )


def _numeric(value) -> bool:
    return type(value) is float or (isinstance(value, list) and all(map(_numeric, value)))
