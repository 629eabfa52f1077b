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
from unifiedscore.metrics.coverage import duplicate_rate, mode_coverage, nearest_training_distance, recall
from unifiedscore.metrics.cross_fitting import (
    CosineEstimate,
    ReplicatedCosines,
    cross_fitted_cosine,
    replicated_cosines,
)
from unifiedscore.metrics.mmd import unbiased_mmd2
from unifiedscore.metrics.normalisation import drift_scale, feature_scale
from unifiedscore.metrics.replicates import Replicated, replicated
from unifiedscore.metrics.transport import sinkhorn_divergence, sliced_wasserstein2, wasserstein2

__all__ = [
    "CosineEstimate",
    "Replicated",
    "ReplicatedCosines",
    "best_relative_error",
    "best_scale",
    "cosine",
    "cross_fitted_cosine",
    "drift_scale",
    "duplicate_rate",
    "feature_scale",
    "global_cosine",
    "mean_cosine",
    "mean_product",
    "mode_coverage",
    "nearest_training_distance",
    "recall",
    "relative_error",
    "replicated",
    "replicated_cosines",
    "sinkhorn_divergence",
    "sliced_wasserstein2",
    "unbiased_mmd2",
    "wasserstein2",
]
