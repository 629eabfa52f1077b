"""Stored summaries: the verdicts of a long run, kept in a small file beside the studies and shown in every report.

`unifiedscore export RESULTS --format summary --study NAME --title T --out studies/FILE.summary.json` writes one from a
results folder; `verify` copies those beside the studies it finds to `<out>/summaries/`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unifiedscore.atomic import make_folder, write_atomic
from unifiedscore.errors import FileError, StudyError
from unifiedscore.ledger.ledger import as_expected, read_ledger
from unifiedscore.ledger.schema import check_entries
from unifiedscore.reading import files_in, read_file, read_json
from unifiedscore.study.discover import Found

FOLDER, ENDING = "summaries", ".summary.json"
SUMMARY_BYTES, MOST = 2**20, 50  # of a summary, and summaries in a report
PARTS = ("claim", "regime", "study", "statement", "outcome", "expected", "control_outcome", "finding", "estimate",
         "interval", "region")  # fmt: skip
_TEXTS = ("title", "command", "profile", "package_version", "commit", "date")


def summarise(results: str | Path, studies: Iterable[str], *, title: str) -> dict[str, Any]:
    """The verdicts of some studies of a results folder, with the commit and the date of their measurement.

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
    ledger = read_ledger(results)
    attributes = [read_measured(results / f"{name}.nc").attrs for name in studies]
    verdicts = [verdict for verdict in ledger["verdicts"] if verdict["study"] in studies]
    for name in studies:
        if name in ledger["stale"] or any(cell["study"] == name for cell in ledger["failed_cells"]):
            raise StudyError(f"{name} has cells that failed or data of another version; run it again")
        if not any(verdict["study"] == name for verdict in verdicts):
            raise StudyError(f"the ledger of {results} holds no verdict of {name}; judge it first")
    commits = {f"{a['git_commit']}{' with changes' if a['git_dirty'] == 'true' else ''}" for a in attributes}
    return {
        "schema_version": 1,
        "title": title,
        "command": _command([a["source"].split(", ")[-1] for a in attributes], ledger),
        "profile": ledger["profile"],
        "root_seed": ledger["root_seed"],
        "package_version": ledger["package_version"],
        "commit": ", ".join(sorted(commits)),
        "date": max(a["history"].split("T")[0] for a in attributes),
        "verdicts": [{part: verdict[part] for part in PARTS} for verdict in verdicts],
    }


def _command(files: list[str], ledger: Mapping[str, Any]) -> str:
    """What measures the same again, from the folder above the studies."""
    paths = " ".join(f"studies/{file}" for file in files if file.endswith(".py"))
    seed = f" --seed {ledger['root_seed']}" if ledger["root_seed"] else ""
    return f"unifiedscore verify {paths} --profile {ledger['profile']}{seed}".replace("  ", " ")


def read_summary(path: Path, *, below: Path | None = None) -> dict[str, Any]:
    """A stored summary, refused by name where it is damaged or something else, or a link below the folder `below`."""
    summary = read_json(path, below=below, limit=SUMMARY_BYTES)
    if not isinstance(summary, dict) or summary.get("schema_version") != 1:
        raise FileError(f"{path} is no stored summary of schema version 1; write it again")
    for name in _TEXTS:
        if not isinstance(summary.get(name), str):
            raise FileError(f"{path} is no stored summary: it lacks the text {name}")
    check_entries(summary.get("verdicts"), PARTS, path)
    return summary


def read_summaries(results: Path) -> list[dict[str, Any]]:
    """What the report of a results folder shows: each summary with its counts."""
    paths = files_in(results / FOLDER, f"*{ENDING}", below=results)
    if len(paths) > MOST:
        raise FileError(f"{results / FOLDER} holds {len(paths)} summaries; a report shows up to {MOST}")
    found = [read_summary(path, below=results) for path in paths]
    return [summary | {"counts": counts(summary["verdicts"])} for summary in found]


def counts(verdicts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many verdicts came out as expected, and how often each outcome occurs."""
    verdicts = list(verdicts)
    outcomes = Counter(verdict["outcome"] for verdict in verdicts)
    return {"all": len(verdicts), "as expected": sum(map(as_expected, verdicts)), **outcomes}


def copy_summaries(found: Found, out: Path) -> None:
    """Copy the summaries that lie beside the studies to the results; damaged ones are refused."""
    folders = dict.fromkeys(item.path.parent for item in found.studies)
    for path in [path for folder in folders for path in files_in(folder, f"*{ENDING}", below=folder)]:
        read_summary(path, below=path.parent)
        make_folder(out / FOLDER, below=out)
        write_atomic(out / FOLDER / path.name, read_file(path, below=path.parent, limit=SUMMARY_BYTES))


def summary_text(summary: Mapping[str, Any]) -> str:
    """JSON with one verdict a line, so that two summaries can be compared line by line."""
    lines = [json.dumps(verdict, ensure_ascii=False) for verdict in summary["verdicts"]]
    head = json.dumps({**summary, "verdicts": []}, ensure_ascii=False, indent=1)
    return head.replace('"verdicts": []', '"verdicts": [\n' + ",\n".join(lines) + "\n]") + "\n"
