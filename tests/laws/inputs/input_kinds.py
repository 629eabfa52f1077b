"""Every kind of array-like, made from the same numbers: what a door must take, and what it must refuse by name."""

import array as buffers
import collections
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse
import xarray as xr

HAVE = {name: importlib.util.find_spec(name) is not None for name in ("torch", "jax", "polars", "pyarrow", "dask")}


@dataclass(frozen=True)
class Kind:
    """`make(array)` as this kind, or None where the kind has no such shape; `plain(array)`: the numbers it holds."""

    label: str
    make: Callable
    plain: Callable = lambda a: a
    remedy: str = ""
    """What the refusal must say; empty where the kind is taken."""


def flat(make):
    return lambda a: make(a) if a.ndim in (1, 2) else None


def matrix(make):
    return lambda a: make(a) if a.ndim == 2 else None


def full(make):
    """For kinds that must spoil an entry: not for numbers without axes."""
    return lambda a: make(a) if a.ndim else None


def real(make):
    return lambda a: make(a) if a.dtype.kind == "f" else None


def single(a):
    return a.astype(np.float32) if a.dtype.kind == "f" else a


def class_of(module, name, /, **members):
    """A stand-in that only its class's module and name give away, as the classes of absent libraries do."""
    return type(name, (), {"__module__": module, **members})


class Layout:
    """Of a layout and a device alike: its text, and its type."""

    def __init__(self, text):
        self.text, self.type = text, text

    def __str__(self):
        return self.text


def tensor(a, *, layout="torch.strided", device="cpu", quantized=False, mask=False):
    """Behaves like torch.Tensor as far as the door asks: NumPy is had from a detached tensor on cpu alone."""

    def make(state):
        kind = class_of("torch", "Tensor", **METHODS)
        made = object.__new__(kind)
        made.__dict__.update(state)
        return made

    def step(key, value):
        return lambda self: make(self.__dict__ | {key: value})

    def numpy(self):
        if not self.detached or not self.on_host or self.dtype != "torch.float64":
            raise TypeError("can't convert this tensor to numpy")
        return a

    METHODS = {
        "detach": step("detached", True),
        "cpu": step("on_host", True),
        "resolve_conj": lambda self: self,
        "resolve_neg": lambda self: self,
        "is_floating_point": lambda self: True,
        "element_size": lambda self: 8 if self.dtype == "torch.float64" else 2,
        "float": step("dtype", "torch.float64"),
        "numpy": numpy,
        "is_nested": False,
        "ndim": a.ndim,
    }
    state = {"detached": False, "on_host": False, "dtype": "torch.bfloat16", "layout": Layout(layout)}
    return make(state | {"device": Layout(device), "is_quantized": quantized})


def polars_column(a, name="x", nulls=0, dtype="Float64"):
    members = {"name": name, "dtype": dtype, "null_count": lambda self: nulls, "to_numpy": lambda self: a}
    return class_of("polars.series.series", "Series", **members)()


def polars_frame(a, **options):
    columns = [polars_column(a[:, i], str(i), **options) for i in range(a.shape[1])]
    return class_of("polars.dataframe.frame", "DataFrame", get_columns=lambda self: columns, shape=a.shape)()


def arrow_table(a, nulls=0):
    def column(i):
        values = lambda self, dtype=None, copy=None: a[:, i]  # noqa: E731
        return class_of("pyarrow.lib", "ChunkedArray", null_count=nulls, type="double", __array__=values)()

    schema = collections.namedtuple("Schema", "names")([str(i) for i in range(a.shape[1])])
    members = {"schema": schema, "column": lambda self, i: column(i), "shape": a.shape}
    return class_of("pyarrow.lib", "Table", **members)()


def lazy(a, name="Array", module="dask.array.core"):
    return class_of(module, name, compute=lambda self: a, collect=lambda self: a)()


def device_array(a, **members):
    return class_of("cupy", "ndarray", __cuda_array_interface__={}, **members)()


def with_array(a, **members):
    return class_of("somewhere", "Thing", __array__=lambda self, dtype=None, copy=None: a, **members)()


def with_dlpack(a):
    members = {
        "__dlpack__": lambda self, **k: a.__dlpack__(**k),
        "__dlpack_device__": lambda self: a.__dlpack_device__(),
    }
    return class_of("somewhere", "Capsule", **members)()


def array_of_jax(a):
    """As JAX's arrays present themselves: through `__array__` and `__dlpack__`, read-only."""
    held = a.copy()
    held.flags.writeable = False
    members = {
        "__array__": lambda self, dtype=None, copy=None: held,
        "__dlpack__": lambda self, **k: a.__dlpack__(**k),
        "__dlpack_device__": lambda self: a.__dlpack_device__(),
        "dtype": a.dtype,
        "shape": a.shape,
    }
    return class_of("jaxlib._jax", "ArrayImpl", **members)()


def traced(a):
    def refuse(self, dtype=None, copy=None):
        raise TypeError("The numpy.ndarray conversion method __array__() was called on traced array")

    return class_of("jax", "Tracer", __array__=refuse)()


def unaligned(a):
    raw = np.zeros(a.nbytes + 1, dtype=np.uint8)[1:].view(a.dtype).reshape(a.shape)
    raw[...] = a
    return raw


def spaced(a):
    wide = np.zeros((*a.shape, 2), dtype=a.dtype)
    wide[..., 0] = a
    return wide[..., 0]


def masked(a, *, entry=True):
    mask = np.zeros(a.shape, dtype=bool)
    if entry:
        mask.flat[-1] = True
    return np.ma.masked_array(a, mask)


def rows(a):
    return [f"row{i}" for i in range(a.ndim)]


def labelled(a, **attrs):
    return xr.DataArray(a, dims=rows(a), attrs=attrs)


def filled(a, fill):
    filled = a.astype(float) if a.dtype.kind != "f" else a.copy()
    filled.flat[-1] = fill
    return filled


def frame(a, **options):
    return pd.DataFrame(a, **options) if a.ndim == 2 else pd.Series(a, **options)


def two_levels(a):
    return pd.DataFrame(a, columns=pd.MultiIndex.from_tuples([("a", i) for i in range(a.shape[1])]))


def numbered(a):
    return pd.DataFrame(a).reset_index().rename(columns={"index": "Unnamed: 0"})


def variable(a):
    return class_of("netCDF4", "Variable", __getitem__=lambda self, key: a)()


def single_with_fills(a):
    return labelled(filled(a.astype("f4"), 1e20), missing_value=1e20)


def missing(a):
    spoilt = frame(a).astype("Float64" if a.dtype.kind == "f" else "Int64")
    if a.ndim == 2:
        spoilt.iloc[-1, -1] = pd.NA
    else:
        spoilt.iloc[-1] = pd.NA
    return spoilt


TAKEN = [
    Kind("list", lambda a: a.tolist()),
    Kind("tuple", full(lambda a: tuple(a.tolist()))),
    Kind("list of arrays", full(list)),
    Kind("deque", full(lambda a: collections.deque(a.tolist()))),
    Kind("fortran order", full(np.asfortranarray)),
    Kind("strided", spaced),
    Kind("reversed twice", full(lambda a: np.ascontiguousarray(a[::-1])[::-1])),
    Kind("read-only", lambda a: (b := a.copy(), b.setflags(write=False))[0]),
    Kind("unaligned", unaligned),
    Kind("big-endian", lambda a: a.astype(a.dtype.newbyteorder(">"))),
    Kind("big-endian single", real(lambda a: a.astype(">f4")), single),
    Kind("long double", real(lambda a: a.astype(np.longdouble))),
    Kind("half", real(lambda a: a.astype(np.float16)), lambda a: a.astype(np.float16).astype(np.float32)),
    Kind("matrix", matrix(lambda a: a.view(np.matrix))),
    Kind("subclass", lambda a: a.view(type("Own", (np.ndarray,), {}))),
    Kind("memoryview", full(lambda a: memoryview(np.ascontiguousarray(a)))),
    Kind("array.array", lambda a: buffers.array("d", a) if a.ndim == 1 and a.dtype == float else None),
    Kind("unmasked masked array", lambda a: masked(a, entry=False)),
    Kind("list of unmasked rows", matrix(lambda a: list(masked(a, entry=False)))),
    Kind("__array__", with_array),
    Kind("__array__ without keywords", lambda a: class_of("old", "Thing", __array__=lambda self: a)()),
    Kind("__dlpack__", with_dlpack),
    Kind("jax (stand-in)", array_of_jax),
    Kind("device array", lambda a: device_array(a, get=lambda self: a)),
    Kind("device interface on a host", lambda a: device_array(a, __array__=lambda self, dtype=None, copy=None: a)),
    Kind("tensor (stand-in)", real(tensor)),
    Kind("list of tensors (stand-in)", full(real(lambda a: [tensor(row) for row in a]))),
    Kind("pandas", flat(frame)),
    Kind("pandas nullable", flat(lambda a: frame(a).astype("Float64" if a.dtype.kind == "f" else "Int64"))),
    Kind("pandas Float32", flat(real(lambda a: frame(a).astype("Float32"))), single),
    Kind("pandas two levels", matrix(two_levels)),
    Kind("pandas one name twice", matrix(lambda a: pd.DataFrame(a, columns=["x"] * a.shape[1]))),
    Kind("pandas mixed", matrix(real(lambda a: pd.DataFrame(a).astype({0: "Float64"})))),
    Kind("pandas sparse", matrix(real(lambda a: pd.DataFrame(a).astype(pd.SparseDtype(a.dtype, 0.0))))),
    Kind("polars (stand-in)", matrix(polars_frame)),
    Kind("polars column (stand-in)", lambda a: polars_column(a) if a.ndim == 1 else None),
    Kind("arrow (stand-in)", matrix(arrow_table)),
    Kind("dask (stand-in)", lazy),
    Kind("dask frame (stand-in)", flat(lambda a: lazy(frame(a), "DataFrame", "dask.dataframe.core"))),
    Kind("netCDF4 variable (stand-in)", lambda a: variable(masked(a, entry=False))),
    Kind("DataArray", labelled),
    Kind("xarray Variable", lambda a: labelled(a).variable),
    Kind("Dataset of one", lambda a: xr.Dataset({"v": labelled(a), "name": "text"})),
    Kind("DataArray with an unused fill value", lambda a: labelled(a, _FillValue=1e20, missing_value="none")),
]  # fmt: skip

REFUSED = [
    Kind("masked", full(masked), remedy="masked"),
    Kind("masked number", lambda a: np.ma.masked if a.ndim == 0 else None, remedy="masked"),
    Kind("masked rows", matrix(lambda a: list(masked(a))), remedy="masked"),
    Kind("masked entry in lists", full(lambda a: nest(a, np.ma.masked)), remedy="masked"),
    Kind("__array__ of a masked array", full(lambda a: with_array(masked(a))), remedy="masked"),
    Kind("dask of a masked array (stand-in)", full(lambda a: lazy(masked(a))), remedy="masked"),
    Kind("netCDF4 variable with holes (stand-in)", full(lambda a: variable(masked(a))), remedy="masked"),
    Kind("generator", full(lambda a: (row for row in a.tolist())), remedy="list"),
    Kind("sparse", matrix(scipy.sparse.csr_array), remedy="toarray"),
    Kind("sparse with __array__", full(lambda a: refusing_sparse()), remedy="todense"),
    Kind("mapping", lambda a: {"a": a}, remedy="list"),
    Kind("objects", lambda a: a.astype(object), remedy="dtype=float"),
    Kind("dates", lambda a: a.astype(int).astype("datetime64[s]"), remedy="timedelta"),
    Kind("durations", lambda a: a.astype(int).astype("timedelta64[s]"), remedy="timedelta"),
    Kind("text", lambda a: a.astype(str), remedy="astype"),
    Kind("structured", lambda a: np.zeros(a.shape, dtype=[("a", float), ("b", float)]), remedy="structured"),
    Kind("tensor on no device (stand-in)", real(lambda a: tensor(a, device="meta")), remedy="cpu"),
    Kind("sparse tensor (stand-in)", real(lambda a: tensor(a, layout="torch.sparse_coo")), remedy="to_dense"),
    Kind("quantized tensor (stand-in)", real(lambda a: tensor(a, quantized=True)), remedy="dequantize"),
    Kind("traced array (stand-in)", traced, remedy="pure_callback"),
    Kind("device array without a way back", device_array, remedy="host"),
    Kind("pandas with NA", flat(full(missing)), remedy="dropna"),
    Kind("pandas with NaN", flat(full(lambda a: frame(filled(a, np.nan)))), remedy="dropna"),
    Kind("pandas objects", flat(full(lambda a: frame(a).astype(object))), remedy="astype"),
    Kind("pandas with text", matrix(lambda a: pd.DataFrame(a).assign(kind="a")), remedy="drop"),
    Kind("pandas with row numbers", matrix(numbered), remedy="index_col"),
    Kind("polars with nulls (stand-in)", matrix(lambda a: polars_frame(a, nulls=1)), remedy="drop_nulls"),
    Kind("polars text (stand-in)", matrix(lambda a: polars_frame(a.astype(str), dtype="String")), remedy="cast"),
    Kind("lazy frame (stand-in)", matrix(lambda a: lazy(a, "LazyFrame", "polars.lazyframe.frame")), remedy="collect"),
    Kind("arrow with nulls (stand-in)", matrix(lambda a: arrow_table(a, nulls=2)), remedy="fill_null"),
    Kind("Dataset of two", lambda a: xr.Dataset({"v": labelled(a), "w": labelled(a)}), remedy="'v', 'w'"),
    Kind("DataArray with fills", full(lambda a: labelled(filled(a, 1e20), _FillValue=1e20)), remedy="mask_and_scale"),
    Kind("single DataArray with fills", full(single_with_fills), remedy="mask_and_scale"),
]  # fmt: skip


def nest(a, entry):
    lists = a.tolist()
    inner = lists
    while isinstance(inner[-1], list):
        inner = inner[-1]
    inner[-1] = entry
    return lists


def refusing_sparse():
    def refuse(self, dtype=None, copy=None):
        raise RuntimeError("Cannot convert a sparse array to dense automatically")

    return class_of("sparse", "COO", __array__=refuse, todense=None)()


if HAVE["torch"]:
    import torch

    def graph(a):
        return torch.tensor(a).requires_grad_()

    def brain(a):
        return torch.tensor(a).bfloat16().float().numpy()

    TAKEN += [
        Kind("torch", lambda a: torch.tensor(a)),
        Kind("torch with gradient", real(graph)),
        Kind("torch Parameter", real(lambda a: torch.nn.Parameter(torch.tensor(a)))),
        Kind("torch float32", real(lambda a: torch.tensor(a).float()), single),
        Kind("torch bfloat16", real(lambda a: torch.tensor(a).bfloat16()), brain),
        Kind("torch float16", real(lambda a: torch.tensor(a).half()), lambda a: a.astype("f2").astype("f4")),
        Kind("torch strided", lambda a: torch.tensor(spaced(a))),
        Kind("torch negated view", real(lambda a: torch._neg_view(-torch.tensor(a)))),
        Kind("list of torch rows", full(lambda a: list(torch.tensor(a)))),
    ]
    REFUSED += [
        Kind("torch sparse", matrix(real(lambda a: torch.tensor(a).to_sparse())), remedy="to_dense"),
        Kind("torch meta", lambda a: torch.tensor(a).to("meta"), remedy="cpu"),
        Kind("torch complex", real(lambda a: torch.tensor(a + 1j)), remedy="real"),
    ]

if HAVE["jax"]:
    import jax

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jax.numpy as jnp

    def brain_of_jax(a):
        return np.asarray(jnp.asarray(single(a)).astype(jnp.bfloat16).astype(jnp.float32))

    TAKEN += [
        Kind("jax", real(lambda a: jnp.asarray(single(a))), single),
        Kind("jax bfloat16", real(lambda a: jnp.asarray(single(a)).astype(jnp.bfloat16)), brain_of_jax),
        Kind("NumPy bfloat16", real(lambda a: np.asarray(jnp.asarray(single(a)).astype(jnp.bfloat16))), brain_of_jax),
        Kind("list of jax rows", full(real(lambda a: list(jnp.asarray(single(a))))), single),
    ]

    def traced_by_jax(a):
        seen = []
        jax.jit(lambda x: seen.append(x))(jnp.asarray(single(a)))
        return seen[0]

    REFUSED += [
        Kind("jax key", lambda a: jax.random.key(0), remedy="NumPy array"),
        Kind("jax traced", real(traced_by_jax), remedy="pure_callback"),
    ]

if HAVE["polars"]:
    import polars as pl

    TAKEN += [
        Kind("polars", matrix(lambda a: pl.DataFrame(a))),
        Kind("polars column", lambda a: pl.Series(a) if a.ndim == 1 else None),
        Kind("polars Float32", matrix(real(lambda a: pl.DataFrame(a).cast(pl.Float32))), single),
    ]
    REFUSED += [
        Kind("polars with nulls", matrix(lambda a: pl.DataFrame(a).with_columns(n=None)), remedy="drop_nulls"),
        Kind("polars lazy", matrix(lambda a: pl.DataFrame(a).lazy()), remedy="collect"),
        Kind("polars decimals", matrix(lambda a: pl.DataFrame(a).cast(pl.Decimal(20, 4))), remedy="cast"),
    ]

if HAVE["pyarrow"]:
    import pyarrow as pa

    TAKEN += [
        Kind("arrow", matrix(lambda a: pa.table({str(i): a[:, i] for i in range(a.shape[1])}))),
        Kind("pandas of arrow", flat(lambda a: frame(a).astype(pd.ArrowDtype(pa.from_numpy_dtype(a.dtype))))),
    ]  # fmt: skip
    REFUSED += [
        Kind("arrow with nulls", matrix(lambda a: pa.table({"a": a[:, 0], "n": pa.nulls(len(a))})), remedy="fill_null"),
    ]

if HAVE["dask"]:
    import dask.array

    TAKEN += [Kind("dask", full(lambda a: dask.array.from_array(a, chunks=2)))]
    REFUSED += [Kind("dask masked", full(lambda a: dask.array.from_array(masked(a), chunks=2)), remedy="masked")]
