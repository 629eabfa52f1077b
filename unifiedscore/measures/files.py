"""A user's own points from a file: never unpickled, always checked, with a note on what was changed."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore.errors import FileError, InputError, MissingDependencyError
from unifiedscore.hdf5 import netcdf_file
from unifiedscore.measures.csv_files import read_csv
from unifiedscore.measures.foreign_files import read_images, read_parquet
from unifiedscore.measures.tensor_files import read_safetensors, read_torch
from unifiedscore.reading import open_regular
from unifiedscore.validate import shown

LONGEST_HEADER = 10_000  # bytes, numpy's own limit, which it applies only after it has read the header
DEFLATE_AT_BEST = 1100  # the format reaches 1032
FILLS = {1e20: "numpy.ma", 9.969209968386869e36: "netCDF", -9999.0: "many files"}
"""Numbers that stand for missing values where no mask and no attribute says so, and who writes them."""
SEVERAL = (".npz", ".nc", ".safetensors", ".pt", ".pth")
"""Files that may hold more than one array."""
ENDINGS = (".npy", ".npz", ".nc", ".csv", ".parquet", ".safetensors", ".pt", ".pth")
SUSPICIOUS = 100  # random numbers shrink by a tenth, images of two colours 50-fold


@final
@dataclass(frozen=True, slots=True, eq=False)
class LoadedPoints:
    """Points from a file, (n, d) float32 or float64, and a note on how they were read (empty when as they stand).

    Use when you need the note on how `load_points` read a file, beside the points.
    """

    points: np.ndarray
    note: str


def load_points(path: str | os.PathLike, *, key: str | None = None) -> LoadedPoints:
    """Read an array of points from a file.

    Use when your data lie in a file of NumPy, PyTorch, a spreadsheet or a netCDF library, or in a folder of images.

    Parameters
    ----------
    path : str or path
        .npy, .npz, .nc (netCDF 3 or 4), .safetensors, .pt or .pth (needs PyTorch), .parquet (needs pyarrow) or .csv
        (comma separated, one point on a line, header lines allowed; an unnamed first column of row numbers is dropped);
        or a folder of images of the same size, whose values are scaled to [0, 1].
        An (n, ...) array is flattened to (n, d); a vector of n numbers becomes n points on the line.
    key : str, optional
        Which array of a file that may hold several; needed when it does.

    Returns
    -------
    LoadedPoints
        `.points` (n, d) and `.note`.

    Raises
    ------
    FileError
        When the file is missing, empty, truncated, of another kind, holds no such key, several arrays and no key,
        or no finite real numbers. Nothing is ever unpickled.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "points.csv"
    >>> _ = path.write_text("x,y\\n1,2\\n3,4\\n")
    >>> load_points(path)
    LoadedPoints(points=array([[1., 2.],
           [3., 4.]]), note='skipped 1 header line')
    """
    try:
        path = Path(path)
    except TypeError:
        raise FileError(f"path must be a file name; got {shown(path)}") from None
    if path.is_dir() and path.suffix.lower() not in ENDINGS:
        if key is not None:
            raise FileError(f"{path}: key={key!r} is for files that hold several arrays; leave it out")
        return _as_points(*read_images(path), path)
    readers = {
        ".npy": _read_npy,
        ".npz": _read_npz,
        ".nc": _read_netcdf,
        ".csv": lambda path, _: read_csv(path),
        ".parquet": lambda path, _: read_parquet(path),
        ".safetensors": lambda path, key: read_safetensors(path, lambda names: _choose(names, key, path)),
        ".pt": lambda path, key: read_torch(path, lambda names: _choose(names, key, path)),
    }
    readers[".pth"] = readers[".pt"]
    kinds = ", ".join(readers)
    if path.suffix.lower() not in readers:
        raise FileError(
            f"{path}: expected a file ending in {kinds}; got {repr(path.suffix) if path.suffix else 'no ending'}"
            f"{'; decompress it first' if path.suffix.lower() in ('.gz', '.bz2', '.xz', '.zip', '.zst') else ''}"
        )
    if not path.exists():
        raise FileError(f"{path}: no such file; check the name and the folder ({Path.cwd()})")
    if not path.is_file():
        raise FileError(f"{path}: expected a file; this is a folder or a device")
    if key is not None and path.suffix.lower() in (".npy", ".csv", ".parquet"):
        raise FileError(
            f"{path}: key={key!r} is for files that hold several arrays ({', '.join(SEVERAL)}); leave it out"
        )
    try:
        if path.stat().st_size == 0:
            raise FileError(f"{path}: the file is empty")
        array, notes = readers[path.suffix.lower()](path, key)
    except (InputError, MissingDependencyError):
        raise
    except PermissionError:
        raise FileError(f"{path}: no permission to read the file") from None
    except MemoryError:
        raise FileError(f"{path}: the array does not fit into memory; save fewer points or float32") from None
    except Exception as error:
        # Parsers of damaged files raise whatever they stumble on; the user needs one paragraph either way.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"{path}: cannot be read as {path.suffix} (damaged or truncated?): {reason}") from None
    return _as_points(array, notes, path)


def _as_points(array: np.ndarray, notes: list[str], path: Path) -> LoadedPoints:
    _refuse_kind(array.dtype, path)
    if array.ndim == 0 or array.size == 0:
        raise FileError(f"{path}: expected at least one point; got an array of shape {array.shape}")
    if array.ndim != 2:
        flat = array.reshape(len(array), -1)
        notes = [*notes, f"shape {array.shape} flattened to {flat.shape}"]
        array = flat
    if array.dtype not in (np.float32, np.float64):
        notes = [*notes, f"{array.dtype} converted to float64"]
        array = array.astype(np.float64)
    array = np.ascontiguousarray(array)
    bad = ~np.isfinite(array)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise FileError(
            f"{path}: expected finite numbers; {int(bad.sum())} entries are not (missing values are read as nan), the "
            f"first in point {row}, coordinate {column}; remove or fill them"
        )
    return LoadedPoints(array, "; ".join([*notes, *_fill_notes(array, path)]))


def _fill_notes(array: np.ndarray, path: Path) -> list[str]:
    """What looks like missing values; refused in netCDF, where it is what a program leaves that did not write."""
    notes = []
    for fill, owner in FILLS.items():
        if not (found := int((array == array.dtype.type(fill)).sum())):
            continue
        entries = "1 entry equals" if found == 1 else f"{found} entries equal"
        if owner == "netCDF" and path.suffix.lower() == ".nc":
            raise FileError(f"{path}: {entries} {fill:.6g}, the fill value of netCDF, and was never written")
        notes.append(f"{entries} {fill:.6g}, with which {owner} mark{'s' if fill > 0 else ''} missing values")
    return notes


def _refuse_kind(dtype: np.dtype, path: Path) -> None:
    if dtype.kind not in "fiub":
        what = "pickled objects are never loaded" if dtype.hasobject else "save real numbers"
        raise FileError(f"{path}: expected real numbers; got dtype {dtype}; {what}")


def _check_npy_header(stream, available: int, path: Path) -> None:
    """Refuse a header that declares objects or more bytes than there are, before anything is allocated."""
    head = stream.read(12)
    length = int.from_bytes(head[8:10] if head[6:7] == b"\x01" else head[8:12], "little")
    if length > LONGEST_HEADER:
        raise FileError(f"{path}: the header claims to be {length} bytes long; a header of points takes some 100")
    stream.seek(0)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    _refuse_kind(dtype, path)
    declared = dtype.itemsize
    for length in shape:
        declared *= length
    if declared > available - stream.tell():
        raise FileError(
            f"{path}: the header declares shape {shape} of {dtype} ({declared} bytes) but only "
            f"{max(available - stream.tell(), 0)} bytes follow: the file is truncated or damaged"
        )
    _refuse_size(declared, path)


def _refuse_size(declared: int, path: Path) -> None:
    """Refuse an array that this machine cannot hold before the system starts to swap or kills the process."""
    if declared > (memory := _memory()):
        raise FileError(
            f"{path}: the array takes {declared / 2**30:.4g} GiB, this machine has {memory / 2**30:.4g} GiB of memory; "
            "save fewer points or float32"
        )


def _memory() -> int:
    """Bytes of memory of this machine; without an answer, what 64-bit systems can address."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**47


def _refuse_bomb(member: zipfile.ZipInfo, path: Path) -> None:
    """Refuse what no archive of numbers holds: sizes that cannot be true, or a ratio meant to fill the memory."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(f"{path}: {member.filename!r} is compressed in a way that numpy does not write")
    ratio = member.file_size / max(member.compress_size, 1)
    best = DEFLATE_AT_BEST if member.compress_type == zipfile.ZIP_DEFLATED else 1
    if ratio > best or (ratio > SUSPICIOUS and member.file_size > 2**30):
        raise FileError(
            f"{path}: {member.filename!r} claims to expand {ratio:.0f}-fold to {member.file_size / 2**30:.4g} GiB: "
            "a damaged or malicious archive; save the array uncompressed if it is yours"
        )


def _read_npy(path: Path, key: None) -> tuple[np.ndarray, list[str]]:
    with path.open("rb") as stream:
        _check_npy_header(stream, path.stat().st_size, path)
        stream.seek(0)
        return np.load(stream, allow_pickle=False), []


def _read_npz(path: Path, key: str | None) -> tuple[np.ndarray, list[str]]:
    with zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
        key, notes = _choose(list(members), key, path)
        _refuse_bomb(archive.getinfo(members[key]), path)
        with archive.open(members[key]) as stream:
            _check_npy_header(stream, archive.getinfo(members[key]).file_size, path)
        with archive.open(members[key]) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False), notes


def _read_netcdf(path: Path, key: str | None) -> tuple[np.ndarray, list[str]]:
    import xarray

    with path.open("rb") as stream:
        classic = stream.read(3) == b"CDF"
    # Of any size that this machine can hold; but other files that it names are not read, and it expands to no more.
    source = open_regular(path, limit=2**63) if classic else netcdf_file(path, limit=2**63, values=2**63)
    with source as file, xarray.open_dataset(file, engine="scipy" if classic else "h5netcdf") as dataset:
        names = list(dataset.data_vars)
        key, notes = _choose(names, key, path)
        _refuse_kind(dataset[key].dtype, path)
        _refuse_size(dataset[key].nbytes, path)
        return dataset[key].to_numpy(), notes


def _choose(names: list[str], key: str | None, path: Path) -> tuple[str, list[str]]:
    listed = ", ".join(map(repr, names)) or "none"
    if key is None:
        if len(names) == 1:
            return names[0], [f"array {names[0]!r}"]
        advice = f"; name one: key={names[0]!r}, or {path}:{names[0]} on the command line" if names else ""
        raise FileError(f"{path}: expected one array; got {len(names)} ({listed}){advice}")
    if key not in names:
        raise FileError(f"{path}: no array {key!r}; the file holds: {listed}")
    return key, []
