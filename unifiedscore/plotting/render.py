"""Draw a figure file from stored data sets: PNG, PDF and the plotted numbers, side by side."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unifiedscore.atomic import locked, make_folder, write_atomic
from unifiedscore.errors import StudyError
from unifiedscore.plotting.export import numbers_csv
from unifiedscore.study.claim import PROFILES
from unifiedscore.study.dataset import read_dataset
from unifiedscore.study.discover import FoundFigure, figure_in
from unifiedscore.study.failure import STOPPED, describe

DPI = 150


def render(path: Path, results: Path) -> dict[str, Any] | None:
    """Draw one figure file from the data sets in `results` into `<results>/figures/<name>.{png,pdf,csv}`.

    Returns
    -------
    dict or None
        The figure's entry for `<results>/figures/index.json`: name, title, studies, claims, png, pdf, csv (file names
        within that folder). None where the data come from a smaller profile than the figure's.

    Raises
    ------
    StudyError
        The figure function raised or returned no Figure.
    FileError
        A data set is missing.
    """
    import matplotlib

    # Figures are saved, never shown: no display is needed and none is touched.
    with matplotlib.rc_context({"backend": "agg", "svg.hashsalt": "unifiedscore"}):
        import matplotlib.pyplot as plt
        from matplotlib.figure import Figure

        plt.switch_backend("agg")
        found = figure_in(path)
        datasets = {name: read_dataset(results / f"{name}.nc") for name in found.studies}
        if any(_smaller(dataset.attrs.get("profile"), found.profile) for dataset in datasets.values()):
            return None
        try:
            figure = found.figure(datasets if len(datasets) > 1 else next(iter(datasets.values())))
        except STOPPED as error:
            raise StudyError(f"figure {found.name}: {describe(error, path)}") from error
        if not isinstance(figure, Figure):
            raise StudyError(f"figure {found.name}: figure(dataset) must return a matplotlib Figure; got {figure!r}")
        try:
            return _save(found, figure, results / "figures")
        finally:
            plt.close(figure)


def _smaller(profile, needed: str) -> bool:
    """Whether the profile of a run is smaller than the one needed; data that do not say are drawn."""
    return profile in PROFILES and PROFILES.index(profile) < PROFILES.index(needed)


def _save(found: FoundFigure, figure, folder: Path) -> dict[str, Any]:
    make_folder(folder)
    entry = {"name": found.name, "title": found.title, "studies": list(found.studies), "claims": list(found.claims)}
    # Without dates in the files, the same numbers give the same bytes.
    for suffix, metadata in (("png", {"Software": None}), ("pdf", {"CreationDate": None, "ModDate": None})):
        content = io.BytesIO()
        figure.savefig(content, format=suffix, dpi=DPI, metadata=metadata, bbox_inches="tight")
        entry[suffix] = f"{found.name}.{suffix}"
        write_atomic(folder / entry[suffix], content.getvalue())
    entry["csv"] = f"{found.name}.csv"
    write_atomic(folder / entry["csv"], numbers_csv(figure).encode())
    return entry


def write_index(entries: Iterable[Mapping[str, Any]], results: Path, *, keep: bool = False) -> Path:
    """Write `<results>/figures/index.json`, from which the report takes its figures; with `keep`, add to it."""
    path = results / "figures" / "index.json"
    make_folder(path.parent)
    entries = list(entries)
    with locked(results):
        if keep and path.is_file():
            drawn = {entry["name"] for entry in entries}
            try:
                entries = [e for e in json.loads(path.read_bytes()) if e["name"] not in drawn] + entries
            except (ValueError, KeyError, TypeError, RecursionError):
                pass  # a damaged index is replaced
        write_atomic(path, (json.dumps(entries, indent=1, ensure_ascii=False) + "\n").encode())
    return path
