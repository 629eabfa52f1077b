"""Numbers that compare fields and laws: pure functions of arrays."""

from unifiedscore.metrics.alignment import (
    best_relative_error,
    best_scale,
    cosine,
    global_cosine,
    mean_cosine,
    mean_product,
    relative_error,
)
from unifiedscore.metrics.cross_fitting import (
    CosineEstimate,
    ReplicatedCosines,
    cross_fitted_cosine,
    replicated_cosines,
)

__all__ = [
    "CosineEstimate",
    "ReplicatedCosines",
    "best_relative_error",
    "best_scale",
    "cosine",
    "cross_fitted_cosine",
    "global_cosine",
    "mean_cosine",
    "mean_product",
    "relative_error",
    "replicated_cosines",
]
