"""Draw a figure file from stored data sets: PNG, PDF and the plotted numbers, side by side."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from unifiedscore.atomic import locked, make_folder, write_atomic
from unifiedscore.errors import FileError, StudyError, UnknownNameError
from unifiedscore.inference.verdict import claim_name
from unifiedscore.output import encoded
from unifiedscore.plotting.export import numbers_csv
from unifiedscore.profiles import PROFILES, covers
from unifiedscore.reading import read_json
from unifiedscore.study.attack.store import SEARCHES, read_tree
from unifiedscore.study.discover import FoundFigure, figure_in
from unifiedscore.study.failure import STOPPED, describe
from unifiedscore.study.stamp import stamp
from unifiedscore.study.stored import read_measured
from unifiedscore.validate import shown

DPI = 150


def render(path: Path, results: Path) -> dict[str, Any] | None:
    """Draw one figure file from the data sets in `results` into `<results>/figures/<name>.{png,pdf,csv}`.

    Returns
    -------
    dict or None
        The figure's entry for `<results>/figures/index.json`: name, title, studies, claims, png, pdf, csv (file names
        within that folder), and the runs that it shows. None where the data come from a smaller profile than the
        figure's.

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
        datasets = {name: _measured(name, found, results) for name in found.studies}
        if any(_smaller(dataset.attrs.get("profile"), found.profile) for dataset in datasets.values()):
            return None
        try:
            figure = found.figure(datasets if len(datasets) > 1 else next(iter(datasets.values())))
        except STOPPED as error:
            raise StudyError(describe(error, path)) from error
        if not isinstance(figure, Figure):
            raise StudyError(
                f"figure(dataset) in {path} must return a matplotlib Figure, such as ax.figure; got {shown(figure)}"
            )
        try:
            entry = {"name": found.name, "title": found.title}
            entry |= {"studies": list(found.studies), "claims": list(found.claims)}
            entry = _save(entry, figure, results / "figures")
            return entry | {"runs": {name: stamp(dataset) for name, dataset in datasets.items()}}
        finally:
            plt.close(figure)


def _measured(name: str, found: FoundFigure, results: Path):
    """The data set of one study of a figure; a name that is not stored may be misspelt."""
    path = results / f"{name}.nc"
    if name.endswith(SEARCHES) and os.path.lexists(path):
        return read_tree(path)
    if not os.path.lexists(path):
        stored = [file.stem for file in results.glob("*.nc")]
        raise FileError(
            f"{found.path} shows study = {name!r}, of which {results} holds no data set "
            f"({UnknownNameError('study', name, stored)}); correct the name, or measure it with unifiedscore run"
        )
    return read_measured(path)


def _smaller(profile, needed: str) -> bool:
    """Whether the profile of a run is smaller than the one needed; data that do not say are drawn."""
    return profile in PROFILES and not covers(profile, needed)


def draw_map(dataset, results: Path) -> str:
    """Draw a map into the figures of a results folder and its index; the name of the picture."""
    import matplotlib

    from unifiedscore.plotting.mapping import map_figure
    from unifiedscore.study.maps.making import named_apart

    attributes = dataset.attrs
    claim = claim_name(attributes["claim"], attributes["regime"])
    name = f"map_{attributes['study']}_{named_apart(claim, attributes['x'], attributes['y'])}"
    with matplotlib.rc_context({"backend": "agg", "svg.hashsalt": "unifiedscore"}):
        import matplotlib.pyplot as plt

        plt.switch_backend("agg")
        figure = map_figure(dataset)
        entry = {"name": name, "title": f"Map: {attributes['title']}", "studies": [attributes["study"]]}
        entry = _save(entry | {"claims": [attributes["claim"]]}, figure, results / "figures")
        plt.close(figure)
    write_index([entry | {"runs": {attributes["study"]: stamp(dataset)}}], results, keep=True)
    return entry["png"]


def _save(entry: dict[str, Any], figure, folder: Path) -> dict[str, Any]:
    """Write a figure and the numbers in it; its entry with the names of the files."""
    make_folder(folder, below=folder.parent)
    name, frame = entry["name"], _laid_out(figure)
    # Without dates in the files, the same numbers give the same bytes.
    for suffix, metadata in (("png", {"Software": None}), ("pdf", {"CreationDate": None, "ModDate": None})):
        content = io.BytesIO()
        figure.savefig(content, format=suffix, dpi=DPI, metadata=metadata, bbox_inches=frame)
        entry[suffix] = f"{name}.{suffix}"
        write_atomic(folder / entry[suffix], content.getvalue())
    entry["csv"] = f"{name}.csv"
    write_atomic(folder / entry["csv"], encoded(numbers_csv(figure)))
    return entry


def _laid_out(figure):
    """The figure's frame in inches, margins included, its axes laid out for good: not anew in every file format."""
    import matplotlib

    figure.set_dpi(DPI)
    figure.draw_without_rendering()
    # None is no engine at all, while "none" leaves one that has every format drawn twice.
    with matplotlib.rc_context({"figure.constrained_layout.use": False, "figure.autolayout": False}):
        figure.set_layout_engine(None)
    return figure.get_tightbbox().padded(matplotlib.rcParams["savefig.pad_inches"])


def write_index(entries: Iterable[Mapping[str, Any]], results: Path, *, keep: bool = False) -> Path:
    """Write `<results>/figures/index.json`, from which the report takes its figures; with `keep`, add to it."""
    path = results / "figures" / "index.json"
    make_folder(path.parent, below=results)
    entries = list(entries)
    with locked(results):
        if keep and os.path.lexists(path):
            drawn = {entry["name"] for entry in entries}
            # A damaged index is replaced.
            with suppress(FileError, KeyError, TypeError):
                entries = [e for e in read_json(path, below=results) if e["name"] not in drawn] + entries
        write_atomic(path, encoded(json.dumps(entries, indent=1, ensure_ascii=False) + "\n"))
    return path
