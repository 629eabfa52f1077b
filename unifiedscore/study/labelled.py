"""Labelled values that a measurement returns, in the order of the labels that its variable declares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unifiedscore.errors import StudyError
from unifiedscore.study.claim import Variable
from unifiedscore.validate import shown


def aligned(name: str, value, variable: Variable):
    """A DataArray, Series or DataFrame as a plain array over the variable's dimensions; anything else as it is.

    Labels that stand in another order are sorted into that of the variable; dimensions are transposed.

    Raises
    ------
    StudyError
        The labels or the names of the dimensions are others than the declared ones.
    """
    # By what it has rather than by class: neither xarray nor pandas need have been imported.
    kind, module = type(value).__name__, type(value).__module__.partition(".")[0]
    if module == "xarray" and hasattr(value, "dims") and hasattr(value, "coords"):
        return _data_array(name, value, variable)
    if module == "pandas" and kind in ("Series", "DataFrame"):
        axes = [value.index] if kind == "Series" else [value.index, value.columns]
        if len(axes) != len(variable.dims):
            return value.to_numpy()  # of the wrong shape, which the caller says
        array = value.to_numpy()
        for axis, (dim, labels) in enumerate(zip(variable.dims, axes, strict=True)):
            if type(labels).__name__ != "RangeIndex" or labels.tolist() == list(variable.coords[dim]):
                array = _take(name, array, axis, dim, labels.tolist(), variable)
        return array
    return value


def _data_array(name: str, value, variable: Variable):
    wanted = tuple(variable.dims)
    if sorted(map(str, value.dims)) != sorted(wanted):
        raise StudyError(f"{name} must be over the dimensions {wanted}; got {tuple(map(str, value.dims))}")
    value = value.transpose(*wanted)
    array = value.values
    for axis, dim in enumerate(wanted):
        if dim in value.coords:
            array = _take(name, array, axis, dim, value.coords[dim].values.tolist(), variable)
    return array


def _take(name: str, array: np.ndarray, axis: int, dim: str, got: Sequence, variable: Variable) -> np.ndarray:
    wanted = [label.item() if isinstance(label, np.generic) else label for label in variable.coords[dim]]
    if got == wanted:
        return array
    if len(set(got)) != len(got) or set(got) != set(wanted):
        raise StudyError(
            f"{name} has other labels along {dim} than its variable declares: {shown(got)} instead of {shown(wanted)}"
        )
    return np.take(array, [got.index(label) for label in wanted], axis=axis)
