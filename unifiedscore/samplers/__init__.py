"""Samplers: particles moved by transport fields."""

from unifiedscore.samplers.drifting_flow import DriftingFlow, DriftingPath, exponential_schedule

__all__ = ["DriftingFlow", "DriftingPath", "exponential_schedule"]
