"""How a quick run and the stored run of the standard profile relate."""

from __future__ import annotations

from pathlib import Path

from unifiedscore.errors import FileError
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.summary import REFERENCE
from unifiedscore.ledger.words import count
from unifiedscore.output import note, short_path
from unifiedscore.profiles import PROFILES
from unifiedscore.study.discover import Found

FILE = "ledger-standard.json"


def stored_standard(found: Found) -> Path | None:
    """The ledger of a standard run that a project keeps in the folder `reference` beside `studies`."""
    folders = (folder for item in found.studies for folder in item.path.parents if folder.name == "studies")
    paths = (folder.parent / REFERENCE / FILE for folder in dict.fromkeys(folders))
    return next((path for path in paths if path.is_file()), None)


def relation(ledger: Ledger, found: Found) -> str:
    """One sentence on what the stored standard run judges beyond `ledger`, and where both differ.

    It is empty where none is stored, or where `ledger` is itself of that profile or a larger one.

    Parameters
    ----------
    ledger : Ledger
        Of a run of the studies found.
    found : Found
        Claims of other studies are left out of the count.
    """
    path = stored_standard(found)
    if path is None:
        return ""
    try:
        standard = Ledger.read(path)
    except FileError as error:
        note(f"{error}; the stored standard run is left out")
        return ""
    if ledger.profile not in PROFILES[: PROFILES.index("standard")]:
        return ""
    studies = {item.study.name for item in found.studies}
    there = {verdict.key: verdict for verdict in standard.verdicts if verdict.study in studies}
    here = {verdict.key: verdict for verdict in ledger.verdicts}
    only, both = there.keys() - here.keys(), there.keys() & here.keys()
    if not only and not both:
        return ""  # claims that are newer than the stored run
    other = sum(there[key].outcome != here[key].outcome for key in both)
    expected = sum(there[key].as_expected for key in only)
    judged = f"judges {count(len(only), 'claim')} that this run leaves out, {expected} of them as expected"
    alike = f"{count(len(both), 'claim')} judged in both came out {'alike' if not other else f'alike but for {other}'}"
    return f"The stored standard run ({short_path(path)}{_origin(standard)}) {judged}; {alike}."


def _origin(standard: Ledger) -> str:
    """Commit and date of a run, as far as its ledger says; the last date where it took several days."""
    commits = sorted({str(run["commit"])[:12] for run in standard.runs.values() if run.get("commit")})
    dates = sorted({str(run["date"]) for run in standard.runs.values() if run.get("date")})
    at = f", commit {commits[0]}{' and others' if len(commits) > 1 else ''}" if commits else ""
    return at + (f", {dates[-1]}" if dates else "")
