"""Transport fields: one interface for mean shifts, scores, their differences and whatever a user brings."""

from unifiedscore.fields.attraction import Attraction
from unifiedscore.fields.barycenter import Barycenter
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.batch import PUBLISHED_FLOOR, BatchDrift, batch_drift
from unifiedscore.fields.batch_target import BatchDriftTarget
from unifiedscore.fields.callable_field import CallableField, as_field
from unifiedscore.fields.closed_form import ClosedFormScore, ClosedFormVelocity, SmoothedClosedFormScore
from unifiedscore.fields.corrected import CorrectedMeanShift
from unifiedscore.fields.difference import Difference, Drift, ScoreDifference
from unifiedscore.fields.divergence import DivergenceDrift, WitnessGradient
from unifiedscore.fields.mean_shift import MeanShift
from unifiedscore.fields.moment_matched import MomentMatchedTilt, SmoothedScore
from unifiedscore.fields.normalisation import drift_scale, feature_scale
from unifiedscore.fields.population_score import PopulationScore
from unifiedscore.fields.score import KernelScore
from unifiedscore.fields.sharp import SharpDrift, SharpScore, sharp_scale
from unifiedscore.fields.sinkhorn import SinkhornDrift, SinkhornScaling, sinkhorn_scaling
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.fields.smoothed_kl import SmoothedKLGradient
from unifiedscore.fields.tilt import Tilt, solve_tilt

__all__ = [
    "PUBLISHED_FLOOR",
    "AbstractField",
    "Attraction",
    "Barycenter",
    "BatchDrift",
    "BatchDriftTarget",
    "CallableField",
    "ClosedFormScore",
    "ClosedFormVelocity",
    "CorrectedMeanShift",
    "Difference",
    "DivergenceDrift",
    "Drift",
    "KernelScore",
    "MeanShift",
    "MomentMatchedTilt",
    "PopulationScore",
    "ScoreDifference",
    "SharpDrift",
    "SharpScore",
    "SinkhornDrift",
    "SinkhornScaling",
    "Smoothed",
    "SmoothedClosedFormScore",
    "SmoothedKLGradient",
    "SmoothedScore",
    "Tilt",
    "WitnessGradient",
    "as_field",
    "batch_drift",
    "drift_scale",
    "feature_scale",
    "sharp_scale",
    "sinkhorn_scaling",
    "solve_tilt",
]
