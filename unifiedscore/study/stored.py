"""The data set of a study as a run stores it: what a file must hold before anybody judges, draws or quotes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unifiedscore.errors import FileError
from unifiedscore.reading import parse_json
from unifiedscore.study.claim import PROFILES
from unifiedscore.study.dataset import read_dataset
from unifiedscore.study.grid import OWN

if TYPE_CHECKING:
    import xarray as xr

CELLS = 10**6  # each of them is measured, recorded and judged one by one
TEXTS = ("study", "source", "version", "history", "profile", "config", "failed_cells", "git_commit", "git_dirty")


def read_measured(path: Path) -> xr.Dataset:
    """Read the data set that a run stored of the study `path` is named after.

    Raises
    ------
    FileError
        There is no such file, or something about it is not as a run stores it: it is damaged, forged, or of another
        kind. The message names the file.
    """
    dataset = read_dataset(path)
    if problem := _problem(dataset, path.stem):
        raise FileError(f"{path} is not a data set that a run has stored: {problem}; run the study again")
    return dataset


def _problem(dataset: xr.Dataset, name: str) -> str:
    """What is wrong, in words; empty if nothing is."""
    attributes = dataset.attrs
    if missing := [text for text in TEXTS if not isinstance(attributes.get(text), str)]:
        return f"it lacks the text {', '.join(missing)}"
    if attributes["study"] != name:
        return f"it belongs to the study {attributes['study']!r}"
    if attributes["profile"] not in PROFILES:
        return f"its profile {attributes['profile']!r} is none of {', '.join(PROFILES)}"
    seed = attributes.get("root_seed")
    if isinstance(seed, bool | np.bool_) or not isinstance(seed, int | np.integer) or seed < 0:
        return "its root_seed is not a whole number"
    if "status" not in dataset.data_vars:
        return "it has no status of its cells"
    if max(dataset["status"].size, *dataset.sizes.values(), 0) > CELLS:
        return f"it has more than {CELLS} cells or labels"
    for variable in dataset.data_vars.values():
        # Why a cell is skipped is told in words; everything else is numbers.
        if variable.dtype.kind not in ("UOST" if variable.name == OWN[1] else "fiub"):
            return f"its variable {variable.name} holds no real numbers"
        if bare := [dim for dim in variable.dims if dim not in dataset.coords]:
            return f"its axis {bare[0]} has no labels"
    return _problem_in_json(attributes)


def _problem_in_json(attributes: Mapping[str, Any]) -> str:
    try:
        config = parse_json(attributes["config"].encode())
        failed = parse_json(attributes["failed_cells"].encode())
    except ValueError as error:
        return f"its config or its list of failed cells is not JSON ({error})"
    hashes = config.get("hashes") if isinstance(config, dict) else None
    if not isinstance(hashes, dict) or not all(isinstance(value, str) for value in hashes.values()):
        return "its config names no hashes of the code"
    for entry in failed if isinstance(failed, list) else [None]:
        sound = isinstance(entry, dict) and isinstance(entry.get("cell"), dict)
        if not sound or not isinstance(entry.get("message"), str):
            return "its list of failed cells is damaged"
    return ""
