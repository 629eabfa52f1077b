"""Cell records: one small file per finished cell, atomic and self-checking, keyed by all that determines it.

A killed run resumes from its records; a changed engine, study file, cell or root seed has another key, so a stale
number is never found.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, final

from unifiedscore.errors import FileError
from unifiedscore.study.grid import canonical

SCHEMA = 1
NUMERICAL = ("kernels", "measures", "posterior", "fields", "processes", "samplers", "metrics")


@final
@dataclass(frozen=True, slots=True)
class Record:
    """What one cell returned: its values (floats, or nested lists for vectors), or why it failed."""

    status: Literal["ok", "failed"]
    values: Mapping[str, float | list] = field(default_factory=dict)
    message: str = ""
    seconds: float = 0.0


def engine_hash(package: Path | None = None) -> str:
    """Hash of the sources of the numerical subpackages: a changed engine never reuses a number."""
    package = package or Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for folder in NUMERICAL:
        for path in sorted((package / folder).rglob("*.py")):
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def study_hash(path: Path) -> str:
    """Hash of a study file and of the private helpers (`_*.py`) beside it.

    A study that imports `unifiedscore.inference` measures the tests themselves: their sources enter as well.
    """
    digest = hashlib.sha256()
    try:
        if b"unifiedscore.inference" in path.read_bytes():
            for source in sorted((Path(__file__).resolve().parent.parent / "inference").glob("*.py")):
                digest.update(source.name.encode() + b"\0" + hashlib.sha256(source.read_bytes()).digest())
        for source in (path, *sorted(path.parent.glob("_*.py"))):
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
        """Create the folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"cannot create the folder {self.folder}: {error.strerror or error}; choose another one with --out"
            ) from error

    def path(self, key: str) -> Path:
        """File of the record `key`."""
        return self.folder / f"{key}.json"

    def mark(self, key: str) -> None:
        """Leave a note that this process measures the cell `key` itself, and may not survive it."""
        self._mark(key).touch()

    def unmark(self, key: str) -> None:
        """Take the note away: the process survived."""
        self._mark(key).unlink(missing_ok=True)

    def marked(self, key: str) -> bool:
        """Whether a process ended while it measured the cell `key`."""
        return self._mark(key).exists()

    def _mark(self, key: str) -> Path:
        return self.folder / f"{key}.running"

    def write(self, key: str, record: Record, cell: Mapping) -> None:
        """Write a record; it is either complete under its name or not there at all."""
        content = {"schema": SCHEMA, "key": key, "cell": dict(cell)} | asdict(record)
        text = json.dumps(content | {"sha256": _content_hash(content)}, separators=(",", ":"))
        write_atomic(self.path(key), text.encode())

    def read(self, key: str) -> Record | None:
        """The record `key`; None where there is none, or a damaged one (set aside as `<key>.damaged`)."""
        path = self.path(key)
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileError(f"cannot read the record {path}: {error.strerror or error}") from error
        record = _parse(text, key)
        if record is None:
            try:
                os.replace(path, path.with_suffix(".damaged"))
            except FileNotFoundError:
                pass  # another run in the same folder has set it aside
        return record

    def read_many(self, keys: Iterable[str]) -> tuple[dict[str, Record], int]:
        """The records found among `keys`, and how many damaged ones were set aside."""
        found, before = {}, len(list(self.folder.glob("*.damaged")))
        for key in keys:
            if (record := self.read(key)) is not None:
                found[key] = record
        return found, len(list(self.folder.glob("*.damaged"))) - before


def _content_hash(content: Mapping) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _parse(text: bytes, key: str) -> Record | None:
    try:
        content = json.loads(text)
        stated = content.pop("sha256")
        if content["schema"] != SCHEMA or content["key"] != key or stated != _content_hash(content):
            return None
        return Record(content["status"], content["values"], content["message"], content["seconds"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that a reader, a crash or a full disk never sees half of it."""
    temporary = partial_path(path)
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def partial_path(path: Path) -> Path:
    """A name beside `path`, unique to this attempt, that no reader takes for a finished file."""
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.partial")
