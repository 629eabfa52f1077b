"""How far a drift is from a score on a user's own samples, and why."""

from unifiedscore.diagnosis.command import diagnose_command
from unifiedscore.diagnosis.core import diagnose

__all__ = ["diagnose", "diagnose_command"]
