"""Files of named tensors in the safetensors format: a JSON header, and numbers. Reading one executes nothing.

The format is eight bytes with the length of the header, the header, and the numbers of all tensors without gaps. It is
read and written here rather than by a library, so that files from strangers go through the door of `reading`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np

from unifiedscore.atomic import write_atomic
from unifiedscore.errors import FileError
from unifiedscore.reading import JSON_BYTES, open_regular, parse_json

LIMIT = 2**33  # bytes; no network that is trained here comes near it
_TYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8"}
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays of float64, float32 or int64 with their metadata, whole or not at all.

    Raises
    ------
    FileError
        The file cannot be written.
    """
    header: dict = {"__metadata__": dict(metadata)}
    start, parts = 0, []
    for name, array in tensors.items():
        kind = _NAMES[array.dtype.newbyteorder("<")]
        content = np.ascontiguousarray(array, dtype=_TYPES[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, start + len(content)]}
        start += len(content)
        parts.append(content)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # aligned tensors, as the format asks for
    write_atomic(path, b"".join([len(text).to_bytes(8, "little"), text, *parts]))


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the arrays and the metadata of a file of tensors.

    Raises
    ------
    FileError
        The file cannot be read, or it is not a whole file of this format.
    """
    with open_regular(path, limit=LIMIT) as file:
        try:
            content = file.read(LIMIT)
        except OSError as error:
            raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return _parsed(content)
    except (ValueError, TypeError, KeyError) as error:
        raise FileError(f"{path} is not a file of tensors (safetensors): {error}") from None


def _parsed(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(len(content) - 8, JSON_BYTES):
        raise ValueError("it is cut short, or of another kind")
    header = parse_json(content[8 : 8 + length])
    if not isinstance(header, dict):
        raise ValueError("its header is not an object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata are not texts")
    body = memoryview(content)[8 + length :]
    tensors, position = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: _offsets(item[1])):
        kind, shape, (start, end) = entry["dtype"], entry["shape"], _offsets(entry)
        if kind not in _TYPES:
            raise ValueError(f"{name[:80]} has the unsupported type {str(kind)[:20]}")
        if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"{name[:80]} has a shape that is not a list of sizes")
        # Without gaps and overlaps nothing is read twice, and no header can ask for more than the file holds.
        if start != position or end > len(body) or end - start != prod(shape) * np.dtype(_TYPES[kind]).itemsize:
            raise ValueError(f"{name[:80]} does not lie where the header says")
        tensors[name] = np.frombuffer(body[start:end], _TYPES[kind]).reshape(shape).copy()
        position = end
    if position != len(body):
        raise ValueError("it holds bytes that belong to no tensor")
    return tensors, metadata


def _offsets(entry) -> tuple[int, int]:
    offsets = entry["data_offsets"]
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(n) is int and n >= 0 for n in offsets):
        raise ValueError("the place of a tensor is not a pair of offsets")
    return offsets[0], offsets[1]
