"""Studies: a grid, a measurement and claims; running them, judging them, storing what was measured."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from unifiedscore.inference import Identity, Inside, Limit, Proportion, Rate
from unifiedscore.study.claim import Claim, Control, Hypothesis, Variable
from unifiedscore.study.grid import Cell, Grid
from unifiedscore.study.judge import judge
from unifiedscore.study.numerical_error import known, two_rules
from unifiedscore.study.parts import combine
from unifiedscore.study.study import Study
from unifiedscore.study.theorem import Theorem

# judge is imported at once because a module of the same name would otherwise take its place here.
_LAZY = {"Derivation": "derivation", "judge_derivation": "derivation", "open_results": "dataset", "run": "runner"}

__all__ = [
    "Cell",
    "Claim",
    "Control",
    "Derivation",
    "Grid",
    "Hypothesis",
    "Identity",
    "Inside",
    "Limit",
    "Proportion",
    "Rate",
    "Study",
    "Theorem",
    "Variable",
    "combine",
    "judge",
    "judge_derivation",
    "known",
    "open_results",
    "run",
    "two_rules",
]

if TYPE_CHECKING:
    from unifiedscore.study.dataset import open_results
    from unifiedscore.study.derivation import Derivation, judge_derivation
    from unifiedscore.study.runner import run


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module 'unifiedscore.study' has no attribute {name!r}")
    value = getattr(import_module(f"unifiedscore.study.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
