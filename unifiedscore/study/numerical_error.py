"""A measured value together with its numerical error."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, final

import numpy as np

from unifiedscore.errors import InputError, StudyError
from unifiedscore.study.claim import Variable
from unifiedscore.validate import shown


@final
@dataclass(frozen=True, slots=True)
class Known:
    """A number (or an array) and its numerical error, as `known` and `two_rules` return them.

    A measurement that returns one under the name `gap` is stored as the variables `gap` and `gap_error`.
    """

    value: Any
    error: Any


def known(value, error) -> Known | dict[str, Known]:
    """Bind a value to a numerical error that is derived by hand.

    Use when the error follows from a tolerance or from rounding; use `two_rules` where two rules give it.

    Parameters
    ----------
    value : float, array or mapping
        A mapping binds each of its entries.
    error : float or array
        At least 0, in the units of the value; NaN where there is no estimate of it. A mapping gives one error per
        name of `value`.

    Returns
    -------
    Known, or a dict of Known where `value` is a mapping

    Raises
    ------
    InputError
        An error is negative or not a real number, or the names differ.

    Examples
    --------
    >>> known(0.5, 1e-12)
    Known(value=0.5, error=1e-12)
    >>> known({"low": 1.0, "high": 2.0}, 1e-9)["high"].error
    1e-09
    """
    if not isinstance(value, Mapping):
        return Known(value, _checked(error))
    if not isinstance(error, Mapping):
        error = dict.fromkeys(value, error)
    _same_names("known", "value", value, "error", error)
    return {name: Known(value[name], _checked(error[name])) for name in value}


def two_rules(coarse, fine, *, rounding=0.0, relative=0.0) -> Known | dict[str, Known]:
    """Take the value of the finer of two rules and their difference as its numerical error.

    The error is `|fine - coarse| + rounding + relative |fine|`. Use when a quadrature, a step or a mesh can be refined.

    Parameters
    ----------
    coarse, fine : float, array or mapping
        The same quantity by two rules; two mappings with the same names are compared entry by entry.
    rounding : float or array
        What both rules have in common, in the units of the value: rounding, or the tolerance of a solver.
    relative : float
        The part in common in units of `|fine|`.

    Returns
    -------
    Known, or a dict of Known where both are mappings

    Raises
    ------
    InputError
        One of the two is a mapping and the other is not, or their names differ.

    Examples
    --------
    >>> two_rules(0.25, 0.5)
    Known(value=0.5, error=0.25)
    >>> two_rules({"bias": 1.0}, {"bias": 1.5}, rounding=0.25)
    {'bias': Known(value=1.5, error=0.75)}
    """
    if isinstance(coarse, Mapping) is not isinstance(fine, Mapping):
        raise InputError(f"two_rules needs two numbers or two mappings; got {shown(coarse)} and {shown(fine)}")
    if not isinstance(fine, Mapping):
        return Known(fine, _checked(abs(fine - coarse) + rounding + relative * abs(fine)))
    _same_names("two_rules", "coarse", coarse, "fine", fine)
    return {name: two_rules(coarse[name], fine[name], rounding=rounding, relative=relative) for name in fine}


def expanded(values: Mapping, variables: Mapping[str, Variable] | None = None) -> dict[str, Any]:
    """The values with every `Known` replaced by two entries: the value and, under `<name>_error`, its error.

    Parameters
    ----------
    values : mapping
        What a measurement returned.
    variables : mapping of str to Variable, optional
        A variable that names its error (`Variable(error=...)`) is given it under that name.

    Raises
    ------
    StudyError
        An error is given twice, and differently.
    """
    found = {name: value.value if isinstance(value, Known) else value for name, value in values.items()}
    for name, value in values.items():
        if isinstance(value, Known):
            variable = (variables or {}).get(name)
            error = f"{name}_error" if variable is None or variable.error is None else variable.error
            if error in found and not np.array_equal(found[error], value.error, equal_nan=True):
                raise StudyError(
                    f"measure returned two values of {error}: {shown(found[error])} and, as the error of {name}, "
                    f"{shown(value.error)}; return one of them, or give the variable {name} an error of its own"
                )
            found[error] = value.error
    return found


def expanding(measure: Callable, variables: Mapping[str, Variable]) -> Callable:
    """`measure` itself, but what it returns is `expanded`: names and numbers, as they are stored."""
    measure = measure.__wrapped__ if hasattr(measure, "expands") else measure

    @wraps(measure)  # a worker finds the study by the file of its measure
    def expanding_measure(cell, rng):
        values = measure(cell, rng)
        return expanded(values, variables) if isinstance(values, Mapping) else values

    expanding_measure.expands = True  # a copy of the study with other variables wraps the inner one anew
    return expanding_measure


def _checked(error):
    """The error itself; a complaint where it cannot be one."""
    array = np.asarray(error if not isinstance(error, numbers.Real) else float(error))
    if array.dtype.kind not in "fiu" or np.any(array < 0):
        raise InputError(f"a numerical error must be a real number of at least 0; got {shown(error)}")
    return error


def _same_names(function: str, first: str, left: Mapping, second: str, right: Mapping) -> None:
    if set(left) != set(right):
        different = ", ".join(sorted(map(str, set(left) ^ set(right))))
        raise InputError(f"{function}: {first} and {second} must have the same names; {different} is in one alone")
