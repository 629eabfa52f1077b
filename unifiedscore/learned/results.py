"""What the commands that train have in common: data at the door, and what is left in the folder in the end."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from unifiedscore.atomic import write_atomic
from unifiedscore.diagnosis.sources import read_points
from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.metrics import nearest_training_distance
from unifiedscore.output import note

_LARGEST_SET = 2000


def training_points(data: str, *, rng: np.random.Generator, out: Path) -> np.ndarray:
    """Points (m, d) float64 of a file or named set; refused before anything is trained or written.

    Raises
    ------
    MissingDependencyError, FileError, InputError
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder; {out} is a file")
    points, notes = read_points(data, rng=rng, size=_LARGEST_SET)
    require_torch("training")
    for text in notes:
        note(text)
    points = points.astype(np.float64)
    if (points == points[0]).all():
        raise InputError(f"{data} must hold two distinct points; all {len(points)} are the same")
    return points


def write_results(out: Path, canvas, **arrays: np.ndarray) -> None:
    """Write `samples.png` and one .npy file for each array."""
    figure = io.BytesIO()
    canvas.savefig(figure, format="png", dpi=150)
    write_atomic(out / "samples.png", figure.getvalue())
    for name, array in arrays.items():
        content = io.BytesIO()
        np.save(content, array)
        write_atomic(out / f"{name}.npy", content.getvalue())


def nearness(points: np.ndarray, drawn: np.ndarray, rng: np.random.Generator) -> str:
    """How near the samples are to the data, beside how near the data are to each other."""
    half, points = len(points) // 2, rng.permutation(points)
    gap = np.median(nearest_training_distance(drawn, points))
    own = np.median(nearest_training_distance(points[:half], points[half:])) if half else np.nan
    return (
        f"median distance of a sample to its nearest training point {gap:.3g} (between two halves of the data: "
        f"{own:.3g})"
    )
