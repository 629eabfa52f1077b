"""Studies: a grid, a measurement and claims; running them, judging them, storing what was measured."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from unifiedscore.inference import Identity, Inside, Limit, Proportion, Rate
from unifiedscore.study.attack.parameters import Choice, Integer, Real
from unifiedscore.study.attack.ragged import Many, Simplex, Spectrum, Vector
from unifiedscore.study.attack.space import Instance, Space
from unifiedscore.study.attack.universal import FalseVariant, Universal
from unifiedscore.study.claim import Claim, Control, Hypothesis, Variable
from unifiedscore.study.grid import Cell, Grid
from unifiedscore.study.judge import judge
from unifiedscore.study.maps.map import Map
from unifiedscore.study.numerical_error import known, two_rules
from unifiedscore.study.parts import combine
from unifiedscore.study.study import Study
from unifiedscore.study.theorem import Theorem

# judge is imported at once because a module of the same name would otherwise take its place here.
_LAZY = {
    "Derivation": "derivation",
    "falsify": "attack.falsify",
    "judge_derivation": "derivation",
    "open_results": "dataset",
    "run": "runner",
    "universal_in": "discover",
}

__all__ = [
    "Cell",
    "Choice",
    "Claim",
    "Control",
    "Derivation",
    "FalseVariant",
    "Grid",
    "Hypothesis",
    "Identity",
    "Inside",
    "Instance",
    "Integer",
    "Limit",
    "Many",
    "Map",
    "Proportion",
    "Rate",
    "Real",
    "Simplex",
    "Space",
    "Spectrum",
    "Study",
    "Theorem",
    "Universal",
    "Variable",
    "Vector",
    "combine",
    "falsify",
    "judge",
    "judge_derivation",
    "known",
    "open_results",
    "run",
    "two_rules",
    "universal_in",
]

if TYPE_CHECKING:
    from unifiedscore.study.attack.falsify import falsify
    from unifiedscore.study.dataset import open_results
    from unifiedscore.study.derivation import Derivation, judge_derivation
    from unifiedscore.study.discover import universal_in
    from unifiedscore.study.runner import run


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module 'unifiedscore.study' has no attribute {name!r}")
    value = getattr(import_module(f"unifiedscore.study.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
