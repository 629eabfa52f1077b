"""Missing values in files: what a program did not write never becomes a coordinate."""

import numpy as np
import pytest
import xarray as xr

from unifiedscore.errors import FileError
from unifiedscore.measures import load_points

X = np.random.default_rng(0).normal(size=(5, 2))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("key", ["_FillValue", "missing_value"])
def test_declared_fill_values_of_netcdf_are_refused_as_nan(dtype, key, tmp_path):
    path = tmp_path / "holes.nc"
    data = xr.DataArray(np.where(X > 1, np.nan, X).astype(dtype), dims=("n", "d"))
    data.to_dataset(name="x").to_netcdf(path, engine="h5netcdf", encoding={"x": {key: np.dtype(dtype).type(1e20)}})
    with pytest.raises(FileError, match=r"finite numbers.*missing values"):
        load_points(path)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_what_was_never_written_into_netcdf_is_refused(dtype, tmp_path):
    data = X.astype(dtype)
    data[3, 1] = 9.969209968386869e36
    path = tmp_path / "unwritten.nc"
    xr.Dataset({"x": (("n", "d"), data)}).to_netcdf(path, engine="h5netcdf", encoding={"x": {"_FillValue": None}})
    with pytest.raises(FileError, match=r"1 entry equals 9.96921e\+36, the fill value of netCDF"):
        load_points(path)


@pytest.mark.parametrize(("fill", "words"), [(1e20, "numpy.ma marks"), (-9999.0, "many files mark")])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_numbers_that_look_like_fill_values_are_mentioned(fill, words, dtype, tmp_path):
    np.save(tmp_path / "filled.npy", np.ma.masked_array(X, X > 1, fill_value=fill).filled().astype(dtype))
    loaded = load_points(tmp_path / "filled.npy")
    assert f"{(X > 1).sum()} entr" in loaded.note and words in loaded.note
    np.save(tmp_path / "whole.npy", X.astype(dtype))
    assert load_points(tmp_path / "whole.npy").note == ""
