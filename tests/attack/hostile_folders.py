"""Results folders that a stranger might send, and what each command must do with them.

Every entry is `name: (change, command, ending)`. `change(results, outside)` spoils a sound results folder; `outside`
holds canaries that must neither be read nor changed. The ending is the exit code, and for 2 the name that the message
must hold.
"""

import json
import os
import socket
import struct
import zlib

import h5py
import numpy as np

CANARY = "canary: the private key of this machine"
ESCAPE = "\x1b]0;owned\x07\x1b[2J"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
KEY = "0" * 32
SPARSE = 20 * 2**30
STUDY = """
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

study = Study(
    "means", "Means", Grid(estimator=["a", "b"], seed=range(16)),
    lambda cell, rng: {"y": 1 + 0.1 * rng.normal()}, {"y": Variable("Value", units="seconds")},
    [Claim("means.one", "the mean is one", "derived here", "monte_carlo", "y", Inside(0.5, 1.5),
           where={"estimator": "a"}, control=Control("predict five", test=Inside(4.5, 5.5)))],
)
"""
CASES = {}


def case(name, command, ending):
    def add(change):
        CASES[name] = change, command, ending
        return change

    return add


def replace(path):
    """Remove what stands there, and make the folder above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(path):
        path.unlink()
    return path


def sparse(path, head=b""):
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(SPARSE)


def png_head(width, height):
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def listening(path):
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket may have 108 bytes
    socket.socket(socket.AF_UNIX).bind(path.name)
    os.chdir(here)


THINGS = {
    "a link out": lambda path, outside: path.symlink_to(outside / f"canary{path.suffix}"),
    "a dangling link": lambda path, outside: path.symlink_to(outside / "new"),
    "a link to /dev/zero": lambda path, outside: path.symlink_to("/dev/zero"),
    "a pipe": lambda path, outside: os.mkfifo(path),
    "a socket": lambda path, outside: listening(path),
    "a folder": lambda path, outside: path.mkdir(),
    "20 GB of nothing": lambda path, outside: sparse(path, png_head(1, 1)),
}
FILES = {
    "ledger.json": ("report {results}", "diff {results} {results}", "export {results}"),
    "not_established.md": ("report {results}",),
    "figures/index.json": ("report {results}",),
    "figures/a.png": ("report {results}",),
    "summaries/a.summary.json": ("report {results}",),
    "cells/means/run.manifest": ("status {results}",),
    "means.nc": ("judge {study} --executor serial --out {results}",),
}
for file, commands in FILES.items():
    for number, (kind, thing) in enumerate(THINGS.items()):
        command = commands[number % len(commands)]
        change = lambda results, outside, file=file, thing=thing: thing(replace(results / file), outside)  # noqa: E731
        CASES[f"{file} is {kind}"] = change, command, (2, file.rpartition("/")[2])
for folder, command in {
    "figures": "report {results}",
    "summaries": "report {results}",
    "cells": "status {results}",
    "cells/means": "status {results}",
}.items():

    @case(f"{folder} is a link out", command, (2, folder))
    def change(results, outside, folder=folder):
        if (results / folder).exists():
            os.rename(results / folder, results / "aside")
        (results / folder).parent.mkdir(exist_ok=True)
        (results / folder).symlink_to(outside)


def text_file(name, command, ending, file, text):
    @case(name, command, ending)
    def change(results, outside):
        replace(results / file).write_bytes(text if isinstance(text, bytes) else text.encode())


REPORT, NO = "report {results}", (2, "ledger.json")
text_file("a ledger nested 100 000 deep", REPORT, NO, "ledger.json", "[" * 100_000)
text_file("a ledger nested 500 deep", REPORT, NO, "ledger.json", '{"a":' * 500 + "1" + "}" * 500)
text_file("a ledger of ten million values", REPORT, NO, "ledger.json", "[" + "{}," * 10_000_000 + "0]")
text_file("a ledger that is a number of 10 000 digits", REPORT, NO, "ledger.json", "9" * 10_000)
text_file("a ledger that is no UTF-8", REPORT, NO, "ledger.json", b"\xff\xfe{}")
text_file("a picture of a million pixels squared", REPORT, (2, "a.png"), "figures/a.png", png_head(10**6, 10**6))
text_file("a picture cut after its signature", REPORT, (2, "a.png"), "figures/a.png", png_head(1, 1)[:8])
text_file("a text called png", REPORT, (2, "a.png"), "figures/a.png", "a text")
text_file("a picture with a command in its name", REPORT, (2, "owned"), f"figures/{ESCAPE}\n.png", "a text")
text_file("a text of 2 MB", REPORT, (2, "not_established.md"), "not_established.md", "a" * 2 * 2**20)
text_file("a text with a script", REPORT, 0, "not_established.md", f"# {SCRIPT}\n\n- `{SCRIPT}`\n\n{SCRIPT}")
INDEX = (2, "index.json")
for name in ("../../outside/canary.png", "/etc/passwd", "..", "a/../../b.png", "", None, 3, "a.png\0"):
    text_file(
        f"an index that names {name!r}", REPORT, INDEX, "figures/index.json", json.dumps([{"name": "a", "png": name}])
    )
text_file("an index nested 1000 deep", REPORT, INDEX, "figures/index.json", "[" * 1000 + "]" * 1000)
text_file("an index of another kind", REPORT, INDEX, "figures/index.json", '{"a": 1}')
text_file(
    "a manifest nested 1000 deep", "status {results}", (2, "run.manifest"), "cells/means/run.manifest", "[" * 1000
)
text_file("a record of ten million values", "status {results}", 0, f"cells/means/{KEY}.json", "[" + "{}," * 10_000_000)


@case("an index with a script for a title", REPORT, 0)
def change(results, outside):
    entry = {"name": SCRIPT, "title": SCRIPT, "png": "a.png", "studies": [SCRIPT], "claims": [SCRIPT]}
    replace(results / "figures/index.json").write_text(json.dumps([entry]))
    (results / "figures/a.png").write_bytes(png_head(1, 1))


@case("more than fifty summaries", REPORT, (2, "summaries"))
def change(results, outside):
    (results / "summaries").mkdir()
    for number in range(60):
        (results / f"summaries/{number}.summary.json").write_text("{}")


@case("pictures of 80 MB together", REPORT, (2, "figures"))
def change(results, outside):
    (results / "figures").mkdir(exist_ok=True)
    for number in range(8):
        (results / f"figures/{number}.png").write_bytes(png_head(1, 1) + os.urandom(10 * 2**20))


def spoiled(results, **changes):
    ledger = json.loads((results / "ledger.json").read_text())
    ledger["verdicts"][0] |= changes
    (results / "ledger.json").write_text(json.dumps(ledger))


for form in ("report {results}", "diff {results} {results}", "export {results}", "export {results} --format latex"):

    @case(f"{form.split(' {')[0]} {form[-5:]}: scripts, commands to the terminal and lone surrogates", form, 0)
    def change(results, outside):
        evil = f"{SCRIPT}{ESCAPE}\udcff\u202e"
        spoiled(results, claim=evil, regime=evil, statement=evil, reason=evil, source=evil, study=evil, reproduce=evil)


for what in ("report.html", "export.md"):

    @case(
        f"{what} is a link out",
        "report {results}" if what == "report.html" else "export {results} --out {results}/export.md",
        0,
    )
    def change(results, outside, what=what):
        replace(results / what).symlink_to(outside / "canary.md")


@case("report.html is a folder", REPORT, (2, "report.html"))
def change(results, outside):
    replace(results / "report.html").mkdir()


@case("a manifest that names a file elsewhere", "status {results}", 0)
def change(results, outside):
    path = results / "cells/means/run.manifest"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"file": str(outside / "canary.md")}))


for kind in ("a link out", "a pipe", "a dangling link", "20 GB of nothing"):

    @case(f"a record is {kind}", "status {results}", 0)
    def change(results, outside, kind=kind):
        path = sorted((results / "cells/means").glob("*.json"))[0]
        THINGS[kind](replace(path), outside)


VERIFY = "verify {study} --executor serial --out {results} --seed 1"
for place, ending in {
    ".lock": (2, ".lock"),
    "cells": (2, "cells"),
    "cells/means": (2, "means"),
    "ledger.json": 0,
    "means.nc": 0,
}.items():
    for kind in ("a dangling link", "a pipe"):

        @case(f"verify where {place} is {kind}", VERIFY, ending if kind != "a pipe" or ending == 0 else 2)
        def change(results, outside, place=place, kind=kind):
            if (results / place).is_dir():
                os.rename(results / place, results / "aside")
            THINGS[kind](replace(results / place), outside)


@case("run where every mark is a dangling link", "run {study} --out {results} --seed 1", 0)
def change(results, outside):
    for number in range(40):  # the names of a run's own marks are random
        (results / f"cells/means/{number:016x}.running").symlink_to(outside / "new")


JUDGE, NC = "judge {study} --executor serial --out {results}", (2, "means.nc")


def hdf5(name, ending=NC, command=JUDGE):
    """A change of the data set with h5py."""

    def add(change):
        def whole(results, outside):
            with h5py.File(results / "means.nc", "r+") as file:
                change(file, outside)

        CASES[name] = whole, command, ending
        return change

    return add


@hdf5("values in external storage")
def change(file, outside):
    attributes = dict(file["y"].attrs)
    del file["y"]
    file.create_dataset("y", (2, 16), "f8", external=[(str(outside / "canary.md"), 0, 256)])
    file["y"].attrs["units"] = attributes["units"]


@hdf5("values in a virtual data set")
def change(file, outside):
    layout = h5py.VirtualLayout((2, 16), "f8")
    layout[:] = h5py.VirtualSource(str(outside / "canary.nc"), "y", (2, 16))
    del file["y"]
    file.create_virtual_dataset("y", layout)


@hdf5("a virtual data set without end")
def change(file, outside):
    layout = h5py.VirtualLayout((2, 16), "f8", maxshape=(None, 16))
    source = h5py.VirtualSource(str(outside / "canary.nc"), "y", (2, 16), maxshape=(None, 16))
    layout[: h5py.h5s.UNLIMITED, :] = source[: h5py.h5s.UNLIMITED, :]
    del file["y"]
    file.create_virtual_dataset("y", layout)


@hdf5("a link to another file")
def change(file, outside):
    del file["y"]
    file["y"] = h5py.ExternalLink(str(outside / "canary.nc"), "/y")


@hdf5("a soft link")
def change(file, outside):
    file["z"] = h5py.SoftLink("/y")


@hdf5("groups in a circle", 0)
def change(file, outside):
    file.create_group("a")["b"] = file["/"]


@hdf5("groups 100 deep")
def change(file, outside):
    file.create_group("/".join("a" * 100))


@hdf5("3000 variables")
def change(file, outside):
    for number in range(3000):
        file[f"v{number}"] = 0.0


@hdf5("1000 attributes of one variable")
def change(file, outside):
    for number in range(1000):
        file["y"].attrs[f"a{number}"] = "text"


@hdf5("11 000 attributes altogether")
def change(file, outside):
    for number in range(55):
        item = file.create_dataset(f"v{number}", data=0.0)
        for other in range(200):
            item.attrs[f"a{other}"] = 1.0


@hdf5("a terabyte of fill values")
def change(file, outside):
    file.create_dataset("z", (2**27, 2**10), "f8", chunks=(1024, 1024))


@hdf5("a few bytes that expand to 7 GB")
def change(file, outside):
    item = file.create_dataset("z", (7, 2**27), "f8", chunks=(1, 2**20), compression="gzip")
    item[0, : 2**20] = 0.0


@hdf5("a chunk of 8 numbers that expands to 256 MB", (2, "means.nc stores z in chunks that expand"))
def change(file, outside):
    item = file.create_dataset("z", (8,), "f8", chunks=(8,), compression="gzip")
    squeeze, zeros = zlib.compressobj(1), bytes(2**24)
    content = b"".join(squeeze.compress(zeros) for _ in range(16)) + squeeze.flush()
    item.id.write_direct_chunk((0,), content)


@hdf5("chunks compressed twice")
def change(file, outside):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1024,))
    for _ in range(2):
        plist.set_deflate(9)
    space = h5py.h5s.create_simple((1024,))
    h5py.h5d.create(file.id, b"z", h5py.h5t.NATIVE_DOUBLE, space, plist)


@hdf5("a filter that is not trusted")
def change(file, outside):
    file.create_dataset("z", data=np.zeros(64), compression="lzf")


@hdf5("a chunk of a gigabyte")
def change(file, outside):
    file.create_dataset("z", (8,), "f8", maxshape=(None,), chunks=(2**28,), compression="gzip")


@hdf5("an attribute of 40 000 long texts")
def change(file, outside):
    file.attrs["texts"] = np.array(["x" * 2000] * 40, dtype=object)
    file["y"].attrs.create("more", np.array(["x" * 100] * 20_000, dtype=object), dtype=h5py.string_dtype())


@hdf5("entries that are lists of any length")
def change(file, outside):
    file.create_dataset("z", (4,), h5py.vlen_dtype(np.float64))


def forged(name, ending=NC):
    """A change of the data set that only the meaning of its content can give away."""

    def add(change):
        def whole(results, outside):
            from unifiedscore.study.dataset import read_dataset

            dataset = change(read_dataset(results / "means.nc"))
            dataset.to_netcdf(results / "means.nc", engine="h5netcdf")

        CASES[f"forged: {name}"] = whole, JUDGE, ending
        return change

    return add


for attribute in ("config", "failed_cells", "profile", "root_seed", "study", "history", "git_commit", "source"):
    for what, value in {
        "absent": None,
        "numbers": np.arange(3.0),
        "not JSON": "{",
        "empty": "",
        "huge": "9" * 500,
    }.items():
        if (attribute, what) in (("history", "not JSON"), ("git_commit", "not JSON"), ("source", "not JSON")):
            continue
        fine = attribute in ("history", "git_commit", "source") and what in ("empty", "huge")

        def change(dataset, attribute=attribute, value=value):
            dataset.attrs.pop(attribute)
            return dataset if value is None else dataset.assign_attrs({attribute: value})

        forged(f"{attribute} is {what}", 0 if fine else NC)(change)

FORGED = {
    "no status": lambda d: d.drop_vars("status"),
    "a status of 7": lambda d: d.assign(status=d.status * 0 + np.int8(7)),
    "one status of -1": lambda d: d.assign(status=d.status.where(d.seed > 0, -1)),
    "a status that is not a number": lambda d: d.assign(status=d.status.where(d.seed > 0, np.nan).astype(float)),
    "a status of 0.5": lambda d: d.assign(status=d.status + 0.5),
    "a status in words": lambda d: d.assign(status=d.status.astype(str)),
    "a status with another axis": lambda d: d.assign(status=d.status.expand_dims(other=[1, 2])),
    "values in words": lambda d: d.assign(y=d.y.astype(str)),
    "values without the axis estimator": lambda d: d.isel(estimator=0, drop=True),
    "values without the axis seed": lambda d: d.isel(seed=0, drop=True),
    "an axis without labels": lambda d: d.drop_vars("seed"),
    "labels that are not numbers": lambda d: d.assign_coords(seed=np.where(d.seed > 0, d.seed, np.nan)),
    "one label twice": lambda d: d.assign_coords(seed=[0, *range(15)]),
    "two million seeds": lambda d: d.isel(estimator=[0]).reindex(seed=np.arange(2_000_000), fill_value=0),
    "failed cells that are numbers": lambda d: d.assign_attrs(failed_cells="[1, 2]"),
    "failed cells without a message": lambda d: d.assign_attrs(failed_cells='[{"cell": {}}]'),
    "failed cells nested 300 deep": lambda d: d.assign_attrs(failed_cells="[" * 300 + "]" * 300),
    "hashes that are numbers": lambda d: d.assign_attrs(config='{"hashes": {"engine": 1}}'),
    "a config that is a list": lambda d: d.assign_attrs(config="[]"),
    "a profile that nobody knows": lambda d: d.assign_attrs(profile="tiny"),
    "a root seed below zero": lambda d: d.assign_attrs(root_seed=-1),
    "a root seed of 0.5": lambda d: d.assign_attrs(root_seed=0.5),
    "another study's name": lambda d: d.assign_attrs(study="other"),
}
UNDECIDED = {
    "labels of another kind": lambda d: d.assign_coords(estimator=[1.0, 2.0]),
    "no values": lambda d: d.drop_vars("y"),
    "infinite values": lambda d: d.assign(y=d.y + np.inf),
    "no seeds": lambda d: d.isel(seed=[]),
    "one seed": lambda d: d.isel(seed=[3]),
    "every cell skipped": lambda d: d.assign(status=d.status * 0 + np.int8(1)),
}
for endings, ending in ((FORGED, NC), (UNDECIDED, 1)):
    for name, change in endings.items():
        forged(name, ending)(change)
