"""The kernel posterior and its moments: the one computation behind every non-parametric field."""

from unifiedscore.posterior import quadrature, tiled  # noqa: F401 - they register themselves with the dispatch
from unifiedscore.posterior.moments import (
    PosteriorMoments,
    PosteriorVectors,
    posterior_field,
    posterior_jacobian,
    posterior_moments,
    posterior_vectors,
)

__all__ = [
    "PosteriorMoments",
    "PosteriorVectors",
    "posterior_field",
    "posterior_jacobian",
    "posterior_moments",
    "posterior_vectors",
]
