"""What is opened below a folder stands in it, is a file, and is no larger than it may be."""

import math
import os

import h5py
import numpy as np
import pytest
import xarray as xr

from unifiedscore.errors import FileError
from unifiedscore.ledger.report import write_report
from unifiedscore.measures import load_points
from unifiedscore.reading import JSON_DEPTH, files_in, parse_json, read_file, read_json, refuse_links
from unifiedscore.study.dataset import netcdf_bytes, read_dataset


@pytest.fixture
def places(tmp_path):
    """A folder with a file, and a file outside of it."""
    inside = tmp_path / "inside" / "folder"
    inside.mkdir(parents=True)
    (inside / "file").write_bytes(b"content")
    (tmp_path / "secret").write_bytes(b"secret")
    return inside.parent, inside / "file", tmp_path / "secret"


def test_a_file_is_read_to_its_limit_and_not_beyond(places):
    below, file, _ = places
    assert read_file(file, below=below, limit=7) == read_file(file) == b"content"
    with pytest.raises(FileError, match=r"file has 7 bytes, more than the 6 bytes"):
        read_file(file, below=below, limit=6)


def test_no_link_below_the_folder_is_followed_and_the_folder_itself_may_be_one(places, tmp_path):
    below, file, secret = places
    (tmp_path / "link").symlink_to(below)
    assert read_file(tmp_path / "link/folder/file", below=tmp_path / "link") == b"content"
    (below / "to a file").symlink_to(secret)
    (below / "to a folder").symlink_to(tmp_path)
    (below / "within").symlink_to(file)
    for name in ("to a file", "to a folder/secret", "to a folder/inside/folder/file", "within"):
        with pytest.raises(FileError, match="is a link"):
            read_file(below / name, below=below)
    assert read_file(below / "to a file") == b"secret"  # a file that the user names
    for path in (below / "../secret", below / "folder/../../secret", secret):
        with pytest.raises(FileError, match=r"out of|outside of"):
            read_file(path, below=below)
    with pytest.raises(FileError, match="is a link"):
        files_in(below / "to a folder", "*", below=below)
    with pytest.raises(FileError, match="is a link"):
        refuse_links(below / "to a folder/inside", below=below)


def test_a_missing_file_is_told_from_a_bad_one(places):
    below, _, _ = places
    for path in (below / "nothing", below / "no/thing"):
        with pytest.raises(FileError) as caught:
            read_file(path, below=below)
        assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert files_in(below / "nothing", "*", below=below) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_not_waited_for(places):
    below, _, _ = places
    os.mkfifo(below / "pipe")
    with pytest.raises(FileError, match="is a named pipe, not a file"):
        read_file(below / "pipe", below=below)
    with pytest.raises(FileError, match="is a folder, not a file"):
        read_file(below / "folder", below=below)


def test_json_has_bounded_size_depth_and_numbers(tmp_path):
    assert parse_json(b'{"a": [1, -2.5, "x", null, true]}') == {"a": [1, -2.5, "x", None, True]}
    assert parse_json(b"9" * 309) == math.inf and parse_json(b"-" + b"9" * 309) == -math.inf
    assert parse_json(str(2**64).encode()) == 2**64
    assert parse_json(b"[" * JSON_DEPTH + b"]" * JSON_DEPTH)
    for bad in (
        b"[" * (JSON_DEPTH + 2) + b"]" * (JSON_DEPTH + 2),
        b"[" * 10**5,
        b"[" + b"0," * 10**6 + b"0]",
        b"\xff",
        b"",
    ):
        with pytest.raises(ValueError):
            parse_json(bad)
    (tmp_path / "a.json").write_bytes(b"{")
    with pytest.raises(FileError, match=r"a\.json is not a JSON file"):
        read_json(tmp_path / "a.json")


def test_a_report_of_a_folder_that_is_not_written(tmp_path):
    from unifiedscore.ledger import Ledger

    Ledger(profile="quick", root_seed=0).write(tmp_path / "results")
    before = sorted(os.listdir(tmp_path / "results"))
    assert write_report(tmp_path / "results", out=tmp_path / "mine.html") == tmp_path / "mine.html"
    assert (tmp_path / "mine.html").stat().st_size > 0 and sorted(os.listdir(tmp_path / "results")) == before
    with pytest.raises(FileError, match=r"ending in \.html"):
        write_report(tmp_path / "results", out=tmp_path / "ledger.json")


@pytest.mark.parametrize("units", ["seconds", "days", "days since 2000-01-01", "hours"])
def test_a_unit_of_time_does_not_turn_numbers_into_durations(tmp_path, units):
    dataset = xr.Dataset({"y": ("seed", [0.5, 1.5], {"units": units}), "status": ("seed", np.zeros(2, np.int8))})
    (tmp_path / "a.nc").write_bytes(netcdf_bytes(dataset))
    read = read_dataset(tmp_path / "a.nc")["y"]
    assert read.dtype == np.float64 and read.values.tolist() == [0.5, 1.5] and read.attrs["units"] == units


@pytest.mark.parametrize("options", [{}, {"zlib": True}, {"zlib": True, "shuffle": True, "fletcher32": True}])
@pytest.mark.parametrize("values", [np.zeros((64, 64)), np.random.default_rng(0).normal(size=(64, 64))])
def test_honest_compression_is_read(tmp_path, options, values):
    labels = np.array([f"l\xe4bel {i}" for i in range(64)], dtype=object)
    dataset = xr.Dataset({"y": (("a", "b"), values)}, {"a": labels}, {"title": "t", "none": ""})
    dataset.to_netcdf(tmp_path / "a.nc", engine="h5netcdf", encoding={"y": options | {"chunksizes": (16, 60)}})
    read = read_dataset(tmp_path / "a.nc")
    np.testing.assert_array_equal(read["y"], values)
    assert read["a"].values.tolist() == labels.tolist() and read.attrs == dataset.attrs


def test_points_are_not_taken_from_another_file(tmp_path):
    (tmp_path / "secret").write_bytes(np.arange(6.0).tobytes())
    with h5py.File(tmp_path / "points.nc", "w") as file:
        file.create_dataset("points", (3, 2), "f8", external=[(str(tmp_path / "secret"), 0, 48)])
    with pytest.raises(FileError, match="external storage"):
        load_points(tmp_path / "points.nc")
