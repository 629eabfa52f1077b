"""The laws of `AbstractField`, one check each."""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields import AbstractField
from unifiedscore.testing.laws import LawError, compare, differentiate, directions, require
from unifiedscore.validate import real_array, shown


def _points(field, x) -> np.ndarray:
    require(
        isinstance(field, AbstractField),
        "a field is an AbstractField",
        "an instance",
        repr(field),
        "wrap a callable with unifiedscore.as_field(f, dimension=d)",
    )
    x = np.array(real_array(x, "x"), dtype=np.float64, ndmin=2)
    require(
        x.ndim == 2 and x.shape[1] == field.dimension,
        "the field takes points of its dimension",
        f"x of shape (n, {field.dimension})",
        x.shape,
        "pass points of that dimension, or correct `dimension`",
    )
    return x


def _check_shape(field, x) -> None:
    x = _points(field, x)
    for dtype in (np.float64, np.float32):
        given = x.astype(dtype)
        copy = given.copy()
        value = field(given)
        require(np.array_equal(given, copy), "a field leaves x as it is", "x unchanged", "x modified", "copy x first")
        require(
            isinstance(value, np.ndarray) and value.shape == x.shape and value.dtype == dtype,
            "field(x) has the shape and dtype of x",
            f"{np.dtype(dtype)} of shape {x.shape}",
            f"{getattr(value, 'dtype', type(value))} of shape {np.shape(value)}",
            "compute in float64 and return value.astype(x.dtype)",
        )
        require(np.isfinite(value).all(), "a field is finite", "finite values", value, "check overflow and 0/0")


def _check_deterministic(field, x) -> None:
    x = _points(field, x)
    first, second = field(x), field(x)
    require(
        np.array_equal(first, second),
        "a field is deterministic",
        "equal values on a second call",
        f"a difference of {np.abs(first - second).max():.3g}",
        "draw noise once, outside the field",
    )


def _check_batch(field, x) -> None:
    x = _points(field, x)
    whole = field(x)
    single = np.concatenate([field(row[None]) for row in x])
    reverse = field(np.ascontiguousarray(x[::-1]))[::-1]
    # Blocked products add in another order: eps times the length of the sums, in the precision that the field works in.
    scale, tolerance = np.abs(whole).max() + np.abs(x).max(), _BATCH[_precision(whole)]
    for name, other in (("one by one", single), ("in reverse order", reverse)):
        gap = np.abs(whole - other).max()
        require(
            gap <= tolerance * scale,
            "the value at a point does not depend on the other points of the batch",
            f"the values of the whole batch when evaluated {name}",
            f"a difference of {gap:.3g}",
            "do not normalise or average over the batch",
        )


# Some thousand roundings: far below what normalising over a batch of a few points changes.
_BATCH = {np.float64: 1e-9, np.float32: 1e-4}


def _precision(value) -> type:
    """float32 where float64 values are all float32 numbers, as those of a network are; float64 otherwise."""
    return np.float32 if np.array_equal(value.astype(np.float32), value) else np.float64


def _check_potential(field, x) -> None:
    x = _points(field, x)
    if field.potential(x) is None:
        return
    potential = field.potential(x)
    require(
        np.shape(potential) == (len(x),),
        "potential(x) is one number a point",
        f"shape {(len(x),)}",
        np.shape(potential),
        "sum over the coordinates",
    )
    axes, value = directions(x), field(x)
    slope, error = differentiate(field.potential, x, axes)
    compare(
        value @ axes.T,
        slope,
        error,
        "the field is +grad of its potential",
        "check the sign (field = +grad potential) and the factor of the potential, or return None",
    )


def _check_jacobian(field, x) -> None:
    x = _points(field, x)
    jacobian = field.jacobian(x)
    axes = directions(x)
    slope, error = differentiate(field, x, axes)  # (n, d, k)
    if jacobian is not None:
        shape = (*x.shape, x.shape[1])
        require(np.shape(jacobian) == shape, "the shape of jacobian(x)", shape, np.shape(jacobian), "return J[n, i, j]")
        compare(
            jacobian @ axes.T,
            slope,
            error,
            "jacobian(x) is J[n, i, j] = dF_i/dx_j",
            "check its transposition, sign and missing terms, or return None",
        )
    if not field.is_conservative:
        return
    # u . dF/dv = v . dF/du, by the differences above and hence for fields without a Jacobian as well.
    gram = np.einsum("ki,nij->nkj", axes, slope)
    bound = np.einsum("ki,nij->nkj", np.abs(axes), error)
    compare(
        gram,
        gram.transpose(0, 2, 1),
        bound + bound.transpose(0, 2, 1),
        "a conservative field has a symmetric Jacobian",
        "is_conservative must be False unless the field is a gradient",
    )


def _check_bad_input(field, x) -> None:
    x = _points(field, x)
    poisoned = x.copy()
    poisoned[0, 0] = np.nan
    for name, bad in (
        ("a point with a NaN", poisoned),
        ("points of dimension d + 1", np.concatenate([x, x[:, :1]], axis=1)),
        ("a one-dimensional array", x[0]),
        ("complex points", x + 1j),
    ):
        try:
            value = field(bad)
        except InputError:
            continue
        except Exception as error:
            value = repr(error)
        raise LawError(
            f"a field refuses {name}: expected an InputError; got {shown(value)}; "
            "begin __call__ with unifiedscore.validate.points(x, 'x', dimension=self.dimension)"
        )


FIELD_CHECKS = (
    _check_shape,
    _check_deterministic,
    _check_batch,
    _check_potential,
    _check_jacobian,
    _check_bad_input,
)
