"""Spot checks of stored searches: a share of the evaluations is made again and compared bit for bit."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unifiedscore.study.attack.evaluate import Ask, evaluate
from unifiedscore.study.attack.store import ENDING, VARIANTS, read_searches
from unifiedscore.study.attack.universal import Universal
from unifiedscore.study.failure import STOPPED, describe
from unifiedscore.study.grid import Cell
from unifiedscore.study.study import Study

if TYPE_CHECKING:
    import xarray as xr

Repeated = tuple[Cell, dict[str, float], dict[str, float] | str]
"""An evaluation, what is stored of it, and what it gives now: values, or why it failed."""


def search_file(study: Study, out: Path) -> Path | None:
    """Where the searches of a study are stored; None where they are not."""
    path = out / f"{study.name}{ENDING}"
    return path if study.universals and os.path.lexists(path) else None


def repeat_evaluations(
    study: Study, path: Path, hashes: dict[str, str], *, share: float, rng: np.random.Generator
) -> Iterator[tuple[int, list[Repeated]]]:
    """For each search of the present code: how many evaluations are stored, and some of them made again.

    Every point is stored as it was searched, so that it decodes to the same instance to the last bit. A value that was
    never defined (NaN) is one that must stay undefined.
    """
    universals = {universal.name: universal for universal in study.universals}
    for name, dataset in read_searches(path).items():
        if name not in universals or json.loads(dataset.attrs["config"]).get("hashes") != hashes:
            continue  # of another version
        stored = dataset.sizes["evaluation"]
        chosen = rng.choice(stored, math.ceil(share * stored), replace=False) if stored else ()
        repeated = (_repeat(study, universals[name], dataset, int(position)) for position in sorted(chosen))
        yield stored, [entry for entry in repeated if entry is not None]


def _repeat(study: Study, universal: Universal, dataset: xr.Dataset, position: int) -> Repeated | None:
    at = dataset.isel(evaluation=position)
    instance = universal.space.decode(at["u"].values)
    if instance is None:  # an impossible point: nothing was evaluated
        return None
    cell = Ask(universal, VARIANTS[int(at["variant"])], "first", instance).cell
    was = {part: float(at[part]) for part in ("value", "error")}
    try:
        return cell, was, {part: evaluate(study.universals, cell)[part] for part in was}
    except STOPPED as error:
        return cell, was, describe(error)
