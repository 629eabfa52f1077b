"""Checks at the door: arrays, numbers and generators become what the engine expects or a clear `InputError`."""

from __future__ import annotations

import numbers

import numpy as np

from unifiedscore.errors import InputError


def points(value, name: str, *, dimension: int | None = None) -> np.ndarray:
    """Return `value` as a finite C-contiguous (n, d) float32 or float64 array.

    Integers become float64. One-dimensional, empty, complex, object and non-finite arrays are refused.
    """
    array = real_array(value, name)
    if array.ndim != 2:
        hint = f"; reshape it with {name}[:, None] or {name}[None, :]" if array.ndim == 1 else ""
        raise InputError(f"{name} must be a two-dimensional array (n, d); got shape {array.shape}{hint}")
    if array.shape[0] == 0 or array.shape[1] == 0:
        raise InputError(f"{name} must hold at least one point and one dimension; got shape {array.shape}")
    if dimension is not None and array.shape[1] != dimension:
        raise InputError(f"{name} must have dimension {dimension}; got shape {array.shape}")
    return array


def real_array(value, name: str) -> np.ndarray:
    """Return `value` as a finite C-contiguous float32 or float64 array of any shape."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{name} must be a regular array of numbers; {error}") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be a real numeric array; got dtype {array.dtype}")
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        first = tuple(int(i) for i in bad[0])
        raise InputError(f"{name} must be finite; {len(bad)} entries are not, the first at index {first}")
    # ascontiguousarray would turn a scalar into shape (1,).
    return np.ascontiguousarray(array) if array.ndim else array


def shown(value) -> str:
    """`repr` of a value, with numpy scalars as the plain numbers they are."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def positive(value, name: str, *, allow_zero: bool = False) -> float:
    """Return `value` as a finite positive float."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real | np.ndarray) or np.ndim(value) != 0:
        raise InputError(f"{name} must be a single positive number; got {shown(value)}")
    number = float(value)
    if not np.isfinite(number) or number < 0 or (number == 0 and not allow_zero):
        sign = "zero or positive" if allow_zero else "positive"
        raise InputError(f"{name} must be finite and {sign}; got {number!r}")
    return number


def integer(value, name: str, *, low: int = 1, high: int | None = None) -> int:
    """Return `value` as an int in [low, high]."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise InputError(f"{name} must be an integer; got {shown(value)}")
    number = int(value)
    if number < low or (high is not None and number > high):
        region = f"at least {low}" if high is None else f"between {low} and {high}"
        raise InputError(f"{name} must be {region}; got {number}")
    return number


def noise_tuples(value, shape) -> np.ndarray:
    """Return `value` as the noise of queries of that shape (n, d): (M, d) for all of them or (n, M, d), M >= 1."""
    noise = real_array(value, "noise")
    fits = noise.ndim in (2, 3) and noise.shape[-1] == shape[1] and (noise.ndim == 2 or len(noise) == shape[0])
    if not fits or noise.shape[-2] == 0:
        raise InputError(
            f"noise must have shape (M, {shape[1]}) or ({shape[0]}, M, {shape[1]}) with M >= 1; got {noise.shape}"
        )
    return noise


def weights(value, name: str, *, size: int) -> np.ndarray:
    """Return `value` as (size,) float64 probabilities: non-negative, rescaled to sum 1. None means equal weights."""
    if value is None:
        return np.full(size, 1.0 / size)
    array = real_array(value, name).astype(np.float64)
    if array.shape != (size,):
        raise InputError(f"{name} must have shape ({size},); got shape {array.shape}")
    if (array < 0).any():
        raise InputError(f"{name} must not be negative; the smallest is {float(array.min())!r}")
    largest = array.max()
    if largest == 0:
        raise InputError(f"{name} must not all be zero")
    array = array / largest
    return array / array.sum()


def generator(value, name: str = "rng") -> np.random.Generator:
    """Return `value` if it is a numpy.random.Generator; randomness is always explicit here."""
    if not isinstance(value, np.random.Generator):
        raise InputError(f"{name} must be a numpy.random.Generator such as np.random.default_rng(0); got {value!r}")
    return value
