"""Stored summaries: the verdicts of a long run, kept in a small file and shown in every report.

`unifiedscore export RESULTS --format summary --study NAME --title T --out reference/FILE.summary.json` writes one from
a results folder. `verify` copies to `<out>/summaries/` those that lie beside the studies it finds or in the folder
`reference` beside `studies`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import final

from unifiedscore.atomic import make_folder, write_atomic
from unifiedscore.errors import FileError, InputError, StudyError
from unifiedscore.inference import Verdict
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.schema import check_verdicts
from unifiedscore.reading import files_in, read_file, read_json
from unifiedscore.study.discover import Found

REFERENCE = "reference"  # folder beside `studies`, for what is kept of larger runs
FOLDER, ENDING = "summaries", ".summary.json"
SCHEMA_VERSION = 1
SUMMARY_BYTES, MOST = 2**20, 50  # of a summary, and summaries in a report
PARTS = ("claim", "regime", "study", "statement", "evidence", "outcome", "expected", "control_outcome", "finding",
         "estimate", "interval", "region", "of", "control_kind", "sharpness", "search")  # fmt: skip
"""What is kept of a verdict: enough to judge it by, not what led to it."""
_TEXTS = ("title", "command", "profile", "package_version", "commit", "date")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The verdicts of some studies of a long run, with the commit and the date of their measurement."""

    title: str
    command: str
    profile: str
    root_seed: int
    package_version: str
    commit: str
    date: str
    verdicts: tuple[Verdict, ...]

    @property
    def kept_expectations(self) -> int:
        """How many verdicts came out as expected."""
        return sum(verdict.as_expected for verdict in self.verdicts)

    def text(self) -> str:
        """JSON with one verdict per line, so that two summaries can be compared line by line."""
        entries = (verdict.to_json() for verdict in self.verdicts)
        lines = [
            json.dumps({part: entry[part] for part in PARTS if _kept(part, entry)}, ensure_ascii=False)
            for entry in entries
        ]
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        head = json.dumps({"schema_version": SCHEMA_VERSION, **values, "verdicts": []}, ensure_ascii=False, indent=1)
        return head.replace('"verdicts": []', '"verdicts": [\n' + ",\n".join(lines) + "\n]") + "\n"

    @classmethod
    def read(cls, path: Path, *, below: Path | None = None) -> Summary:
        """A stored summary, refused by name where it is damaged or something else, or a link below the folder
        `below`."""
        data = read_json(path, below=below, limit=SUMMARY_BYTES)
        problem = f"{path} is not a stored summary"
        if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION:
            raise FileError(f"{problem} of schema version {SCHEMA_VERSION}; write it again")
        for name in _TEXTS:
            if not isinstance(data.get(name), str):
                raise FileError(f"{problem}: it lacks the text {name}")
        if not isinstance(data.get("root_seed"), int):
            raise FileError(f"{problem}: it lacks the number root_seed")
        check_verdicts(data.get("verdicts"), problem, PARTS)
        try:
            verdicts = tuple(Verdict.from_json({"source": "", "reason": ""} | entry) for entry in data["verdicts"])
        except InputError as error:
            raise FileError(f"{problem}: {error}") from None
        return cls(root_seed=data["root_seed"], verdicts=verdicts, **{name: data[name] for name in _TEXTS})


def _kept(part: str, entry: dict) -> bool:
    """Whether a part of a verdict is written; a search is a part of universal claims alone."""
    return part in entry and (part != "search" or entry[part] is not None)


def summarise(results: str | Path, studies: Iterable[str], *, title: str) -> Summary:
    """The verdicts of some studies of a results folder.

    Parameters
    ----------
    results : str or Path
        A results folder with a ledger and the data sets of the studies.
    studies : iterable of str
    title : str
        Heading of the section of the report.

    Raises
    ------
    FileError
        There is no ledger or no data set.
    StudyError
        A study has no verdict, or cells that failed.
    """
    from unifiedscore.study.stored import read_measured

    results, studies = Path(results), list(studies)
    ledger = Ledger.read(results)
    attributes = [read_measured(results / f"{name}.nc").attrs for name in studies]
    verdicts = tuple(verdict for verdict in ledger.verdicts if verdict.study in studies)
    for name in studies:
        if name in ledger.stale or any(cell.study == name for cell in ledger.failed_cells):
            raise StudyError(f"{name} has cells that failed or data of another version; run it again")
        if not any(verdict.study == name for verdict in verdicts):
            raise StudyError(f"the ledger of {results} holds no verdict of {name}; judge it first")
    commits = {f"{a['git_commit']}{' with changes' if a['git_dirty'] == 'true' else ''}" for a in attributes}
    return Summary(
        title=title,
        command=_command([a["source"].split(", ")[-1] for a in attributes], ledger),
        **ledger.run,
        commit=", ".join(sorted(commits)),
        date=max(a["history"].split("T")[0] for a in attributes),
        verdicts=verdicts,
    )


def _command(files: list[str], ledger: Ledger) -> str:
    """What measures the same again, from the folder above the studies."""
    paths = " ".join(file for file in files if file.endswith(".py"))
    seed = f" --seed {ledger.root_seed}" if ledger.root_seed else ""
    return f"unifiedscore verify {paths} --profile {ledger.profile}{seed}".replace("  ", " ")


def read_summaries(results: Path) -> list[Summary]:
    """What the report of a results folder shows."""
    paths = files_in(results / FOLDER, f"*{ENDING}", below=results)
    if len(paths) > MOST:
        raise FileError(f"{results / FOLDER} holds {len(paths)} summaries; a report shows up to {MOST}")
    return [Summary.read(path, below=results) for path in paths]


def copy_summaries(found: Found, out: Path) -> None:
    """Copy the summaries beside the studies and in the project's folder `reference` to the results.

    Damaged ones are refused.
    """
    parents = [item.path.parents for item in found.studies]
    beside = (folders[0] for folders in parents)
    reference = (folder.parent / REFERENCE for folders in parents for folder in folders if folder.name == "studies")
    folders = dict.fromkeys((*beside, *reference))
    for path in [path for folder in folders for path in files_in(folder, f"*{ENDING}", below=folder)]:
        Summary.read(path, below=path.parent)
        make_folder(out / FOLDER, below=out)
        write_atomic(out / FOLDER / path.name, read_file(path, below=path.parent, limit=SUMMARY_BYTES))
