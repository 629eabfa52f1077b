r"""Named pairs of mixtures (target, model) in any dimension.

[L] is Lai et al. 2026, arXiv 2603.07514. What its text fixes is marked *paper*; its construction of the model law, the
standard deviation and the raw mixture could not be read there, and what stands here for them is marked *ours*.
Both members of a pair share their first k axes, hence the coordinates of `reduced()`.
"""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures.arguments import read_number
from unifiedscore.measures.gaussian_mixture import GaussianMixture

Pair = tuple[GaussianMixture, GaussianMixture]


def ring_centers(modes: int, radius: float, angle: float, *, prefix: str = "") -> np.ndarray:
    """Equally spaced points on a circle, (modes, 2), the first at `angle` radians."""
    modes = validate.integer(modes, "modes")
    theta = read_number(angle, f"{prefix}angle") + 2 * np.pi * np.arange(modes) / modes
    return validate.positive(radius, f"{prefix}radius", allow_zero=True) * np.stack(
        [np.cos(theta), np.sin(theta)], axis=1
    )


def ring_mog(
    *,
    dimension: int,
    modes: int = 6,
    radius: float = 3.0,
    std: float = 0.5,
    model_radius: float = 2.5,
    model_angle: float = 0.5,
) -> Pair:
    """Two rings in one plane: equal means, second moments that differ in the plane alone.

    Paper: a ring of six equal modes. Ours: radius 3 at angle 0, std 0.5, and the model, a ring of radius 2.5
    turned by 0.5 rad. The mean squared norms are radius^2 + d std^2.
    """
    target = _ring(ring_centers(modes, radius, 0.0), std, dimension)
    return target, _ring(ring_centers(modes, model_radius, model_angle, prefix="model_"), std, dimension)


def ring_mog_shifted(
    *, dimension: int, modes: int = 6, radius: float = 3.0, std: float = 0.5, shift: float = 1.0
) -> Pair:
    """The target ring and the same ring moved by `shift` along the first axis: the means differ. Ours."""
    centers = ring_centers(modes, radius, 0.0)
    return _ring(centers, std, dimension), _ring(centers + np.array([read_number(shift, "shift"), 0.0]), std, dimension)


def ring_mog_norms(
    *, dimension: int, modes: int = 6, radius: float = 3.0, std: float = 0.5, model_std: float = 0.6
) -> Pair:
    """The target ring and the same centres with another spread: no common mean squared norm exists. Ours.

    The mean squared norms differ by d (model_std^2 - std^2): outside the concentration assumption of [L].
    """
    centers = ring_centers(modes, radius, 0.0)
    return _ring(centers, std, dimension), _ring(centers, model_std, dimension)


def raw_mog(*, dimension: int, modes: int = 6, centre_scale: float = 1.0, std: float = 1.0) -> Pair:
    """Orthogonal centres of norm centre_scale sqrt(d): the target on the first `modes` axes, the model on the next.

    Paper: the name. Ours: everything else. The signal grows with d like the noise, and d E<x,y>^2 / R0^4 grows
    linearly in d: the concentration assumption of [L] is violated. Needs dimension >= 2 modes.
    """
    modes = validate.integer(modes, "modes")
    dimension = validate.integer(dimension, "dimension")
    scale = validate.positive(centre_scale, "centre_scale", allow_zero=True) * np.sqrt(dimension)
    variance = validate.positive(std, "std") ** 2
    if dimension < 2 * modes:
        raise InputError(
            f"raw_mog needs dimension at least {2 * modes}, one axis for each of the {modes} target and {modes} model "
            f"centres; got {dimension}; raise dimension or lower modes"
        )
    centers = scale * np.eye(2 * modes)
    return (
        GaussianMixture(centers[:modes], variance, dimension=dimension),
        GaussianMixture(centers[modes:], variance, dimension=dimension),
    )


def _ring(centers: np.ndarray, std: float, dimension: int) -> GaussianMixture:
    dimension = validate.integer(dimension, "dimension")
    if dimension < 2:
        raise InputError(f"a ring lies in a plane: dimension must be at least 2; got {dimension}")
    return GaussianMixture(centers, validate.positive(std, "std") ** 2, dimension=dimension)
