"""Making a map: points are measured as cells are, judged as claims are, and stored as one data set."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from unifiedscore.errors import FileError
from unifiedscore.inference.verdict import OUTCOMES, Verdict
from unifiedscore.reading import files_in, parse_json
from unifiedscore.study.claim import Claim
from unifiedscore.study.dataset import provenance, read_dataset, tabulate, write_dataset
from unifiedscore.study.grid import Cell, Grid
from unifiedscore.study.job import Job
from unifiedscore.study.judge import verdict_at
from unifiedscore.study.loading import BOUND
from unifiedscore.study.maps.map import Map, mapped_claim
from unifiedscore.study.maps.refining import Point, Refinement, crossings, lattice_labels
from unifiedscore.study.progress import Progress
from unifiedscore.study.records import Record, RecordStore
from unifiedscore.study.runner import bound_study, source_file
from unifiedscore.study.scheduler import measure
from unifiedscore.study.selection import chosen_labels
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.study import Study
from unifiedscore.study.worker import measure_cells

if TYPE_CHECKING:
    import xarray as xr

MAPS = ".map."  # between the names of a study and of a claim
BOUNDARY = 9


def map_path(out: Path, study: Study, mapped: Map) -> Path:
    """The file of a map."""
    return out / f"{study.name}{MAPS}{named_apart(mapped.claim, mapped.x, mapped.y)}.nc"


def named_apart(claim: str, x: str, y: str) -> str:
    """What tells the maps of a study apart, as a part of a file name; `claim` is a name, with the regime."""
    return f"{claim.translate(str.maketrans({' ': '_', '/': '_', '(': None, ')': None}))}.{x}.{y}"


def make_map(study: Study, mapped: Map, settings: RunSettings) -> xr.Dataset:
    """Measure and judge a map, refine it where outcomes change, and store it.

    Every point is judged at the level of a single claim: over a map the levels are not corrected. Records of points are
    kept like those of cells, so that a map that was interrupted goes on.
    """
    path = source_file(study)
    study = study if path is None else bound_study(study, path)
    grid = study.profile_grid(settings.profile)
    claim = mapped_claim(study, mapped, grid.axes)
    columns, rows = (lattice_labels(grid.axes[axis], mapped.levels) for axis in (mapped.x, mapped.y))
    board = _Board(study, path, settings, claim, mapped, grid, columns, rows)
    shape = [len(grid.axes[axis]) for axis in (mapped.x, mapped.y)]
    refinement = Refinement(*shape, mapped.levels)
    refinement.refine(board.ask)
    dataset = _dataset(board, refinement)
    write_dataset(dataset, map_path(settings.out, study, mapped))
    return dataset


def read_map(path: str | Path) -> xr.Dataset:
    """The map that a file holds."""
    dataset = read_dataset(Path(path))
    if dataset.attrs.get("kind") != "map" or not _is_whole(dataset.attrs):
        raise FileError(f"{path} is not a map as unifiedscore map stores it; make it again, or delete the file")
    return dataset


def _is_whole(attributes: Mapping[str, Any]) -> bool:
    """Whether the attributes are those of a map, with areas and a boundary."""
    try:
        texts = [attributes[name] for name in ("study", "claim", "x", "y", "regime")]
        shares, boundary = (parse_json(attributes[name].encode()) for name in ("shares", "boundary"))
        pairs = [(float(x), None if y is None else float(y)) for x, y in boundary]
        return all(isinstance(text, str) for text in texts) and bool(pairs) and sum(map(float, shares.values())) <= 1.01
    except (KeyError, AttributeError, TypeError, ValueError):
        return False


@final
@dataclass(slots=True)
class _Board:
    """A map being made: what is known of its points."""

    study: Study
    path: Path | None
    settings: RunSettings
    claim: Claim
    mapped: Map
    grid: Grid
    columns: list
    rows: list
    verdicts: dict[Point, Verdict] = field(default_factory=dict)
    records: dict[Cell, Record] = field(default_factory=dict)

    def ask(self, points: Iterable[Point]) -> dict[Point, str]:
        """The outcome at each of these points."""
        points = list(points)
        grids = {point: self._grid(point) for point in points}
        cells = [cell for grid in grids.values() for cell in grid.cells() if not grid.skipped(cell)]
        self._measure([cell for cell in dict.fromkeys(cells) if cell not in self.records])
        for point, grid in grids.items():
            self.verdicts[point] = self._judge(point, grid)
        return {point: self.verdicts[point].outcome for point in points}

    def labels(self, point: Point) -> dict[str, float]:
        """The labels of the two axes at a point."""
        return {self.mapped.x: self.columns[point[0]], self.mapped.y: self.rows[point[1]]}

    def _grid(self, point: Point) -> Grid:
        """The cells that the claim reads at a point."""
        at = self.labels(point)
        axes = {axis: labels for axis, labels in self.grid.axes.items() if axis not in at}
        chosen = chosen_labels(axes, {axis: wanted for axis, wanted in self.claim.where.items() if axis in axes})
        for axis, label in self.claim.minus.items():
            chosen[axis] = list(dict.fromkeys([*chosen[axis], label])) if axis in chosen else [label]
        ordered = {axis: [at[axis]] if axis in at else chosen[axis] for axis in self.grid.axes}
        return Grid(skip=self.grid.skip, paired=self.grid.paired, **ordered)

    def _judge(self, point: Point, grid: Grid) -> Verdict:
        records = {cell: self.records[cell] for cell in grid.cells() if cell in self.records}
        dataset = tabulate(self.study, grid, records)
        dataset.attrs["profile"] = self.settings.profile
        return verdict_at(self.study, dataset, replace(self.claim, where={**self.claim.where, **self.labels(point)}))

    def _measure(self, cells: list[Cell]) -> None:
        if self.path is None:
            self.records |= measure_cells(self.study, cells, seed=self.settings.seed)
            return
        identity = BOUND[self.study].identity(self.study)
        store = RecordStore.of(self.settings.out, self.study.name, identity.hashes)
        store.open()
        store.keep_identity(identity.to_json())
        job = Job(self.study, self.grid, self.path, identity, self.settings, store, cells)
        keys = {job.key(cell): cell for cell in cells}
        found, _ = store.read_many(keys)
        again = self.settings.retry_failed
        known = {keys[key]: record for key, record in found.items() if record.status == "ok" or not again}
        job.records.update(known)
        measured = closing(measure([job], self.settings.executor, threads=self.settings.threads))
        with Progress("mapping", "cells", total=len(cells), done=len(known)) as progress, measured as finished:
            for part, cell, record in finished:
                part.store.write(part.key(cell), record, cell)
                part.records[cell] = record
                progress.advance(self.study.name, failed=record.status == "failed")
        self.records |= job.records


def _dataset(board: _Board, refinement: Refinement) -> xr.Dataset:
    import xarray as xr

    mapped, claim = board.mapped, board.claim
    points = sorted(board.verdicts)
    verdicts = [board.verdicts[point] for point in points]
    outcome = {point: verdict.outcome for point, verdict in board.verdicts.items()}
    estimate = np.array([verdict.estimate for verdict in verdicts])
    error = np.array([_half(verdict) for verdict in verdicts])
    margin = _margin(estimate, claim)
    filled = refinement.filled(dict(zip(points, margin, strict=True)))
    flags = np.array([OUTCOMES.index(verdict.outcome) for verdict in verdicts], dtype=np.int8)
    meanings = {"long_name": "Outcome", "flag_values": np.arange(len(OUTCOMES), dtype=np.int8)}
    variable = board.study.variables.get(claim.variable)
    name = variable.long_name if variable is not None else claim.variable
    coordinates = {
        axis: (
            "point",
            np.array([board.labels(point)[axis] for point in points]),
            {"long_name": axis.replace("_", " ")},
        )
        for axis in (mapped.x, mapped.y)
    }
    data = {
        "column": ("point", np.array([point[0] for point in points])),
        "row": ("point", np.array([point[1] for point in points])),
        "level": ("point", np.array([refinement.level(point) for point in points]), {"long_name": "Refinement"}),
        "outcome": ("point", flags, meanings | {"flag_meanings": " ".join(OUTCOMES)}),
        "estimate": ("point", estimate, {"long_name": name}),
        "error": ("point", error, {"long_name": "Half of the interval"}),
        "margin": ("point", margin, {"long_name": "Signed distance inside the region"}),
        "side": ("leaf", np.array([leaf.side for leaf in refinement.leaves])),
        "leaf_column": ("leaf", np.array([leaf.column for leaf in refinement.leaves])),
        "leaf_row": ("leaf", np.array([leaf.row for leaf in refinement.leaves])),
        "x_label": ("x", np.array(board.columns, dtype=float)),
        "y_label": ("y", np.array(board.rows, dtype=float)),
    }
    dataset = xr.Dataset(data, coords=coordinates)
    settings, identity = board.settings, BOUND[board.study].identity(board.study) if board.path is not None else None
    dataset.attrs = provenance(
        board.study, board.grid, profile=settings.profile, seed=settings.seed, path=board.path, identity=identity
    )
    shares = {name: round(share, 6) for name, share in sorted(refinement.shares(outcome).items())}
    dataset.attrs |= {
        "kind": "map",
        "claim": claim.id,
        "regime": claim.regime,
        "x": mapped.x,
        "y": mapped.y,
        "levels": mapped.levels,
        "region": json.dumps([None if math.isinf(end) else end for end in (claim.test.low, claim.test.high)]),
        "statement": claim.statement,
        "shares": json.dumps(shares),
        "boundary": json.dumps(_boundary(board, filled)),
        "lattice": json.dumps(list(refinement.shape)),
        "failed": sum(record.status == "failed" for record in board.records.values()),
    }
    return dataset


def _half(verdict: Verdict) -> float:
    ends = verdict.interval
    return (ends["high"] - ends["low"]) / 2


def _margin(estimate: np.ndarray, claim: Claim) -> np.ndarray:
    """Signed distance inside the region, in units of its width, or of its one end's size."""
    low, high = claim.test.low, claim.test.high
    end = low if math.isfinite(low) else high
    unit = high - low if math.isfinite(high - low) else abs(end) or 1.0
    return np.minimum(estimate - low, high - estimate) / unit


def _boundary(board: _Board, margin: np.ndarray) -> list[list[float | None]]:
    """Nine points of the boundary, spread evenly over the horizontal axis: its labels, and where the margin is zero."""
    columns = np.unique(np.linspace(0, margin.shape[0] - 1, BOUNDARY).round().astype(int))
    rows = np.asarray(board.rows, dtype=float)
    found: list[list[float | None]] = []
    for column, row in zip(columns, crossings(margin, columns), strict=True):
        at = None if math.isnan(row) else float(np.interp(row, np.arange(len(rows)), rows))
        found.append([float(board.columns[column]), at])
    return found


def stored_maps(out: Path) -> dict[str, dict[str, Any]]:
    """What the maps in a results folder say in a line each: areas, and nine points of each boundary."""
    found = {}
    for path in files_in(out, f"*{MAPS}*.nc", below=out):
        dataset = read_map(path)
        entry = {name: dataset.attrs[name] for name in ("study", "claim", "regime", "x", "y")}
        entry |= {name: json.loads(dataset.attrs[name]) for name in ("shares", "boundary")}
        found[path.stem] = entry
    return found


def shares_of(dataset: xr.Dataset) -> Mapping[str, float]:
    """The part of the area of a map that has each outcome."""
    return json.loads(dataset.attrs["shares"])
