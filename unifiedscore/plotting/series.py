"""From a data set to a curve: the values of one variable along one axis, every seed, with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.inference import SUPPORT_LEVEL, Inside
from unifiedscore.inference.inside import ESTIMANDS_OF
from unifiedscore.study.selection import FAILED, NOT_RUN, OK, SKIPPED

if TYPE_CHECKING:
    import xarray as xr


@final
@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn of one variable along one axis.

    `x` (x,), `values` (x, seed) with NaN where a seed was not measured, `median`, `low`, `high`, `error` (x,),
    `kind` of the interval ("t" over seeds, "numerical", "none"), `level` of the t interval, `seeds` (x,) counts of
    those with a value, `undefined` (x,) counts of those that were measured and have none. Where there are any, the
    others are a biased choice of seeds: they have neither median nor interval. `skipped` (x, seed) are no part of the
    grid, `lost` (x,) counts cells that failed or were not run, `blank` are further x of the grid without any value.
    """

    x: np.ndarray
    values: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    error: np.ndarray
    kind: Literal["t", "numerical", "none"]
    level: float
    seeds: np.ndarray
    undefined: np.ndarray
    skipped: np.ndarray
    lost: np.ndarray
    blank: np.ndarray

    @property
    def first(self) -> int:
        """Position of the first x with a median."""
        return int(np.flatnonzero(np.isfinite(self.median))[0])

    @property
    def last(self) -> int:
        """Position of the last x with a median."""
        return int(np.flatnonzero(np.isfinite(self.median))[-1])

    @property
    def caption(self) -> str:
        """Kind, level and number of replicates of the interval, as a legend says it."""
        if self.kind == "t":
            seeds = self.seeds[np.isfinite(self.low)]
            fewest, most = int(seeds.min()), int(seeds.max())
            count = f"{most}" if fewest == most else f"{fewest} to {most}"
            return f"{100 * self.level:g} % t interval, {count} seeds"
        return "value ± numerical error" if self.kind == "numerical" else "no interval"


def pick(dataset: xr.Dataset, labels: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Select labels along those of the named axes that the data set has; numbers to rounding.

    An axis that a study does not vary is no error: its only value went into the title.

    Raises
    ------
    UnknownNameError
        The axis exists but has no such label; the message lists the nearest.
    """
    for axis, label in (labels or {}).items():
        if axis not in dataset.dims:
            continue
        known = dataset[axis].values
        if isinstance(label, slice):
            dataset = dataset.sel({axis: label})
            continue
        wanted = [label] if np.ndim(label) == 0 else list(label)
        positions = [_position(axis, known, one) for one in wanted]
        dataset = dataset.isel({axis: positions[0] if np.ndim(label) == 0 else positions})
    return dataset


def _position(axis: str, known: np.ndarray, label: Any) -> int:
    if known.dtype.kind in "iuf" and isinstance(label, int | float | np.number):
        close = np.flatnonzero(np.isclose(known.astype(float), float(label), rtol=1e-9, atol=1e-12))
    else:
        close = np.flatnonzero(known.astype(str) == str(label))
    if not close.size:
        raise UnknownNameError(f"label of axis {axis}", str(label), map(str, known.tolist()))
    return int(close[0])


def has(dataset: xr.Dataset, variable: str, labels: Mapping[str, Any] | None = None) -> bool:
    """Whether the variable was stored and has at least one value at these labels."""
    if variable not in dataset:
        return False
    try:
        return bool(np.isfinite(pick(dataset, labels)[variable].values).any())
    except UnknownNameError:
        return False


def curve(
    dataset: xr.Dataset,
    variable: str,
    along: str,
    *,
    where: Mapping[str, Any] | None = None,
    level: float = SUPPORT_LEVEL,
    transform: Literal["none", "log", "atanh"] = "none",
) -> Curve:
    """The values of `variable` along `along` at the labels `where`, with their interval.

    Parameters
    ----------
    dataset : xarray.Dataset
        Every axis other than `along` and `seed` is fixed by `where` or has one label.
    transform
        In which the t interval is taken, as in `inference.Inside`.

    Raises
    ------
    InputError
        The variable or the axis does not exist, an axis is left over, or nothing is finite.
    """
    if variable not in dataset:
        raise UnknownNameError("variable", variable, map(str, dataset.data_vars))
    chosen = pick(dataset, where)
    array = chosen[variable]
    if along not in array.dims:
        raise InputError(f"{variable} has no axis {along!r} left to draw along; it has {tuple(array.dims)}")
    extra = [dim for dim in array.dims if dim not in (along, "seed")]
    array = array.squeeze([dim for dim in extra if array.sizes[dim] == 1])
    extra = [dim for dim in array.dims if dim not in (along, "seed")]
    if extra:
        raise InputError(f"{variable} still varies along {extra}; fix them with where={{axis: label}}")
    values = _table(array, along)
    error = _table(_errors(chosen, array), along)
    keep = np.isfinite(values).any(axis=1)
    status = _table(chosen["status"].squeeze(drop=True), along) if "status" in chosen else np.full((len(keep), 1), OK)
    status = np.broadcast_to(status, values.shape)
    undefined = (status == OK) & ~np.isfinite(values) if "status" in chosen else np.zeros(values.shape, dtype=bool)
    skipped, lost = status == SKIPPED, np.isin(status, (FAILED, NOT_RUN))
    if not (keep & ~undefined.any(axis=1)).any():
        raise InputError(f"{variable} has no finite value along {along} at {dict(where or {})}")
    x = chosen[along].values.astype(float)
    blank = x[~keep & ~skipped.all(axis=1)]
    order = np.flatnonzero(keep)[np.argsort(x[keep])]
    x, *parts = (part[order] for part in (x, values, error, undefined, skipped, lost.sum(axis=1)))
    return _summarise(x, *parts, blank, level=level, transform=transform)


def _errors(chosen: xr.Dataset, array: xr.DataArray) -> xr.DataArray:
    stated = [name for name in str(array.attrs.get("ancillary_variables", "")).split() if name != "status"]
    for name in [*stated, f"{array.name}_error"]:
        if name in chosen:
            return chosen[name].squeeze([d for d in chosen[name].dims if d not in array.dims])
    return array * np.nan


def _table(array: xr.DataArray, along: str) -> np.ndarray:
    if "seed" not in array.dims:
        array = array.expand_dims("seed")
    return array.transpose(along, "seed").values.astype(float)


def _summarise(x, values, error, undefined, skipped, lost, blank, *, level, transform) -> Curve:
    seeds, missing = np.isfinite(values).sum(axis=1), undefined.sum(axis=1)
    median = np.where(missing > 0, np.nan, np.nanmedian(values, axis=1))
    low, high = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    worst = np.array([np.max(row[np.isfinite(row)], initial=-np.inf) for row in error])
    worst[np.isneginf(worst)] = np.nan
    kind: Literal["t", "numerical", "none"] = "none"
    if np.isfinite(worst).any():
        kind, low, high = "numerical", median - worst, median + worst
    elif seeds.max() > 1:
        # Only its interval is used.
        test = Inside(-np.inf, 0.0, transform=transform, of=ESTIMANDS_OF.get(transform, (None,))[0])
        for position in np.flatnonzero(missing == 0):
            row = values[position]
            estimate = test.estimate(row[np.isfinite(row)], level=level)
            low[position], high[position] = estimate.low, estimate.high
        if np.isfinite(low).any():
            kind = "t"
    return Curve(x, values, median, low, high, worst, kind, level, seeds, missing, skipped, lost, blank)
