"""Transport fields: one interface for mean shifts, scores, their differences and whatever a user brings."""

from unifiedscore.fields.attraction import Attraction
from unifiedscore.fields.barycenter import Barycenter
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.callable_field import CallableField, as_field
from unifiedscore.fields.closed_form import ClosedFormScore, ClosedFormVelocity, SmoothedClosedFormScore
from unifiedscore.fields.difference import Difference, Drift, ScoreDifference
from unifiedscore.fields.mean_shift import MeanShift
from unifiedscore.fields.moment_matched import MomentMatchedTilt, SmoothedScore
from unifiedscore.fields.population_score import PopulationScore
from unifiedscore.fields.score import KernelScore
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.fields.tilt import Tilt, solve_tilt

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
    "MomentMatchedTilt",
    "PopulationScore",
    "ScoreDifference",
    "Smoothed",
    "SmoothedClosedFormScore",
    "SmoothedScore",
    "Tilt",
    "as_field",
    "solve_tilt",
]
