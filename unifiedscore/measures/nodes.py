"""A law as weighted points: samples as they are, a mixture by its quadrature nodes."""

from __future__ import annotations

from unifiedscore.errors import InputError
from unifiedscore.measures import GaussianMixture, Samples, as_samples

RANGE = 650.0
"""Largest range of log-weights of a reweighted law: beyond it some linear weights would underflow to zero."""


def as_nodes(measure, name: str, order: int) -> Samples:
    """Return `measure` as weighted points that integrate smooth functions as it does.

    Parameters
    ----------
    measure : Samples, GaussianMixture or (m, d) array
        A mixture needs d <= 3; its rule has `order` nodes an axis and component.

    Raises
    ------
    InputError
        Not a measure, or a mixture in more than three dimensions.
    """
    if not isinstance(measure, GaussianMixture):
        return as_samples(measure, name)
    if measure.dimension > 3:
        raise InputError(
            f"{name} is a mixture in {measure.dimension} dimensions; tensor quadrature reaches 3: draw Samples from it"
        )
    return Samples(*measure.quadrature(order=order))


def with_weight(law: Samples) -> Samples:
    """Return the points that carry mass: the others have no influence, and no logarithm."""
    kept = law.weights > 0
    return law if kept.all() else Samples(law.points[kept], law.weights[kept])
