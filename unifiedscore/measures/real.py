"""Real data that scikit-learn carries: handwritten digits and patches of two photographs. Nothing is downloaded."""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError, MissingDependencyError
from unifiedscore.measures.samples import Samples

PHOTOGRAPHS = ("china", "flower")


def digits(*, label: int | None = None, scaled: bool = True) -> Samples:
    """Handwritten digits, 1797 images of 8 x 8 pixels: d = 64.

    `label` keeps one class (about 180 images). Pixels are divided by 16, into [0, 1], unless scaled=False keeps
    the counts 0 ... 16. Source: UCI Optical Recognition of Handwritten Digits, as bundled with scikit-learn.
    """
    data, labels = _digits()
    if label is not None:
        data = data[labels == validate.integer(label, "label", low=0, high=9)]
    return Samples(data / 16 if scaled else data.copy())


def digits_pair(*, labels: tuple[int, int] | None = None, scaled: bool = True) -> tuple[Samples, Samples]:
    """Two disjoint sets of digits: the classes `labels` = (target, model), or the first against the second half.

    The images are ordered by writer, so the halves are two groups of people: nearly, not exactly, one law.
    """
    if labels is not None:
        if np.shape(labels) != (2,):
            raise InputError(f"labels must be two digits (target, model); got {validate.shown(labels)}")
        return tuple(digits(label=validate.integer(v, "labels", low=0, high=9), scaled=scaled) for v in labels)
    points = digits(scaled=scaled).points
    half = len(points) // 2
    return Samples(points[:half]), Samples(points[half:])


def image_patches(
    *,
    patch: int = 8,
    colour: bool = False,
    photograph: str = "china",
    n: int = 2000,
    rng: np.random.Generator | None = None,
) -> Samples:
    """`patch` x `patch` windows of one bundled photograph (427 x 640 pixels), flattened: d = p^2, or 3 p^2 in colour.

    Intensities lie in [0, 1]; grey is the luma 0.299 R + 0.587 G + 0.114 B. Without `rng` the n positions are an
    even, deterministic lattice over the photograph; with `rng` they are drawn without replacement. Windows overlap:
    neighbouring patches are dependent.
    """
    patch = validate.integer(patch, "patch")
    n = validate.integer(n, "n")
    if photograph not in PHOTOGRAPHS:
        raise InputError(
            f"photograph must be one of {', '.join(map(repr, PHOTOGRAPHS))}; got {validate.shown(photograph)}"
        )
    image = _photograph(photograph, bool(colour))
    rows, columns = image.shape[0] - patch + 1, image.shape[1] - patch + 1
    if min(rows, columns) < 1:
        raise InputError(f"patch must be at most {min(image.shape[:2])} pixels; got {patch}")
    # The lattice below repeats no position as long as it uses at most a quarter of them (golden-ratio spacing).
    limit = rows * columns // (4 if rng is None else 1)
    if n > limit:
        raise InputError(f"n must be at most {limit} patches of side {patch} in one photograph; got {n}")
    if rng is None:
        i = np.arange(n)
        row = ((i + 0.5) * rows / n).astype(int)
        column = ((i * (np.sqrt(5) - 1) / 2 % 1) * columns).astype(int)
    else:
        row, column = np.divmod(validate.generator(rng).choice(rows * columns, size=n, replace=False), columns)
    windows = np.lib.stride_tricks.sliding_window_view(image, (patch, patch), axis=(0, 1))
    chosen = windows[row, column]
    # In colour a window is (3, p, p); pixels keep their three values together, as in an image array.
    return Samples((np.moveaxis(chosen, 1, -1) if colour else chosen).reshape(n, -1))


def image_patches_pair(
    *,
    dimension: int | None = None,
    patch: int | None = None,
    colour: bool = False,
    n: int = 2000,
    rng: np.random.Generator | None = None,
) -> tuple[Samples, Samples]:
    """Patches of one photograph (china, the target) against patches of the other (flower, the model).

    Give `patch`, or `dimension` = patch^2 (3 patch^2 in colour); 8 x 8 by default.
    """
    if dimension is not None:
        channels = 3 if colour else 1
        side = isqrt(validate.integer(dimension, "dimension") // channels)
        if channels * side**2 != dimension or side == 0:
            form = "3 p^2" if colour else "p^2"
            raise InputError(
                f"dimension of image patches must be {form} with a whole side p, such as {channels * 64}; "
                f"got {dimension}"
            )
        if patch is not None and patch != side:
            raise InputError(f"patch={patch} and dimension={dimension} disagree; give one of them")
        patch = side
    patch = 8 if patch is None else patch
    target, model = (image_patches(patch=patch, colour=colour, photograph=p, n=n, rng=rng) for p in PHOTOGRAPHS)
    return target, model


@lru_cache(maxsize=1)
def _digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


@lru_cache(maxsize=4)
def _photograph(name: str, colour: bool) -> np.ndarray:
    """One bundled photograph: (rows, columns) grey or (rows, columns, 3), in [0, 1]."""
    from sklearn.datasets import load_sample_image

    try:
        image = load_sample_image(f"{name}.jpg") / 255.0
    except ImportError as error:
        raise MissingDependencyError(
            f"reading the bundled photographs needs Pillow ({error}); install it with: pip install pillow"
        ) from None
    return image if colour else image @ np.array([0.299, 0.587, 0.114])
