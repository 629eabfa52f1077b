"""What can be known before anything is measured: claims that no outcome of the measurement could decide."""

from __future__ import annotations

import warnings

import numpy as np

from unifiedscore.errors import StudyError, UnifiedScoreError
from unifiedscore.study.claim import Variable
from unifiedscore.study.dataset import assemble
from unifiedscore.study.grid import Grid
from unifiedscore.study.judge import judge
from unifiedscore.study.records import Record
from unifiedscore.study.study import Study

ABOUT_THE_GRID = "the variable has no axis", "too few points", "this dataset has no axis"
MOST_CELLS = 2_000  # beyond it a rehearsal would take longer than it saves


def foreseen(study: Study, grid: Grid, *, profile: str) -> list[str]:
    """Claims that cannot be judged whatever `measure` returns, and why: an axis is missing, there are too few labels.

    The study is judged on made-up numbers. Only reasons that are about the grid, not about numbers, are told.
    """
    cells = [cell for cell in grid.cells() if not grid.skipped(cell)]
    if not study.claims or len(cells) > MOST_CELLS:
        return []
    rng = np.random.default_rng(0)
    required = study.stored_variables() | study.optional_variables()
    records = {cell: Record("ok", {name: _made_up(rng, v) for name, v in required.items()}) for cell in cells}
    dataset = assemble(study, grid, records, profile=profile, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            verdicts = judge(study, dataset)
        except (UnifiedScoreError, ArithmeticError, ValueError) as error:  # perhaps for what was made up
            return [str(error)] if isinstance(error, StudyError) else []
    return [
        f"{verdict.claim}{f' ({verdict.regime})' if verdict.regime else ''}: {_first_clause(verdict.reason)}"
        for verdict in verdicts
        if verdict.outcome == "inconclusive" != verdict.expected and verdict.reason.startswith(ABOUT_THE_GRID)
    ]


def _first_clause(reason: str) -> str:
    """What is wrong, without what it means for the control."""
    return reason.partition("; and the")[0].partition("; its control")[0]


def _made_up(rng: np.random.Generator, variable: Variable) -> float | list:
    shape = tuple(len(variable.coords[dim]) for dim in variable.dims)
    return (1.0 + 0.01 * rng.standard_normal(shape)).tolist() if shape else 1.0 + 0.01 * float(rng.standard_normal())
