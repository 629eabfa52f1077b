"""Drifts that are not plain differences of mean shifts: sharp, Sinkhorn, divergence gradients, batches."""

from unifiedscore.fields.drifts.batch import PUBLISHED_FLOOR, BatchDrift, batch_drift
from unifiedscore.fields.drifts.batch_target import BatchDriftTarget
from unifiedscore.fields.drifts.divergence import DivergenceDrift, WitnessGradient
from unifiedscore.fields.drifts.sharp import SharpDrift, SharpScore, sharp_scale
from unifiedscore.fields.drifts.sinkhorn import SinkhornDrift, SinkhornScaling, sinkhorn_scaling
from unifiedscore.fields.drifts.smoothed_kl import SmoothedKLGradient

__all__ = [
    "PUBLISHED_FLOOR",
    "BatchDrift",
    "BatchDriftTarget",
    "DivergenceDrift",
    "SharpDrift",
    "SharpScore",
    "SinkhornDrift",
    "SinkhornScaling",
    "SmoothedKLGradient",
    "WitnessGradient",
    "batch_drift",
    "sharp_scale",
    "sinkhorn_scaling",
]
