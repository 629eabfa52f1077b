"""Tables in .parquet, read by pyarrow, and folders of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unifiedscore.arrays import as_array
from unifiedscore.errors import FileError, MissingDependencyError

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def read_parquet(path: Path) -> tuple[np.ndarray, list[str]]:
    """All columns of a table, one point per row."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise MissingDependencyError(
            f"{path}: reading .parquet needs pyarrow, which is not installed; run: pip install 'unifiedscore[tables]'"
        ) from None
    return as_array(parquet.read_table(path), path.name), []


def read_images(folder: Path) -> tuple[np.ndarray, list[str]]:
    """Every image of a folder as a point with values from 0 to 1, in the order of their names."""
    from matplotlib.image import imread

    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES and path.is_file())
    if not files:
        raise FileError(f"{folder}: expected a folder of images ({', '.join(IMAGES)}); got none in it")
    rows: list[np.ndarray] = []
    for path in files:
        try:
            image = np.asarray(imread(path))
        except Exception as error:
            raise FileError(f"{path}: cannot be read as an image: {' '.join(str(error).split())}") from None
        image = image.astype(np.float32) / (np.iinfo(image.dtype).max if image.dtype.kind in "ui" else 1)
        if rows and image.shape != rows[0].shape:
            raise FileError(
                f"{path}: images of a folder must have the same size and channels; got {image.shape}, and "
                f"{rows[0].shape} in {files[0].name}"
            )
        rows.append(image)
    return np.stack(rows), [f"{len(files)} images of shape {rows[0].shape}, values from 0 to 1"]
