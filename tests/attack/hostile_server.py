"""Run every hostile folder in a process of its own, forked from one that has imported everything, with little memory.

Called with a folder to work in; prints one JSON line per case: exit code, peak memory in MiB, what was said, and what
stands in the folders afterwards.
"""

import base64
import hashlib
import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

import h5netcdf  # noqa: F401
import jinja2  # noqa: F401
import numpy as np
import xarray as xr
from hostile_folders import CANARY, CASES, STUDY

from unifiedscore.cli import _exit_code
from unifiedscore.output import survive_any_text

MEMORY, SECONDS = 2**30, 60


def prepare(folder):
    """A sound results folder beside its study, and the canaries outside of it."""
    (folder / "given/studies").mkdir(parents=True)
    (folder / "given/studies/study_means.py").write_text(STUDY)
    os.chdir(folder)
    study, results = "given/studies/study_means.py", "given/results"
    assert _exit_code(["verify", study, "--executor", "serial", "--out", results]) == 0
    outside = folder / "outside"
    outside.mkdir()
    for ending in ("md", "json", "manifest"):
        (outside / f"canary.{ending}").write_text(json.dumps(CANARY))
    (outside / "canary.png").write_bytes((b"\x89PNG\r\n\x1a\n" + bytes(16) + CANARY.encode()).ljust(300))
    shutil.copy(folder / "given/results/means.nc", outside / "canary.nc")


def snapshot(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "other"
        for path in sorted(folder.rglob("*"))
    }


def seen(*texts):
    """Whether the canary stands in one of the texts, as it is or as base64 at any offset."""
    inner = [base64.b64encode(CANARY.encode()[start : start + 30])[4:-4] for start in range(3)]
    return any(needle in text for text in texts for needle in (CANARY.encode(), *inner))


def run(arguments, said):
    """Run a command in a forked process; returns its exit status, whether it hung, and its peak memory."""
    process = os.fork()
    if process == 0:
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), number)
        code = 99
        try:
            survive_any_text()
            code = _exit_code(arguments)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status, usage = os.wait4(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024
        time.sleep(0.01)
    os.kill(process, 9)
    os.wait4(process, 0)
    return "hangs", 0.0


def attack(name, base, folder):
    change, command, _ = CASES[name]
    shutil.copytree(base, folder, symlinks=True)
    given, outside = folder / "given", folder / "outside"
    change(given / "results", outside)
    before, sources = snapshot(outside), snapshot(given / "studies")
    (folder / "said").mkdir()
    places = {"results": given / "results", "study": given / "studies/study_means.py"}
    code, memory = run([part.format(**places) for part in command.split()], folder / "said")
    said = {name: (folder / "said" / name).read_bytes() for name in ("out", "err")}
    made = [
        path.read_bytes()
        for path in (given / "results").rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 2**26
    ]
    report = given / "results/report.html"
    result = {
        "name": name,
        "code": code,
        "memory": memory,
        "out": said["out"].decode("utf-8", "replace"),
        "err": said["err"].decode("utf-8", "replace"),
        "leaked": seen(*made, *said.values()),
        "outside changed": snapshot(outside) != before or snapshot(given / "studies") != sources,
        "script": report.is_file() and not report.is_symlink() and b"<script>alert" in report.read_bytes(),
    }
    shutil.rmtree(folder)
    return result


def main():
    folder = Path(sys.argv[1])
    assert xr and np
    prepare(folder / "base")
    names = sys.argv[2:] or CASES
    for number, name in enumerate(names):
        print(json.dumps(attack(name, folder / "base", folder / str(number))), file=RESULTS, flush=True)


if __name__ == "__main__":
    RESULTS = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    main()
