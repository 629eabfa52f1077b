"""Transport fields: one interface for mean shifts, scores, their differences and whatever a user brings."""

from unifiedscore.fields.attraction import Attraction
from unifiedscore.fields.barycenter import Barycenter
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.callable_field import CallableField, as_field
from unifiedscore.fields.closed_form import ClosedFormScore, ClosedFormVelocity, SmoothedClosedFormScore
from unifiedscore.fields.difference import Difference, Drift, ScoreDifference
from unifiedscore.fields.mean_shift import MeanShift
from unifiedscore.fields.score import KernelScore
from unifiedscore.fields.smoothed import Smoothed

__all__ = [
    "AbstractField",
    "Attraction",
    "Barycenter",
    "CallableField",
    "ClosedFormScore",
    "ClosedFormVelocity",
    "Difference",
    "Drift",
    "KernelScore",
    "MeanShift",
    "ScoreDifference",
    "Smoothed",
    "SmoothedClosedFormScore",
    "as_field",
]
