"""Statistics with intervals, regions, and the verdicts they lead to. NumPy and SciPy only."""

from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimates import Estimate
from unifiedscore.inference.identity import Identity
from unifiedscore.inference.inside import Inside
from unifiedscore.inference.limit import Limit
from unifiedscore.inference.looks import Look
from unifiedscore.inference.proportion import Proportion
from unifiedscore.inference.rate import Rate
from unifiedscore.inference.verdict import REFUTE_LEVEL, SUPPORT_LEVEL, Evidence, Key, Outcome, Verdict, decide

__all__ = [
    "REFUTE_LEVEL",
    "SUPPORT_LEVEL",
    "AbstractTest",
    "Estimate",
    "Evidence",
    "Identity",
    "Inside",
    "Key",
    "Limit",
    "Look",
    "Outcome",
    "Proportion",
    "Rate",
    "Verdict",
    "decide",
]
