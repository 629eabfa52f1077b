"""Moment-matched fields: smoothed scores and the multipliers that keep mean and covariance."""

from unifiedscore.fields.moment_matched.field import MomentMatchedTilt, SmoothedScore
from unifiedscore.fields.moment_matched.multipliers import Tilt, solve_tilt
from unifiedscore.fields.moment_matched.population_score import PopulationScore

__all__ = ["MomentMatchedTilt", "PopulationScore", "SmoothedScore", "Tilt", "solve_tilt"]
