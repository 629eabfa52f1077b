"""Checks at the door: arrays, numbers and generators become what the engine expects or a clear `InputError`."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping

import numpy as np

from unifiedscore.arrays import as_array, is_array_like
from unifiedscore.errors import LONGEST, InputError, UnknownNameError, plain_numbers

MOST_BYTES = 2**40
"""No array of one call is larger than a tebibyte: a count that asks for more is refused before it is allocated."""


def points(value, name: str, *, dimension: int | None = None) -> np.ndarray:
    """Return a copy of anything that holds points, as a finite C-contiguous (n, d) float32 or float64 array.

    Types as in `real_array`. One-dimensional, empty, complex, masked, object and non-finite arrays are refused.
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


def array(value, name: str) -> np.ndarray:
    """Return a copy of anything that holds numbers, complex, infinite and NaN included; see `arrays.as_array`."""
    return as_array(value, name)


def real_array(value, name: str) -> np.ndarray:
    """Return a copy of anything that holds real numbers, as a finite C-contiguous float32 or float64 array.

    float32 stays float32, half precision (float16, bfloat16) becomes float32, everything else float64: integers beyond
    2^53 and long doubles are rounded. The copy shares no memory with `value`, so that neither can change the other.
    """
    found = as_array(value, name)
    if found.dtype.kind not in "fiub":
        raise InputError(f"{name} must be a real numeric array; got dtype {found.dtype}; give its real part")
    if found.dtype.kind != "f":
        found = found.astype(np.float64)
    if not np.isfinite(found).all():
        bad = np.argwhere(~np.isfinite(found))
        first = tuple(int(i) for i in bad[0])
        raise InputError(
            f"{name} must be finite; {len(bad)} entries are not, the first at index {first}; "
            "drop or replace missing values and infinities"
        )
    return found


def resolution(value, found: np.ndarray) -> float:
    """Relative rounding of the numbers of `value`, which became `found`: half precision is known by its name."""
    name = str(getattr(value, "dtype", ""))
    if "bfloat16" in name:
        return 2.0**-7
    return float(np.finfo(np.float16 if "float16" in name else found.dtype).eps)


def symmetric(matrix: np.ndarray, name: str, eps: float) -> np.ndarray:
    """Return the symmetric part, float64, of a matrix that is symmetric up to rounding `eps`; refuse others."""
    matrix = matrix.astype(np.float64, copy=False)
    gap = np.abs(matrix - matrix.T).max()
    # Covariances that scikit-learn fits in single precision differ from their transposes by up to 12 eps.
    if gap > max(1e-10, min(100 * eps, 1e-2)) * np.abs(matrix).max():
        raise InputError(f"{name} must be symmetric; it differs from its transpose by up to {gap:.6g}")
    return 0.5 * (matrix + matrix.T)


def integer_array(value, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a copy of anything that holds integers, as an int64 array of this shape."""
    found = as_array(value, name)
    if found.dtype.kind not in "iu" or found.shape != shape:
        raise InputError(f"{name} must be an integer array of shape {shape}; got {found.dtype} of shape {found.shape}")
    return found.astype(np.int64)


def shown(value) -> str:
    """`repr` of a value, with numpy scalars, also those in a list, as the plain numbers they are; a long one is cut."""
    text = plain_numbers(repr(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _plain_number(value, name: str) -> float | None:
    """`value` as a float (infinite where it leaves the floats), None where it is not a single real number."""
    if is_array_like(value):
        found = as_array(value, name)
        value = found[()] if found.ndim == 0 else None
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def number(value, name: str, *, low: float = -np.inf, high: float = np.inf) -> float:
    """Return `value` as a finite float in [low, high]."""
    found = _plain_number(value, name)
    if found is None or not np.isfinite(found):
        raise InputError(f"{name} must be a single finite number; got {shown(value)}")
    if not low <= found <= high:
        region = f"at least {low:g}" if high == np.inf else f"in [{low:g}, {high:g}]"
        raise InputError(f"{name} must be {region}; got {found!r}")
    return found


def positive(value, name: str, *, allow_zero: bool = False) -> float:
    """Return `value` as a finite positive float."""
    found = _plain_number(value, name)
    if found is None:
        raise InputError(f"{name} must be a single positive number; got {shown(value)}")
    if not np.isfinite(found) or found < 0 or (found == 0 and not allow_zero):
        sign = "zero or positive" if allow_zero else "positive"
        raise InputError(f"{name} must be finite and {sign}; got {found!r}")
    return found


def integer(value, name: str, *, low: int = 1, high: int | None = None) -> int:
    """Return `value` as an int in [low, high]."""
    found = value
    if is_array_like(value) and (held := as_array(value, name)).ndim == 0:
        found = held[()]
    if isinstance(found, bool | np.bool_) or not isinstance(found, numbers.Integral):
        raise InputError(f"{name} must be an integer; got {shown(value)}")
    number = int(found)
    if number < low or (high is not None and number > high):
        region = f"at least {low}" if high is None else f"between {low} and {high}"
        raise InputError(f"{name} must be {region}; got {number}")
    return number


def count(value, name: str, *, entries: int = 1) -> int:
    """Return `value` as a positive int; refuse one whose array of `value` rows of `entries` floats cannot be held."""
    found = integer(value, name)
    if found * entries * 8 > MOST_BYTES:
        raise InputError(
            f"{name} must be at most {MOST_BYTES // (8 * entries)} here: {shown(found)} times {entries} numbers do not "
            "fit into memory; take fewer, or take them in parts"
        )
    return found


def known(value, kind: str, names):
    """Return `value` if it is one of `names`; the error lists the nearest. `kind` names the argument."""
    if not isinstance(value, str) or value not in names:
        raise UnknownNameError(kind, value, names)
    return value


def choice(value, name: str, allowed) -> str:
    """Return `value` if it is one of a few words."""
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {shown(value)}")
    return value


def sequence(value, name: str, what: str) -> tuple:
    """Return the entries of a list, tuple or other iterable as a tuple; `what` says what they are."""
    if isinstance(value, str | bytes | Mapping):
        raise InputError(f"{name} must be a list of {what}; got {shown(value)}")
    try:
        entries = iter(value)
    except TypeError:  # an array without axes claims to be iterable
        raise InputError(f"{name} must be a list of {what}; got {shown(value)}") from None
    return tuple(entries)


def function(value, name: str, signature: str, *, arguments: int | None = None):
    """Return `value` if it can be called, and called with so many positional arguments where its signature is known."""
    if not callable(value):
        raise InputError(f"{name} must be a function {signature}; got {shown(value)}")
    if arguments is None:
        return value
    # A module of PyTorch takes what its forward takes, and its __call__ says nothing.
    known = value.forward if callable(getattr(value, "forward", None)) else value
    try:
        taken = inspect.signature(known)
    except (TypeError, ValueError):  # compiled functions need not have a signature
        return value
    try:
        taken.bind(*(None,) * arguments)
    except TypeError:
        many = "one argument" if arguments == 1 else f"{arguments} arguments"
        raise InputError(
            f"{name} must be a function {signature} and is called with {many}; the one given takes "
            f"{taken.replace(return_annotation=taken.empty)}"
        ) from None
    return value


def instance(value, name: str, kind: type, advice: str = ""):
    """Return `value` if it is a `kind`."""
    if not isinstance(value, kind):
        found = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise InputError(f"{name} must be a {kind.__name__}{advice}; got {found}")
    return value


def answer(value, what: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a copy of what a user's function gave, as a finite real array of this shape."""
    found = as_array(value, f"what {what} returns")
    if found.shape != shape or found.dtype.kind != "f":
        raise InputError(f"{what} must return a real array of shape {shape}; got {found.dtype} of shape {found.shape}")
    if not (fine := np.isfinite(found)).all():
        row = int(np.argwhere(~fine)[0, 0])
        raise InputError(f"{what} must return finite values; at point {row} it does not")
    return found


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
    array = real_array(value, name).astype(np.float64, copy=False)
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
        raise InputError(
            f"{name} must be a numpy.random.Generator such as np.random.default_rng(0); got {shown(value)}"
        )
    return value
