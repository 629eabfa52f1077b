"""The kernel posterior and its moments: the one computation behind every non-parametric field."""

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
