"""Transport fields: one interface for mean shifts, scores, their differences and whatever a user brings."""

from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.callable_field import CallableField, as_field
from unifiedscore.fields.difference import Difference, Drift, ScoreDifference
from unifiedscore.fields.mean_shift import MeanShift
from unifiedscore.fields.score import KernelScore

__all__ = [
    "AbstractField",
    "CallableField",
    "Difference",
    "Drift",
    "KernelScore",
    "MeanShift",
    "ScoreDifference",
    "as_field",
]
