"""Readers of tensors, data frames and labelled arrays, by the module and the name of their class.

Each is called by `unifiedscore.arrays.as_array` and returns NumPy numbers, which may share memory with the value. A
reader uses methods of the value alone; none imports the library that the value comes from.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unifiedscore.arrays import guarded, refuse, refuse_fill_values, unmasked

_ROW_NUMBERS = ("", "Unnamed: 0")
"""What polars and pandas call the first column of a file in which `DataFrame.to_csv` wrote its index."""


def _torch(tensor, name: str) -> np.ndarray:
    if str(tensor.layout) != "torch.strided" or tensor.is_nested:
        refuse(name, f"is a tensor of layout {tensor.layout}", f"give {name}.to_dense(), or one padded tensor")
    if tensor.is_quantized:
        refuse(name, "is a quantized tensor", f"give {name}.dequantize()")
    if tensor.device.type == "meta":
        refuse(name, "is a tensor on the device meta, which holds no numbers", "give a tensor on cpu")
    advice = f"give {name}.detach().cpu(), outside of vmap, compile and fake modes"
    return guarded(lambda: _torch_values(tensor), name, advice)


def _torch_values(tensor) -> np.ndarray:
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    # NumPy has no bfloat16 and no float8; float32 holds both and float16 exactly.
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()
    return tensor.numpy()


def _masked_torch(tensor, name: str):
    refuse(name, "is a masked tensor", f"give {name}.to_tensor(value) with a value of your choice for what is masked")


def _traced(array, name: str):
    refuse(
        name,
        "is a traced array of JAX, whose numbers are not known before the traced function runs",
        "call this outside of jit, grad and vmap, or through jax.pure_callback",
    )


def _pandas_frame(frame, name: str) -> np.ndarray:
    types = list(frame.dtypes)
    if types and all(isinstance(t, np.dtype) and t == types[0] and t.kind in "fiub" for t in types):
        _refuse_row_numbers(frame.columns[0], types[0].kind, len(types), name)
        array = frame.to_numpy()
        missing = np.isnan(array).any(axis=0) if types[0].kind == "f" else np.zeros(1, dtype=bool)
        if missing.any():
            _refuse_missing(frame.columns[int(np.argmax(missing))], name)
        return array
    return _stacked(((label, frame.iloc[:, i]) for i, label in enumerate(frame.columns)), _pandas_column, frame, name)


def _pandas_column(column, name: str) -> np.ndarray:
    dtype = column.dtype
    kind = getattr(dtype, "kind", "O")
    if kind not in "fiub":
        refuse(name, f"must be a real numeric array; got dtype {dtype}", "convert it with .astype(float) or drop it")
    if np.asarray(column.isna()).any():
        row = int(np.argmax(np.asarray(column.isna())))
        refuse(name, f"has a missing value in row {row}", "drop it with .dropna() or choose a value with .fillna(...)")
    # Nullable and pyarrow types name the NumPy type that holds them, sparse types that of their values.
    plain = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
    return column.to_numpy(dtype=plain)


def _polars_frame(frame, name: str) -> np.ndarray:
    return _stacked(((column.name, column) for column in frame.get_columns()), _polars_column, frame, name)


def _polars_column(column, name: str) -> np.ndarray:
    if count := column.null_count():
        refuse(name, f"has {_missing(count)}", "drop them with .drop_nulls() or choose a value with .fill_null(...)")
    array = guarded(column.to_numpy, name, "convert it with .cast(pl.Float64)")
    if array.dtype.kind not in "fiub":
        remedy = "convert it with .cast(pl.Float64) or leave it out"
        refuse(name, f"must be a real numeric array; got dtype {column.dtype}", remedy)
    return array


def _lazy(frame, name: str):
    refuse(name, "is a lazy frame", f"give {name}.collect()")


def _arrow_table(table, name: str) -> np.ndarray:
    pairs = ((label, table.column(i)) for i, label in enumerate(table.schema.names))
    return _stacked(pairs, _arrow_column, table, name)


def _arrow_column(column, name: str) -> np.ndarray:
    if column.null_count:
        refuse(name, f"has {_missing(column.null_count)}", "drop them or choose a value with .fill_null(...)")
    array = guarded(lambda: np.asarray(column), name, "convert it with .cast('float64')")
    if array.dtype.kind not in "fiub":
        refuse(name, f"must be a real numeric array; got type {column.type}", "cast it to float64 or leave it out")
    return array


def _stacked(columns: Iterable, read, frame, name: str) -> np.ndarray:
    """The columns side by side in the type that holds all of them; an error names the column."""
    parts = []
    for label, column in columns:
        parts.append(read(column, f"{name}: column {label!r}"))
        if len(parts) == 1:
            _refuse_row_numbers(label, parts[0].dtype.kind, frame.shape[1], name)
        if parts[-1].ndim != 1:
            what = f"must hold one number in each row; got shape {parts[-1].shape}"
            refuse(f"{name}: column {label!r}", what, "split it")
    if not parts:
        refuse(name, f"must be a table with columns of numbers; got shape {frame.shape}", "select some")
    return np.stack(parts, axis=1)


def _refuse_row_numbers(label, kind: str, width: int, name: str) -> None:
    if isinstance(label, str) and label in _ROW_NUMBERS and kind in "iu" and width > 1:
        refuse(
            name,
            f"has the column {label!r} of row numbers, which DataFrame.to_csv wrote as an unnamed first column",
            "drop it (pandas.read_csv(..., index_col=0)), or rename it if it is a coordinate",
        )


def _missing(count: int) -> str:
    return f"{count} missing value{'s' if count > 1 else ''}"


def _refuse_missing(label, name: str):
    remedy = "drop its rows with .dropna() or choose a value with .fillna(...)"
    refuse(name, f"must be finite; the column {label!r} has missing values (NaN)", remedy)


def _labelled(array, name: str) -> np.ndarray:
    values = guarded(lambda: array.values, name, "give its values as a NumPy array")
    values = values if type(values) is np.ndarray else unmasked(np.asanyarray(values), name)
    refuse_fill_values(values, array.attrs, name)
    return values


def _dataset(dataset, name: str) -> np.ndarray:
    numeric = [key for key, variable in dataset.data_vars.items() if variable.dtype.kind in "fiub"]
    if len(numeric) != 1:
        listed = ", ".join(map(repr, dataset.data_vars)) or "none"
        refuse(
            name,
            f"must be a Dataset with one numeric variable; got {len(numeric)} (its variables: {listed})",
            f"choose one, {name}[{numeric[0]!r}]" if numeric else "choose a variable of numbers",
        )
    return _labelled(dataset[numeric[0]], name)


def _tree(tree, name: str):
    refuse(name, "is a tree of data sets", f"choose one variable, such as {name}['group/variable']")


def _lazily_computed(value, name: str):
    from unifiedscore.arrays import as_array

    return as_array(guarded(value.compute, name, f"give {name}.compute()"), name)


def _variable_of_a_file(variable, name: str) -> np.ndarray:
    """A netCDF4 variable hands out a masked array when it is read, and its bare numbers when it is converted."""
    return unmasked(guarded(lambda: np.asanyarray(variable[...]), name, f"give {name}[...]"), name)


READERS = {
    ("torch", "MaskedTensor"): _masked_torch,
    ("torch", "Tensor"): _torch,
    ("jax", "Tracer"): _traced,
    ("pandas", "DataFrame"): _pandas_frame,
    ("pandas", "Series"): _pandas_column,
    ("pandas", "Index"): _pandas_column,
    ("pandas", "ExtensionArray"): _pandas_column,
    ("polars", "DataFrame"): _polars_frame,
    ("polars", "Series"): _polars_column,
    ("polars", "LazyFrame"): _lazy,
    ("pyarrow", "Table"): _arrow_table,
    ("pyarrow", "RecordBatch"): _arrow_table,
    ("pyarrow", "Array"): _arrow_column,
    ("pyarrow", "ChunkedArray"): _arrow_column,
    ("xarray", "DataArray"): _labelled,
    ("xarray", "Variable"): _labelled,
    ("xarray", "Dataset"): _dataset,
    ("xarray", "DataTree"): _tree,
    ("dask", "Array"): _lazily_computed,
    ("dask", "DataFrame"): _lazily_computed,
    ("dask", "Series"): _lazily_computed,
    ("netCDF4", "Variable"): _variable_of_a_file,
}
"""(root module, class name) of every known class; subclasses are found through their bases."""
