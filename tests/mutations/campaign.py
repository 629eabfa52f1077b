"""Plant mutations in a copy of the project, one after the other, and keep what became of each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutations.importers import files_to_verify
from tests.mutations.mutation import ROOT, Mutation
from unifiedscore.compiled import PREFIX
from unifiedscore.errors import FileError
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.sources import engine_hash

PARTS = ("unifiedscore", "studies", "derivations", "figures", "tests", "reference", "benchmarks", ".ci",
         "pyproject.toml", "README.md", "CHANGELOG.md", "constraints.txt", ".gitignore")  # fmt: skip
ONE, ALL = 600, 5400  # seconds for the files that should notice, and for everything


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutation: noticed or not, and by what."""

    name: str
    mode: str
    noticed: bool
    by: tuple[str, ...]
    whole: bool  # whether everything was run, or the files that should notice did


class Copy:
    """A copy of the project in which mistakes are planted and mended."""

    def __init__(self, folder: Path):
        self.folder = folder
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                # Without this folder: its own test says that a planted text is not there, which is no finding.
                shutil.copytree(
                    source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "results", "mutations")
                )
            elif source.is_file():
                shutil.copy2(source, folder / part)
        # Some tests ask git for the files of the project.
        git = ["git", "-c", "user.name=mutations", "-c", "user.email=mutations@localhost"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "copy"]):
            subprocess.run([*git, *words], cwd=folder, check=True, capture_output=True)
        self._warm = folder.with_name("machine-code")
        own = self._machine_code(ROOT / "unifiedscore")
        shutil.copytree(own, self._warm) if own.is_dir() else self._warm.mkdir()

    @contextmanager
    def planted(self, mutation: Mutation | None) -> Iterator[None]:
        """The copy with the mistake in it, for the time of the block; None: the project as it is."""
        path = self.folder / "unifiedscore" / (mutation.file if mutation else "__init__.py")
        text = path.read_text()
        if mutation:
            path.write_text(mutation.applied(text))
        # Machine code belongs to the engine as a whole. What is compiled from other files stays as it is, unless a
        # compiled function is changed, which others may have inlined.
        same = mutation is None or "njit" not in text
        code = self._machine_code(self.folder / "unifiedscore")
        try:
            if same:
                shutil.copytree(self._warm, code, dirs_exist_ok=True)
            yield
            if same:
                shutil.copytree(code, self._warm, dirs_exist_ok=True)
        finally:
            shutil.rmtree(code, ignore_errors=True)
            path.write_text(text)

    @staticmethod
    def _machine_code(package: Path) -> Path:
        return package / "__pycache__" / f"{PREFIX}{engine_hash(package)[:16]}"

    def run(self, *words: str, seconds: float) -> tuple[int, str]:
        """Exit status of `python -m words` in the copy, and what it said; -9 where it took too long."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "MPLBACKEND": "Agg", "COLUMNS": "200"}
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen([sys.executable, "-m", *words], cwd=self.folder, env=environment, stdout=said,
                                       stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
            try:
                code = process.wait(seconds)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                code = -9
            said.seek(0)
            return code, said.read()


def by_verify(copy: Copy, paths: Sequence[str], seconds: float) -> tuple[str, ...]:
    """The claims that `verify` does not find as expected; empty if all is well.

    Files are run one at a time on one process, up to the first that notices.
    """
    runs = [(path,) for path in paths] or [()]
    return next((by for run in runs if (by := _verified(copy, run, seconds))), ())


def _verified(copy: Copy, paths: Sequence[str], seconds: float) -> tuple[str, ...]:
    results = copy.folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    code, said = copy.run("unifiedscore", "verify", *paths, "--workers", "1", "--out", "results", seconds=seconds)
    try:
        ledger = Ledger.read(results)  # by the code without the mistake, which may be in the exit code
    except FileError:
        return (_last(said, code),)
    if not ledger.verdicts and not ledger.failed_cells:
        return ()  # all that the files claim waits for a larger profile: a run without verdicts exits with 1
    wrong = sorted({verdict.claim for verdict in ledger.differing})
    failed = sorted({f"a cell of {cell.study} failed" for cell in ledger.failed_cells})
    return tuple(wrong + failed) or ((_last(said, code),) if code else ())


def by_tests(copy: Copy, paths: Sequence[str], seconds: float) -> tuple[str, ...]:
    """The first test that fails; empty if all is well."""
    plugins = [word for name in ("cacheprovider", "xdist", "hypothesispytest") for word in ("-p", f"no:{name}")]
    code, said = copy.run("pytest", "-x", "-q", *plugins, *paths, seconds=seconds)
    if code in (0, 5):  # 5: none was run, as they are slow ones
        return ()
    failed = [line.split()[1] for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return tuple(failed[:1]) or (_last(said, code),)


def _last(said: str, code: int) -> str:
    if code == -9:
        return "did not end in time"
    lines = [line for line in said.splitlines() if line.strip()]
    return f"exit {code}: {lines[-1][:160] if lines else 'nothing said'}"


MODES = {"verify": (by_verify, "studies"), "tests": (by_tests, "tests")}


def attempt(copy: Copy, mutation: Mutation | None, mode: str, first: Sequence[str], *, whole: bool) -> Result:
    """Plant a mutation and see whether the files that should notice do, and then whether anything does."""
    run, _ = MODES[mode]
    name = mutation.name if mutation else "nothing"
    with copy.planted(mutation):
        by = run(copy, first, ONE) if first else ()
        if by or not whole:
            return Result(name, mode, bool(by), by, False)
        return Result(name, mode, bool(by := run(copy, (), ALL)), by, True)


def places(mutation: Mutation, mode: str) -> tuple[str, ...]:
    """The files that should notice a mutation, from the root of the project; a test may be named in its file."""
    if mode == "tests":
        return tuple(f"tests/{path}" for path in mutation.tests)
    return files_to_verify(mutation)


class Known:
    """The results so far, one JSON line each, under what was planted, what was run and the state of the project."""

    def __init__(self, path: Path):
        self.path, self._found = path, {}
        if path.is_file():
            for line in path.read_text().splitlines():
                entry = json.loads(line)
                self._keep(entry.pop("key"), Result(**entry | {"by": tuple(entry["by"])}))

    def get(self, key: str) -> Result | None:
        """What is known of a mutation in this state of the project."""
        return self._found.get(key)

    def last(self, planted: str) -> Result | None:
        """The last result of what was planted, in whatever state of the project."""
        results = (result for key, result in reversed(self._found.items()) if key.startswith(planted))
        return next(results, None)

    def put(self, key: str, result: Result) -> None:
        """Keep a result, whatever happens next."""
        self._keep(key, result)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a") as file:
            file.write(json.dumps(asdict(result) | {"key": key}) + "\n")

    def _keep(self, key: str, result: Result) -> None:
        self._found.pop(key, None)  # the last one comes last
        self._found[key] = result


def state(root: Path, mode: str, first: Sequence[str] = ()) -> str:
    """A hash of what a result depends on beside the mutation: the package, and the files that are run, all for none."""
    parts = ["tests"] if mode == "tests" else ["studies", "derivations"]
    paths = [
        path
        for part in parts
        for path in (root / part).rglob("*.py")
        if "mutations" not in path.relative_to(root).parts
    ]
    if first:
        named = {root / path.partition("::")[0] for path in first}
        # What a test or a study shares with its neighbours stands in conftest.py or in a file with an underscore.
        shared = ("conftest.py", "_")
        paths = [path for path in paths if path.name.startswith(shared) or any(path.is_relative_to(n) for n in named)]
    digest = hashlib.sha256()
    for path in sorted([*paths, *(root / "unifiedscore").rglob("*.py")]):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def planted_of(mutation: Mutation | None, mode: str) -> str:
    """The first part of a key: the edit, whatever is said about it, and what is to notice it."""
    return _hashed([mutation.file, mutation.old, mutation.new] if mutation else [], mode)


def key_of(root: Path, mutation: Mutation | None, mode: str, *, whole: bool, first: Sequence[str]) -> str:
    """Under which a result is kept; `root` is the project, or the copy of it that is run."""
    what = _hashed(list(first), whole, state(root, mode, () if whole else first))
    return f"{planted_of(mutation, mode)}-{what}"


def _hashed(*parts) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
