"""The one door for arrays: whatever holds numbers becomes a NumPy array of its own, or a clear `InputError`.

No library is imported here. A foreign object is known by the module and name of its class, so that a tensor can be
taken without PyTorch being loaded for those who do not use it.
"""

from __future__ import annotations

from array import array as buffer
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from numbers import Number

import numpy as np

from unifiedscore.errors import LONGEST, InputError

FILL_ATTRIBUTES = ("_FillValue", "missing_value")
_NO_NUMBERS = {
    "O": "convert it with np.asarray(..., dtype=float) where every entry is a number",
    "M": "give durations in a unit, (dates - dates.min()) / np.timedelta64(1, 's')",
    "m": "divide it by a unit, such as np.timedelta64(1, 's')",
    "U": "convert text with .astype(float)",
    "S": "convert text with .astype(float)",
    "T": "convert text with .astype(float)",
    "V": "give the columns as one array, numpy.lib.recfunctions.structured_to_unstructured(...)",
}


_NATIVE = frozenset({np.dtype(np.float32), np.dtype(np.float64)})  # byte order included
_NUMBERS = frozenset({float, np.float64})


def as_array(value, name: str) -> np.ndarray:
    """Return `value` as a new NumPy array of numbers that shares no memory with it.

    The result is C-contiguous, aligned and in native byte order. Half precision of every kind (float16, bfloat16,
    float8) becomes float32, which holds it exactly; long doubles become float64, rounded. Other numbers keep their
    type. Masked entries, missing values, fill values, sparse and symbolic arrays are refused, and never filled in.

    Parameters
    ----------
    value : array-like
        A number, (nested) lists, a NumPy array of any layout, a masked array without masked entries, a tensor of
        PyTorch on any device, an array of JAX, a data frame or a column of pandas, polars or pyarrow, a DataArray or a
        Dataset of one numeric variable, a dask array (which is computed), a buffer, or an object with `__array__`,
        `__dlpack__` or `__cuda_array_interface__`.
    name : str
        What to call the argument in an error.
    """
    kind = type(value)
    # Most calls bring plain numbers or arrays of them, and some thousands of them a second.
    if kind in _NUMBERS or (kind is np.ndarray and value.dtype in _NATIVE):
        return np.array(value, order="C", copy=True)
    array = value if kind is np.ndarray else _converted(value, name)
    # A shield for what `__array__` of an unknown library may hand out.
    array = array if type(array) is np.ndarray else unmasked(array, name)
    with np.errstate(over="ignore"):
        return np.array(array, dtype=_plain_dtype(array, name), order="C", copy=True)


def is_array_like(value) -> bool:
    """Whether an object presents itself as an array; numbers, lists and text do not."""
    protocols = ("__array__", "__array_interface__", "__dlpack__", "__cuda_array_interface__")
    return not isinstance(value, np.generic) and any(hasattr(type(value), name) for name in protocols)


def refuse(name: str, what: str, remedy: str):
    """Raise the error that names the argument, what is wrong with it and what to do."""
    raise InputError(f"{name} {what}; {remedy}") from None


def guarded(convert: Callable[[], object], name: str, remedy: str):
    """Run a conversion of foreign code; whatever it raises becomes an error that names the argument."""
    try:
        return convert()
    except (InputError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:LONGEST] or type(error).__name__
        refuse(name, f"cannot be turned into a NumPy array ({reason})", remedy)


def unmasked(array: np.ndarray, name: str) -> np.ndarray:
    """The numbers of an array of any subclass, none of them masked."""
    mask = getattr(array, "mask", False)
    mask = np.asarray(False if callable(mask) or array.dtype.names else mask)
    if mask.any():
        mask = np.broadcast_to(mask, array.shape)
        first = tuple(int(i) for i in np.argwhere(mask)[0])
        where = f", the first at index {first}" if first else ""
        entries = f"{int(mask.sum())} masked entr{'ies' if mask.sum() > 1 else 'y'}{where}"
        drop = f"np.ma.compress_rows({name})" if array.ndim == 2 else f"{name}.compressed()"
        refuse(name, f"holds {entries}", f"drop what is masked with {drop}, or choose values with {name}.filled(...)")
    return array.view(np.ndarray)


def refuse_fill_values(array: np.ndarray, attributes, name: str) -> None:
    """Refuse entries that equal the fill value which the attributes of a netCDF or HDF5 variable declare."""
    for key in FILL_ATTRIBUTES:
        fill = attributes.get(key) if isinstance(attributes, Mapping) else None
        if fill is None or array.dtype.kind not in "fiu" or not isinstance(np.ravel(fill)[0].item(), Number):
            continue
        # In the type of the array: 1e20 in single precision is another number.
        with np.errstate(invalid="ignore", over="ignore"):
            held = np.ravel(fill).astype(array.dtype)
        held = held[held == np.ravel(fill)] if array.dtype.kind in "iu" else held
        if found := int(np.isin(array, held).sum()):
            refuse(
                name,
                f"holds {found} entries equal to its {key} {np.ravel(fill)[0].item()!r}: they are missing",
                "open the file with mask_and_scale=True, and drop or fill what is then NaN",
            )


def _plain_dtype(array: np.ndarray, name: str) -> np.dtype:
    dtype = array.dtype
    if dtype.kind in "fc":
        wide = 2 if dtype.kind == "c" else 1
        size = min(max(dtype.itemsize, 4 * wide), 8 * wide)
        return np.dtype(f"{dtype.kind}{size}")
    if dtype.kind in "iub":
        return dtype.newbyteorder("=")
    # bfloat16 and float8 as JAX and TensorFlow write them in NumPy: numbers of a kind that NumPy does not know.
    if dtype.type.__module__.partition(".")[0] == "ml_dtypes" and "complex" not in dtype.name:
        return np.dtype(np.float32 if "float" in dtype.name else np.int64)
    held = ""
    if dtype.kind == "O" and array.size and array.ndim:
        first = next((i for i, v in np.ndenumerate(array) if not isinstance(v, Number)), (0,) * array.ndim)
        held = f" (a {type(array[first]).__name__} at index {first})"
    elif dtype.kind == "O" and array.size:
        held = f" (a {type(array[()]).__name__})"
    remedy = _NO_NUMBERS.get(dtype.kind, "give numbers")
    refuse(name, f"must be a real numeric array; got dtype {str(dtype)[:LONGEST]}{held}", remedy)


def _converted(value, name: str):
    from unifiedscore import foreign

    for kind in type(value).__mro__:
        # Keyed by the root module, for the private modules in between are renamed at will.
        reader = foreign.READERS.get((str(kind.__module__).partition(".")[0], kind.__name__))
        if reader is not None:
            return reader(value, name)
    if isinstance(value, np.ndarray | np.generic | memoryview | buffer | range):
        return guarded(lambda: np.asanyarray(value), name, "give an array")
    if isinstance(value, str | bytes | bytearray):
        refuse(name, f"must be a real numeric array; got {type(value).__name__}", "give numbers, not text")
    if isinstance(value, Mapping | Set):
        refuse(name, f"must be an array; got {type(value).__name__}", "give its values as a list of rows")
    if isinstance(value, Iterator):
        refuse(name, f"must be an array; got {type(value).__name__}, which can be read once", "give list(...) of it")
    if isinstance(value, Sequence):
        return _from_sequence(value if isinstance(value, list | tuple) else list(value), name)
    return _from_protocol(value, name)


def _from_sequence(value: list | tuple, name: str) -> np.ndarray:
    if not _holds_foreign(value):
        try:
            return np.asarray(value)
        except ValueError as error:
            raise InputError(f"{name} must be a regular array of numbers; {error}") from None
    parts = [as_array(part, f"{name}[{i}]") for i, part in enumerate(value)]
    if len({part.shape for part in parts}) > 1:
        shapes = ", ".join(dict.fromkeys(str(part.shape) for part in parts))
        raise InputError(f"{name} must be a regular array of numbers; its parts have shapes {shapes[:LONGEST]}")
    return np.stack(parts)


def _holds_foreign(value) -> bool:
    """Whether nested lists hold anything that NumPy would convert behind our back, such as a masked row or a tensor."""
    for kind in set(map(type, value)):
        if issubclass(kind, list | tuple):
            if any(_holds_foreign(part) for part in value if type(part) is kind):
                return True
        elif not (kind is np.ndarray or issubclass(kind, Number | np.generic | str | bytes | type(None))):
            return True
    return False


def _from_protocol(value, name: str) -> np.ndarray:
    kind = type(value)
    if callable(value) and not is_array_like(value):
        what = "field" if hasattr(value, "dimension") else "function"
        called = getattr(value, "__name__", kind.__name__)
        refuse(
            name,
            f"must be an array of values; got the {what} {called}",
            "evaluate it at the queries: field(x), with x the (n, d) array of points",
        )
    if hasattr(kind, "__cuda_array_interface__"):
        if fetch := [m for m in ("get", "copy_to_host") if hasattr(kind, m)]:
            return guarded(getattr(value, fetch[0]), name, "copy it to the host first")
        if not hasattr(kind, "__array__"):
            refuse(name, f"lies on an accelerator ({kind.__name__})", "copy it to the host first")
    if not is_array_like(value) and (dense := [m for m in ("toarray", "todense") if hasattr(kind, m)]):
        refuse(name, f"is sparse ({kind.__name__})", f"give {name}.{dense[0]}(), if it fits into memory")
    if hasattr(kind, "__dlpack__") and not hasattr(kind, "__array__"):
        return guarded(lambda: np.from_dlpack(value), name, "copy it to the host, as float32 or float64")
    advice = "give its values as a NumPy array, outside of any traced function"
    if hasattr(kind, "todense"):
        advice = f"give {name}.todense(), if it fits into memory"
    array = guarded(lambda: np.asanyarray(value), name, advice)
    refuse_fill_values(array, getattr(value, "attrs", None) if is_array_like(value) else None, name)
    return array
