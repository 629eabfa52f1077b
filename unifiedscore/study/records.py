"""Cell records: one small file per finished cell, atomic and self-checking, keyed by all that determines it.

A killed run resumes from its records; a changed engine, study file, cell or root seed has another key, so a stale
number is never found.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Literal, final

from unifiedscore.atomic import cannot, make_folder, sweep, write_atomic
from unifiedscore.errors import FileError
from unifiedscore.study.grid import canonical

SCHEMA = 1
# What a measurement may call. Streams are drawn by study/grid.py, whose changes show in every number.
NUMERICAL = ("kernels", "measures", "posterior", "fields", "processes", "samplers", "metrics", "exact", "train")
SOURCES = ("study/grid.py", "validate.py")
# What a study measures as well that imports the tests themselves.
JUDGING = ("inference/*.py", "ledger/*.py", "study/judge.py")
LARGEST = 2**28  # bytes; a record holds scalars and short vectors, and is read whole
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


def engine_hash(package: Path | None = None) -> str:
    """Hash of all sources that a measurement may run: a changed engine never reuses a number."""
    package = package or Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    folders = (path for folder in NUMERICAL for path in sorted((package / folder).rglob("*.py")))
    for path in (*folders, *(package / source for source in SOURCES if (package / source).is_file())):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def study_hash(path: Path) -> str:
    """Hash of a study file and of the private helpers (`_*.py`) beside it.

    A study that imports `unifiedscore.inference` measures how verdicts are reached: those sources enter as well.
    """
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parent.parent
    try:
        judging = JUDGING if b"unifiedscore.inference" in path.read_bytes() else ()
        engine = (source for pattern in judging for source in sorted(package.glob(pattern)))
        for source in (*engine, path, *sorted(path.parent.glob("_*.py"))):
            digest.update(source.name.encode() + b"\0" + hashlib.sha256(source.read_bytes()).digest())
    except OSError as error:
        raise FileError(f"cannot read the study file {path}: {error.strerror or error}") from error
    return digest.hexdigest()


def what_changed(hashes: Mapping[str, str], path: Path) -> str:
    """What differs between the code that made these hashes and the present one, in words; empty if nothing does."""
    changed = ["the engine"] * (hashes.get("engine") != engine_hash())
    changed += ["the study file"] * (hashes.get("source") != study_hash(path))
    return " and ".join(changed)


def record_key(*, engine: str, source: str, study: str, cell: Mapping, rng_seed: int) -> str:
    """Name of the record of one cell."""
    text = "\n".join((str(SCHEMA), engine, source, study, canonical(cell), str(rng_seed)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@final
@dataclass(frozen=True, slots=True)
class RecordStore:
    """The records of one study in `<out>/cells/<study>/`."""

    folder: Path

    @classmethod
    def of(cls, out: Path, study: str) -> RecordStore:
        """The store of `study` below the results folder `out`."""
        return cls(out / "cells" / study)

    def open(self) -> None:
        """Create the folder, and remove what killed processes left half-written in it."""
        make_folder(self.folder)
        sweep(self.folder)

    def path(self, key: str) -> Path:
        """File of the record `key`."""
        return self.folder / f"{key}.json"

    def write(self, key: str, record: Record, cell: Mapping) -> None:
        """Write a record; it is either complete under its name or not there at all."""
        content = {"schema": SCHEMA, "key": key, "cell": dict(cell)} | asdict(record)
        text = json.dumps(content | {"sha256": _content_hash(content)}, separators=(",", ":"))
        write_atomic(self.path(key), text.encode())

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
            kind = path.stat()
            if not stat.S_ISREG(kind.st_mode) or kind.st_size > LARGEST:
                return DAMAGED
            record = _parse(path.read_bytes(), key, cell)
        except FileNotFoundError:
            # A link that leads nowhere is in the way of a record; so is any other thing that is not a file.
            return DAMAGED if path.is_symlink() else None
        except PermissionError as error:
            raise FileError(f"cannot read the record {path}: {error.strerror or error}") from error
        except OSError:  # a bad sector, a loop of links
            return DAMAGED
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
        content = json.loads(text)
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
