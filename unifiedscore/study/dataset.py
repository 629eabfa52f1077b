"""Records become one labelled data set per study, stored atomically as netCDF, and come back."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unifiedscore.atomic import make_folder, sweep, write_atomic
from unifiedscore.errors import FileError, InputError
from unifiedscore.hdf5 import netcdf_file
from unifiedscore.output import storable
from unifiedscore.reading import files_in
from unifiedscore.study.claim import Claim, Variable
from unifiedscore.study.grid import Cell, Grid
from unifiedscore.study.identity import Identity
from unifiedscore.study.records import Record
from unifiedscore.study.study import Study
from unifiedscore.validate import shown

if TYPE_CHECKING:
    import xarray as xr

STATUS = ("ok", "skipped", "failed", "not_run")
FILE_BYTES = 2**40
VOLATILE = ("history", "git_commit", "git_dirty")  # they say when and beside what a run was made, not what came out
PACKAGES = ("numpy", "scipy", "numba", "scikit-learn", "xarray", "h5netcdf")


def assemble(
    study: Study,
    grid: Grid,
    records: Mapping[Cell, Record],
    *,
    profile: str,
    seed: int,
    path: Path | None = None,
    identity: Identity | None = None,
) -> xr.Dataset:
    """The data set of a study, as `tabulate` makes it, with where it came from."""
    dataset = tabulate(study, grid, records)
    failed = dataset.attrs["failed_cells"]
    dataset.attrs = provenance(study, grid, profile=profile, seed=seed, path=path, identity=identity)
    dataset.attrs["failed_cells"] = failed
    return dataset


def tabulate(study: Study, grid: Grid, records: Mapping[Cell, Record]) -> xr.Dataset:
    """Every variable over the grid (seeds are never averaged), and a status per cell.

    Cells that skip() excludes are "skipped"; cells without a record are "not_run"; neither and no failed cell has
    values. Where skip() gives reasons, the text variable `skip_reason` keeps them, "" for every other cell. Every
    attribute is text or a number, as netCDF demands.
    """
    import xarray as xr

    required, optional = study.stored_variables(), study.optional_variables()
    returned = {name for record in records.values() for name in record.values}
    variables = required | {name: variable for name, variable in optional.items() if name in returned}
    coords = {axis: _coordinate(labels) for axis, labels in grid.axes.items()}
    lengths: dict[str, int] = {}
    for variable in variables.values():
        for dim in variable.dims:
            coords[dim] = np.asarray(variable.coords[dim])
            lengths[dim] = len(coords[dim])
    shape = {name: tuple(lengths[dim] for dim in variable.dims) for name, variable in variables.items()}
    values = {name: np.full((grid.size, *shape[name]), np.nan) for name in variables}
    status = np.full(grid.size, STATUS.index("not_run"), dtype=np.int8)
    failed, reasons = [], np.full(grid.size, "", dtype=object)
    for position, cell in enumerate(grid.cells()):
        record = records.get(cell)
        if record is None:
            if (reason := grid.skip_reason(cell)) is not None:
                status[position], reasons[position] = STATUS.index("skipped"), reason
            continue
        status[position] = STATUS.index(record.status)
        if record.status == "failed":
            failed.append({"cell": dict(cell), "message": record.message})
        for name, value in record.values.items():
            values[name][position] = value
    axes = tuple(grid.axes)
    data = {}
    for name, variable in variables.items():
        array = values[name].reshape(grid.shape + shape[name])
        data[name] = axes + variable.dims, array, _attributes(study, name, variables)
    meanings = {
        "long_name": "Status of the cell",
        "flag_values": np.arange(len(STATUS), dtype=np.int8),
        "flag_meanings": " ".join(STATUS),
    }
    data["status"] = (axes, status.reshape(grid.shape), meanings)
    if any(reasons):
        data["skip_reason"] = axes, reasons.reshape(grid.shape), {"long_name": "Why the cell is skipped"}
    dataset = xr.Dataset(data, coords=coords)
    for name in dataset.coords:
        dataset.coords[name].attrs["long_name"] = str(name).replace("_", " ")
    dataset.attrs["failed_cells"] = json.dumps(failed)
    return dataset


def _coordinate(labels: tuple) -> np.ndarray:
    kind = object if isinstance(labels[0], str) else np.float64 if isinstance(labels[0], float) else np.int64
    return np.asarray(labels, dtype=kind)


def _attributes(study: Study, name: str, variables: Mapping[str, Variable]) -> dict[str, str]:
    variable = variables[name]
    attributes = {
        "long_name": variable.long_name,
        "units": variable.units,
        "symbol": variable.symbol,
        "claims": " ".join(dict.fromkeys(claim.id for claim in study.claims if name in _names_used(claim))),
    }
    error = variable.error or f"{name}_error"
    if error in variables:
        attributes["ancillary_variables"] = f"{error} status"
    return attributes


def _names_used(claim: Claim) -> set[str]:
    names = {claim.variable} | {hypothesis.variable for hypothesis in claim.hypotheses}
    if claim.control is not None and claim.control.variable is not None:
        names.add(claim.control.variable)
    return names | {claim.test.scale_variable} - {None}


def provenance(
    study: Study, grid: Grid, *, profile: str, seed: int, path: Path | None, identity: Identity | None
) -> dict:
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    version = _version("unifiedscore")
    commit, dirty = git_state(path.parent if path is not None else None)
    config = {"profile": profile, "root_seed": seed, "paired": list(grid.paired)}
    config |= {"hashes": identity.hashes, "identity": identity.to_json()} if identity else {"hashes": {}}
    config["axes"] = {axis: list(labels) for axis, labels in grid.axes.items()}
    # Those that the records were made with, which are in their keys; what stores them has no part in the numbers.
    packages = {"python": sys.version.split()[0]} | {name: _version(name) for name in PACKAGES}
    packages |= identity.packages if identity else {}
    return {
        "Conventions": "CF-1.11",
        "title": study.title,
        "study": study.name,
        "source": f"unifiedscore {version}" + (f", {_place(path)}" if path is not None else ", a study without a file"),
        "version": version,
        "references": "; ".join(dict.fromkeys(claim.source for claim in study.claims)),
        "history": f"{now} measured with profile {profile}",
        "profile": profile,
        "root_seed": seed,
        "config": json.dumps(config),
        "packages": json.dumps(packages),
        "git_commit": commit,
        "git_dirty": dirty,
    }


def _place(path: Path) -> str:
    """A study file as seen from the folder that holds `studies`, whatever the machine: part of the command that
    measures it again."""
    parts = path.parts
    return "/".join(parts[len(parts) - 1 - parts[::-1].index("studies") :]) if "studies" in parts else path.name


@cache
def _version(package: str) -> str:
    """What is installed; of a package that this process has loaded it does not change."""
    if package == "unifiedscore":
        from unifiedscore import __version__

        return __version__
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def git_state(folder: Path | None) -> tuple[str, str]:
    """Commit and dirty flag ("true", "false") of the repository around `folder`; "unknown" where there is none."""
    if folder is None:
        return "unknown", "unknown"

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, check=True, timeout=10)
        return done.stdout.decode("utf-8", "replace").strip()

    try:
        return git("rev-parse", "HEAD"), "true" if git("status", "--porcelain", "--untracked-files=no") else "false"
    except (OSError, subprocess.SubprocessError):
        return "unknown", "unknown"


def write_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Store a data set; a reader, a crash or a full disk never sees half of it."""
    make_folder(path.parent)
    sweep(path.parent)
    write_atomic(path, netcdf_bytes(dataset))


def netcdf_bytes(dataset: xr.Dataset) -> bytes:
    """The netCDF file of a data set, made in memory: HDF5 does not survive a disk that fills while it writes."""
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        encoding = {"status": {"_FillValue": None}} if "status" in dataset.variables else {}
        storable_dataset(dataset).dump_to_store(H5NetCDFStore(file), encoding=encoding)
    return buffer.getvalue()


def storable_dataset(dataset: xr.Dataset) -> xr.Dataset:
    """The data set with texts that netCDF can hold: a study's file may have a name that is not text."""
    stored = dataset.copy()
    for part in (stored, *stored.variables.values()):
        part.attrs = {name: storable(value) if isinstance(value, str) else value for name, value in part.attrs.items()}
    return stored


def lasting_bytes(dataset: xr.Dataset) -> bytes:
    """The netCDF file without the attributes in `VOLATILE`: the same bytes however often a run was interrupted.

    Two runs of the same code on the same machine agree in every one of them; so do runs with other numbers of
    workers, other executors and other resume points.
    """
    lasting = dataset.copy()
    lasting.attrs = {name: value for name, value in dataset.attrs.items() if name not in VOLATILE}
    return netcdf_bytes(lasting)


def read_dataset(path: Path) -> xr.Dataset:
    """Read a stored data set into memory."""
    import xarray as xr

    if not os.path.lexists(path):
        raise FileError(f"{path} does not exist; run the study first, as in: unifiedscore run --out {path.parent}")
    with netcdf_file(path, below=path.parent, limit=FILE_BYTES) as file:
        try:
            # A variable in "seconds" is a number like any other, not a duration.
            with xr.open_dataset(file, engine="h5netcdf", decode_times=False, decode_timedelta=False) as dataset:
                return dataset.load()
        except Exception as error:
            advice = "delete it and run the study again"
            raise FileError(f"{path} is not a readable netCDF file ({error}); {advice}") from error


def open_results(path: str | Path = "results") -> xr.DataTree:
    """Every study of a results folder (or one .nc file) as a tree, read into memory.

    Use when you analyse or plot what earlier runs stored.

    `open_results("results")["mine"]` is a node of the tree; its data set, as `run` returned it, is
    `open_results("results")["mine"].to_dataset()`, and one variable of it `open_results("results")["mine"]["error"]`.

    Parameters
    ----------
    path : str or Path
        The folder given to `run(out=...)`.

    Returns
    -------
    xarray.DataTree
        One node per study, called as the study; `<name>.search` has one node per universal claim.

    Raises
    ------
    FileError
        There is no such folder, no data set in it, or a damaged one.

    Examples
    --------
    >>> tree = open_results("results")            # doctest: +SKIP
    >>> tree["laplace_alignment"].to_dataset()    # doctest: +SKIP
    """
    import xarray as xr

    from unifiedscore.study.attack.store import ENDING, read_tree

    if not isinstance(path, str | Path) or not str(path) or "\0" in str(path):
        raise InputError(f"path must name a folder of results or a .nc file; got {shown(path)}")
    path = Path(path)
    files = [path.resolve()] if path.is_file() else files_in(path, "*.nc", below=path)
    if not files:
        what = "holds no data set (*.nc)" if path.is_dir() else "does not exist"
        raise FileError(f"{path} {what}; run a study first, as in: unifiedscore run --out {path}")
    trees = {file.stem: read_tree(file) for file in files if file.name.endswith(ENDING)}
    plain = {file.stem: read_dataset(file) for file in files if file.stem not in trees}
    return xr.DataTree.from_dict(plain | trees)
