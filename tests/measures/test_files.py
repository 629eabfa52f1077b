"""Files: what was saved comes back; everything else is one paragraph and never a pickle."""

import io
import zipfile

import numpy as np
import pytest
import xarray as xr

from unifiedscore.errors import FileError
from unifiedscore.measures import load_points

POINTS = np.arange(12.0).reshape(4, 3) / 7


def save(path, array=POINTS, **named):
    """Write by ending; returns the path."""
    match path.suffix:
        case ".npy":
            np.save(path, array)
        case ".npz":
            np.savez(path, **(named or {"points": array}))
        case ".nc":
            arrays = named or {"points": array}
            data = {k: ([f"{k}_{i}" for i in range(v.ndim)], v) for k, v in arrays.items()}
            xr.Dataset(data).to_netcdf(path, engine="h5netcdf")
        case ".csv":
            np.savetxt(path, array, delimiter=",", fmt="%.17g")
    return path


@pytest.mark.parametrize("ending", [".npy", ".npz", ".nc", ".csv"])
def test_points_come_back_exactly(ending, tmp_path):
    loaded = load_points(save(tmp_path / f"points{ending}"))
    np.testing.assert_array_equal(loaded.points, POINTS)
    assert loaded.points.dtype == np.float64


def test_classic_netcdf_is_read_too(tmp_path):
    path = tmp_path / "classic.nc"
    xr.Dataset({"points": (("n", "d"), POINTS)}).to_netcdf(path, engine="scipy")
    np.testing.assert_array_equal(load_points(path).points, POINTS)


@pytest.mark.parametrize("ending", [".npy", ".npz", ".nc"])
def test_images_are_flattened_with_a_note(ending, tmp_path):
    images = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    loaded = load_points(save(tmp_path / f"images{ending}", images))
    np.testing.assert_array_equal(loaded.points, images.reshape(2, 12))
    assert loaded.points.dtype == np.float32
    assert "(2, 3, 4) flattened to (2, 12)" in loaded.note


def test_a_vector_is_points_on_the_line_and_integers_become_floats(tmp_path):
    loaded = load_points(save(tmp_path / "line.npy", np.arange(5)))
    assert loaded.points.shape == (5, 1) and loaded.points.dtype == np.float64
    assert "int64 converted" in loaded.note


def test_a_key_selects_among_arrays(tmp_path):
    for ending in (".npz", ".nc"):
        path = save(tmp_path / f"two{ending}", first=POINTS, second=2 * POINTS)
        np.testing.assert_array_equal(load_points(path, key="second").points, 2 * POINTS)
        with pytest.raises(FileError, match="'first', 'second'"):
            load_points(path)
        with pytest.raises(FileError, match=r"no array 'third'.*'first'"):
            load_points(path, key="third")


def test_csv_headers_comments_and_blank_lines_are_skipped(tmp_path):
    path = tmp_path / "head.csv"
    path.write_text("\ufeffx, y\n# made by hand\n\n1, 2\n3,4e0\n", encoding="utf-8")
    loaded = load_points(path)
    np.testing.assert_array_equal(loaded.points, [[1, 2], [3, 4]])
    assert loaded.note == "skipped 1 header line"


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_objects_are_never_unpickled(ending, tmp_path, monkeypatch):
    path = tmp_path / f"object{ending}"
    (np.save if ending == ".npy" else np.savez)(path, np.array([{"a": 1}], dtype=object))
    import pickle

    monkeypatch.setattr(pickle, "load", lambda *_, **__: pytest.fail("pickle.load was called"))
    with pytest.raises(FileError, match="pickled objects are never loaded"):
        load_points(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (POINTS * 1j, "real numbers"),
        (np.array([["a", "b"]]), "real numbers"),
        (np.array([["2026-01-01"]], dtype="datetime64[D]"), "real numbers"),
        (np.zeros((0, 3)), "at least one point"),
        (np.float64(3.0), "at least one point"),
        (np.array([[0.0, np.nan]]), "point 0, coordinate 1"),
    ],
)
def test_arrays_that_are_not_points_are_refused(array, message, tmp_path):
    with pytest.raises(FileError, match=message):
        load_points(save(tmp_path / "bad.npy", np.asarray(array)))


@pytest.mark.parametrize("ending", [".npy", ".npz", ".nc"])
@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_damaged_files_are_one_paragraph(ending, damage, tmp_path):
    path = save(tmp_path / f"points{ending}", np.arange(3000.0).reshape(1000, 3))
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[: len(whole) // 2], "garbage": b"not an array at all", "empty": b""}[damage])
    with pytest.raises(FileError) as caught:
        load_points(path)
    assert path.name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_a_header_that_declares_too_much_is_refused_before_allocation(ending, tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 1024)})
    content = header.getvalue() + bytes(64)
    path = tmp_path / f"liar{ending}"
    if ending == ".npy":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("points.npy", content)
    with pytest.raises(FileError, match="declares shape"):
        load_points(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3\n", "line 2 has 1 numbers"),
        ("1,2\nfoo,bar\n", "line 2 is not a list of numbers"),
        ("x,y\n", "no line of comma-separated numbers"),
        ("1,\n2,3\n", "point 0, coordinate 1"),
        ("1;2\n3;4\n", "no line"),
    ],
)
def test_bad_csv_names_its_line(text, message, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(FileError, match=message):
        load_points(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.npy", "no such file"),
        ("folder.npy", "this is a folder"),
        ("data.txt", "ending in"),
        ("data", "got no ending"),
    ],
)
def test_wrong_paths_are_refused(name, message, tmp_path):
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(FileError, match=message):
        load_points(tmp_path / name)
    with pytest.raises(FileError, match="file name"):
        load_points(3)


def test_a_key_makes_no_sense_for_one_array(tmp_path):
    with pytest.raises(FileError, match="leave it out"):
        load_points(save(tmp_path / "points.npy"), key="points")


def npy_header(shape, version=1, descr="<f8"):
    stream = io.BytesIO()
    write = np.lib.format.write_array_header_1_0 if version == 1 else np.lib.format.write_array_header_2_0
    write(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.fixture
def little_memory():
    """Run the test with 1 GiB more address space than it has: an allocation of what a file claims fails at once."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def test_a_gigantic_header_is_refused_before_it_is_read(tmp_path, little_memory):
    head = b"\x93NUMPY\x02\x00" + (2**32 - 1).to_bytes(4, "little")
    path = tmp_path / "header.npy"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(2**33)  # sparse
    with pytest.raises(FileError, match="header claims to be 4294967295 bytes long"):
        load_points(path)


def test_a_sparse_file_of_more_than_the_memory_is_refused_before_allocation(tmp_path, little_memory):
    path = tmp_path / "sparse.npy"
    with path.open("wb") as file:
        file.write(npy_header((2**40, 1)))
        file.truncate(2**43 + 4096)
    with pytest.raises(FileError, match=r"takes 8192 GiB, this machine has"):
        load_points(path)


@pytest.mark.parametrize(("claimed", "message"), [(2**43, "to 8192 GiB"), (2**31, "expand 205-fold to 2 GiB")])
def test_a_zip_bomb_is_refused_before_allocation(tmp_path, little_memory, claimed, message):
    path = tmp_path / "bomb.npz"
    compressed = 10 * 2**20 if claimed == 2**31 else 2**20
    with zipfile.ZipFile(path, "w") as archive:  # stored, and then called deflated: the sizes are all that is looked at
        archive.writestr("points.npy", npy_header((claimed // 8, 1)).ljust(compressed, b"\0"))
        archive.filelist[0].file_size = claimed
        archive.filelist[0].compress_type = zipfile.ZIP_DEFLATED
    with pytest.raises(FileError, match=message):
        load_points(path)


def test_an_honest_archive_of_zeros_is_no_bomb(tmp_path):
    path = tmp_path / "zeros.npz"
    np.savez_compressed(path, np.zeros((100_000, 8)))
    assert load_points(path).points.shape == (100_000, 8)


def test_a_netcdf_file_that_claims_terabytes_is_refused_before_allocation(tmp_path, little_memory):
    import h5netcdf

    path = tmp_path / "claims.nc"
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"point": 2**40, "axis": 1}
        file.create_variable("points", ("point", "axis"), "f8", chunks=(1024, 1))  # nothing is stored
    assert path.stat().st_size < 2**20
    with pytest.raises(FileError, match="takes 8192 GiB"):
        load_points(path)


def test_a_csv_line_of_a_billion_columns_is_refused_before_it_is_split(tmp_path, little_memory):
    path = tmp_path / "wide.csv"
    with path.open("wb") as file:
        file.write(b"1,2,3")
        file.truncate(2**31)  # sparse: NUL characters, no end of line
    with pytest.raises(FileError, match="a line is longer than 67108864 characters"):
        load_points(path)
