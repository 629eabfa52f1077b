"""Files of tensors: what is written is read, other readers agree, and nothing a stranger writes is believed."""

import json

import numpy as np
import pytest

from unifiedscore.errors import FileError
from unifiedscore.learned.tensor_file import read_tensors, write_tensors

TENSORS = {
    "b.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.array(0.1),
    "none": np.empty((0, 2)),
    "steps": np.array([2**40, -1]),
}


@pytest.fixture
def path(tmp_path):
    write_tensors(tmp_path / "a.safetensors", TENSORS, {"unifiedscore": '{"x": "ä"}'})
    return tmp_path / "a.safetensors"


def same(first, second):
    assert set(first) == set(second)
    for name, array in first.items():
        assert array.dtype == second[name].dtype and array.shape == second[name].shape
        np.testing.assert_array_equal(array, second[name])


def test_what_is_written_is_read(path):
    tensors, metadata = read_tensors(path)
    same(TENSORS, tensors)
    assert metadata == {"unifiedscore": '{"x": "ä"}'}
    tensors["a"][...] = 1.0  # may be changed


def test_the_library_of_the_format_reads_and_writes_the_same(path, tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    same(TENSORS, library.load_file(path))
    library.save_file({"x": np.eye(3, dtype=np.float32), "y": np.ones(5)}, tmp_path / "b", metadata={"k": "v"})
    tensors, metadata = read_tensors(tmp_path / "b")
    same({"x": np.eye(3, dtype=np.float32), "y": np.ones(5)}, tensors)
    assert metadata == {"k": "v"}


def forged(header, body=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def entry(offsets, shape=(2,), kind="F32"):
    return {"dtype": kind, "shape": list(shape) if isinstance(shape, tuple) else shape, "data_offsets": offsets}


HOSTILE = {
    "empty": b"",
    "seven bytes": b"1234567",
    "text": b"hello, this is not a file of tensors at all",
    "pickle": b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.",
    "endless header": forged({}, length=2**63),
    "header too long": forged({}, length=10),
    "no json": forged(b"{'a': 1}"),
    "a list": forged([1, 2]),
    "deep": forged(b"[" * 5000 + b"]" * 5000),
    "metadata of numbers": forged({"__metadata__": {"a": 1}}),
    "metadata of another kind": forged({"__metadata__": []}),
    "entry of another kind": forged({"a": 7}, b"1234"),
    "no shape": forged({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)),
    "unknown type": forged({"a": entry([0, 8], kind="O")}, bytes(8)),
    "type that is a list": forged({"a": entry([0, 8], kind=["F32"])}, bytes(8)),
    "wrong size": forged({"a": entry([0, 8], (3,))}, bytes(8)),
    "huge shape": forged({"a": entry([0, 8], (2**62, 2**62))}, bytes(8)),
    "negative shape": forged({"a": entry([0, 8], (-1, -2))}, bytes(8)),
    "shape of texts": forged({"a": entry([0, 8], ["2"])}, bytes(8)),
    "shape of booleans": forged({"a": entry([0, 4], [True])}, bytes(4)),
    "beyond the end": forged({"a": entry([0, 8])}, bytes(4)),
    "negative offset": forged({"a": entry([-8, 0])}, bytes(8)),
    "one offset": forged({"a": entry([0])}, bytes(8)),
    "gap": forged({"a": entry([4, 12])}, bytes(12)),
    "overlap": forged({"a": entry([0, 8]), "b": entry([4, 12])}, bytes(12)),
    "bytes left over": forged({"a": entry([0, 8])}, bytes(12)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_does_not_hang_together_is_refused(tmp_path, name):
    file = tmp_path / "a.safetensors"
    file.write_bytes(HOSTILE[name])
    with pytest.raises(FileError, match="is not a file of tensors"):
        read_tensors(file)


def test_every_cut_of_a_file_is_refused(path):
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(FileError):
            read_tensors(path)


def test_what_is_not_a_file_is_refused(tmp_path):
    for place in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileError):
            read_tensors(place)
