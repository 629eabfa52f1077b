"""One measurement made of independent parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

import numpy as np

from unifiedscore.errors import InputError, StudyError
from unifiedscore.study.grid import Cell
from unifiedscore.study.numerical_error import expanded
from unifiedscore.validate import shown

Part = Callable[[Cell, np.random.Generator], Mapping]


def combine(*parts: Part) -> Part:
    """One `measure` from several: each part measures some of the variables of every cell.

    Use when a cell measures quantities that have little in common, so that each can be read and tested alone.

    The parts are called in the order given, with the cell and *one* generator: what a part draws or spawns is what it
    would get as the next lines of a single function. A part that draws nothing leaves the others alone; a part that is
    added behind the others changes none of their numbers.

    Parameters
    ----------
    *parts : callable
        Functions `part(cell, rng)` that return a mapping, as `measure` does. They stand in the file of the study.

    Returns
    -------
    callable
        `measure(cell, rng)`, which returns what all parts return.

    Raises
    ------
    InputError
        There is no part, or one is not a function.
    StudyError
        While measuring: a part does not return a mapping, or two parts return the same name.

    Examples
    --------
    >>> measure = combine(lambda cell, rng: {"size": 1.0}, lambda cell, rng: {"draw": rng.random()})
    >>> sorted(measure({}, np.random.default_rng(0)))
    ['draw', 'size']
    """
    if not parts:
        raise InputError("combine needs at least one part: combine(first, second)")
    for part in parts:
        if not callable(part):
            raise InputError(f"combine: every part must be a function of (cell, rng); got {shown(part)}")

    @wraps(parts[0])  # a worker finds the study by the file of its measure
    def measure(cell: Cell, rng: np.random.Generator) -> dict:
        found: dict = {}
        for part in parts:
            values = part(cell, rng)
            if not isinstance(values, Mapping):
                raise StudyError(
                    f"{_name(part)} must return a mapping from variable names to numbers; got {shown(values)}"
                )
            if twice := sorted(found.keys() & expanded(values).keys()):
                raise StudyError(f"{_name(part)} returns {', '.join(twice)}, which a part before it returns as well")
            found |= expanded(values)
        return found

    measure.__name__ = measure.__qualname__ = "measure"
    measure.__doc__ = "Measure " + ", ".join(map(_name, parts)) + "."
    return measure


def _name(part: Part) -> str:
    return getattr(part, "__name__", repr(part))
