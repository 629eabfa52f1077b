"""Transport fields: one interface for mean shifts, scores, their differences and whatever a user brings."""

from unifiedscore.fields.attraction import Attraction
from unifiedscore.fields.barycenter import Barycenter
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.callable import CallableField, as_field
from unifiedscore.fields.closed_form import ClosedFormScore, ClosedFormVelocity, SmoothedClosedFormScore
from unifiedscore.fields.corrected import CorrectedMeanShift
from unifiedscore.fields.difference import Difference, Drift, ScoreDifference
from unifiedscore.fields.drifts.batch import PUBLISHED_FLOOR, BatchDrift, batch_drift
from unifiedscore.fields.drifts.batch_target import BatchDriftTarget
from unifiedscore.fields.drifts.divergence import DivergenceDrift, WitnessGradient
from unifiedscore.fields.drifts.multi_temperature import FieldSum, MultiTemperatureDrift
from unifiedscore.fields.drifts.sharp import SharpDrift, SharpScore, sharp_scale
from unifiedscore.fields.drifts.sinkhorn import SinkhornDrift, SinkhornScaling, sinkhorn_scaling
from unifiedscore.fields.drifts.smoothed_kl import SmoothedKLGradient
from unifiedscore.fields.mean_shift import MeanShift
from unifiedscore.fields.moment_matched.field import MomentMatchedTilt, SmoothedScore
from unifiedscore.fields.moment_matched.multipliers import Tilt, solve_tilt
from unifiedscore.fields.moment_matched.population_score import PopulationScore
from unifiedscore.fields.noise import Noise
from unifiedscore.fields.score import KernelScore
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.fields.time_field import TimeField

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
    "FieldSum",
    "KernelScore",
    "MeanShift",
    "MomentMatchedTilt",
    "MultiTemperatureDrift",
    "Noise",
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
    "TimeField",
    "WitnessGradient",
    "as_field",
    "batch_drift",
    "sharp_scale",
    "sinkhorn_scaling",
    "solve_tilt",
]
