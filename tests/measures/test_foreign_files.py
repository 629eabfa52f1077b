"""Files of other libraries: tensors, tables and images come back as they were saved, and damage is one paragraph."""

import json
import sys

import numpy as np
import pytest

from unifiedscore.errors import FileError, MissingDependencyError
from unifiedscore.measures import load_points

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(5, 3))
CODES = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "uint8": "U8", "bool": "BOOL"}


def safetensors(path, tensors, change=None):
    """Write the format by hand: eight bytes of length, a JSON header, the numbers."""
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, value in tensors.items():
        ends = [len(body), len(body) + value.nbytes]
        header[name] = {"dtype": CODES[str(value.dtype)], "shape": list(value.shape), "data_offsets": ends}
        body += value.tobytes()
    if change:
        change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


@pytest.mark.parametrize("dtype", CODES)
def test_a_tensor_comes_back_exactly(dtype, tmp_path):
    wanted = (10 * POINTS).astype(dtype)
    loaded = load_points(safetensors(tmp_path / "points.safetensors", {"x": wanted}))
    np.testing.assert_array_equal(loaded.points, wanted.astype(float))
    assert "array 'x'" in loaded.note


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    upper = (POINTS.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    path = tmp_path / "half.safetensors"
    header = json.dumps({"x": {"dtype": "BF16", "shape": [5, 3], "data_offsets": [0, 30]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + upper.tobytes())
    np.testing.assert_allclose(load_points(path).points, POINTS, rtol=2**-7)


def test_a_key_selects_among_tensors_and_one_is_needed(tmp_path):
    path = safetensors(tmp_path / "two.safetensors", {"a": POINTS, "b": POINTS + 1})
    np.testing.assert_array_equal(load_points(path, key="b").points, POINTS + 1)
    with pytest.raises(FileError, match=r"expected one array; got 2 \('a', 'b'\)"):
        load_points(path)
    with pytest.raises(FileError, match="no array 'c'"):
        load_points(path, key="c")


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["x"].update(shape=[5, 4]),
        lambda header: header["x"].update(data_offsets=[0, 10**9]),
        lambda header: header["x"].update(data_offsets=[-8, 112]),
        lambda header: header["x"].update(shape=[-5, -3]),
        lambda header: header["x"].update(shape=[10**12, 3], data_offsets=[0, 24 * 10**12]),
        lambda header: header["x"].update(dtype="C64"),
        lambda header: header["x"].pop("shape"),
        lambda header: header.update(x=3),
    ],
)
def test_a_header_that_lies_is_one_paragraph(change, tmp_path):
    path = safetensors(tmp_path / "bad.safetensors", {"x": POINTS}, change)
    with pytest.raises(FileError, match=r"bad\.safetensors"):
        load_points(path)


DAMAGED = [b"\xff" * 64, b"\x05\0\0\0\0\0\0\0{", b"abc", (2**40).to_bytes(8, "little") + b"{}"]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_one_paragraph(content, tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"bad\.safetensors"):
        load_points(path)


def test_a_folder_of_images_is_points_from_0_to_1(tmp_path):
    from matplotlib.image import imsave

    pixels = RNG.integers(0, 256, size=(3, 4, 5, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        imsave(tmp_path / f"{number}.png", image)
    (tmp_path / "readme.txt").write_text("no image")
    loaded = load_points(tmp_path)
    assert loaded.points.shape == (3, 4 * 5 * 4) and "3 images" in loaded.note
    np.testing.assert_allclose(loaded.points.reshape(3, 4, 5, 4)[..., :3], pixels / 255, atol=1e-6)


def test_folders_that_are_no_points_are_refused(tmp_path):
    from matplotlib.image import imsave

    with pytest.raises(FileError, match="expected a folder of images"):
        load_points(tmp_path)
    imsave(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    imsave(tmp_path / "b.png", np.zeros((5, 4, 3), np.uint8))
    with pytest.raises(FileError, match=r"b\.png: images of a folder must have the same size"):
        load_points(tmp_path)
    (tmp_path / "b.png").write_bytes(b"no image")
    with pytest.raises(FileError, match=r"b\.png: cannot be read as an image"):
        load_points(tmp_path)


def test_what_needs_a_library_says_which(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "points.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingDependencyError, match=r"unifiedscore\[tables\]"):
        load_points(tmp_path / "points.parquet")


def test_a_table_comes_back(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    parquet.write_table(pyarrow.table({f"c{i}": POINTS[:, i] for i in range(3)}), tmp_path / "points.parquet")
    np.testing.assert_array_equal(load_points(tmp_path / "points.parquet").points, POINTS)
