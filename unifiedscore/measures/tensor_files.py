"""Tensors from .safetensors, read without any library, and from .pt, which PyTorch reads without running code."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from unifiedscore.errors import FileError
from unifiedscore.extras import require_torch

LONGEST_HEADER = 100_000_000  # bytes, the limit of the format's own reader
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "BF16": "<u2",
}  # fmt: skip


def read_safetensors(path: Path, choose) -> tuple[np.ndarray, list[str]]:
    """One tensor of a file; `choose(names)` gives its name and notes.

    The file is eight bytes with the length of a JSON header, the header (dtype, shape and place of each tensor), and
    the numbers. Nothing that the header says is believed beyond the bytes that follow.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(LONGEST_HEADER, size - 8):
            raise FileError(f"{path}: the header claims {length} bytes of a file of {size}: truncated or damaged")
        header = json.loads(stream.read(length))
        tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
        name, notes = choose(list(tensors))
        entry = tensors[name]
        kind, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        if kind not in DTYPES:
            raise FileError(f"{path}: {name!r} has the dtype {kind}; expected real numbers, such as F32")
        dtype = np.dtype(DTYPES[kind])
        whole = all(type(number) is int and number >= 0 for number in (*shape, start, end))
        if not whole or end - start != math.prod(shape) * dtype.itemsize or end > size - 8 - length:
            raise FileError(f"{path}: {name!r} does not lie in the file as its header says: truncated or damaged")
        stream.seek(8 + length + start)
        values = np.frombuffer(stream.read(end - start), dtype).reshape(shape)
    if kind == "BF16":  # the upper half of a float32
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return values, notes


def read_torch(path: Path, choose) -> tuple[np.ndarray, list[str]]:
    """The tensor of a file, or one of a mapping of tensors. No object but tensors and containers is ever made."""
    torch = require_torch(f"{path}: reading a file of PyTorch")
    loaded = torch.load(path, map_location="cpu", weights_only=True)
    notes: list[str] = []
    if isinstance(loaded, dict):
        tensors = {str(name): value for name, value in loaded.items() if isinstance(value, torch.Tensor)}
        name, notes = choose(list(tensors))
        loaded = tensors[name]
    if not isinstance(loaded, torch.Tensor) or loaded.layout != torch.strided or loaded.is_quantized:
        raise FileError(f"{path}: expected a dense tensor or a mapping of tensors; got {type(loaded).__name__}")
    loaded = loaded.detach()
    if loaded.is_floating_point() and loaded.element_size() < 4:
        loaded = loaded.float()
    return loaded.numpy(), notes
