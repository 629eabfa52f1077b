"""Results folders from a stranger: commands end soon, with little memory, and neither read nor write elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_folders import CASES

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pipes, sockets and limits of Linux")


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    """How every case ended, by name."""
    server = Path(__file__).with_name("hostile_server.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    environment.pop("UNIFIEDSCORE_TRACEBACK", None)
    command = [sys.executable, str(server), str(tmp_path_factory.mktemp("hostile"))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return {ending["name"]: ending for ending in map(json.loads, done.stdout.splitlines())}


def test_there_are_at_least_fifty_kinds():
    assert len(CASES) >= 50


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_folder_is_survived(name, endings, record_property):
    _, command, wanted = CASES[name]
    code, named = wanted if isinstance(wanted, tuple) else (wanted, "")
    ending = endings[name]
    wrong = []
    if ending["code"] != code:
        wrong.append(f"exit code {ending['code']} instead of {code}")
    if "Traceback" in ending["err"] or "defect of unifiedscore" in ending["err"]:
        wrong.append("a traceback or a defect")
    if code == 2 and not ending["err"].splitlines()[-1].startswith("unifiedscore: "):
        wrong.append("no paragraph that begins with the name of the program")
    if named not in ending["err"]:
        wrong.append(f"{named} is not named")
    if any(letter in ending["out"] + ending["err"] for letter in "\x1b\x07\u202e"):
        wrong.append("a command to the terminal")
    wrong += [what for what in ("leaked", "outside changed", "script") if ending[what]]
    if ending["memory"] > 1000:
        wrong.append(f"{ending['memory']:.0f} MiB of memory")
    record_property("attack", ("hostile folders", 1, int(bool(wrong))))
    assert not wrong, f"{command}: {'; '.join(wrong)}\n{ending['out'][-800:]}\n{ending['err'][-1500:]}"
