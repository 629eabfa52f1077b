"""Malformed commands, typed into a real shell: one paragraph on standard error, exit code 2, nothing left behind."""

import os
import shlex
import subprocess
import sys

import numpy as np
import pytest

COMMANDS = {
    "no such study file": "verify nowhere.py",
    "no such claim": "verify studies --claim no.such",
    "no such profile": "verify studies --profile tiny",
    "negative seed": "verify studies --seed -1",
    "text for a seed": "run studies --seed one",
    "no workers": "run studies --workers 0",
    "no such executor": "run studies --executor nonsense",
    "no such study": "run studies --study nothing",
    "results folder is a file": "run studies --out text.npy",
    "study with a syntax error": "list broken/study_broken.py",
    "study that raises": "list raising/study_raising.py",
    "study that exits": "list exiting/study_exiting.py",
    "file without a study": "run hollow/study_hollow.py",
    "folder without studies": "list empty",
    "judging without data": "judge studies --out empty",
    "figures without data": "figures empty",
    "report without a ledger": "report empty",
    "report of a ledger that is no JSON": "report torn",
    "report of a ledger that is a list": "report listed",
    "report of a ledger of the future": "report future",
    "status of nothing": "status nowhere",
    "difference of one": "diff torn",
    "no such command": "verfy studies",
    "new: no such kind": "new theorem mine",
    "new: a name that is a path": "new kernel ../escape",
    "new: a name in capitals": "new study Mine",
    "export without a ledger": "export empty",
    "export: no such format": "export torn --format word",
    "run --check without records": "run studies --check --out empty",
    "train: no such file": "train nowhere.npy",
    "falsify: no such claim": "falsify studies --claim no.such",
    "falsify: no evaluation": "falsify studies --budget 0",
    "map: no such claim": "map studies --claim no.such",
    "map: one axis": "map studies --x seed",
    "map: nothing to map": "map studies",
    "a budget without looks": "verify studies --budget 10m",
    "a budget that is no time": "verify studies --until-decided --budget soon",
    "no seeds at most": "verify studies --until-decided --most-seeds 0",
    "diagnose-score: no such data": "diagnose-score network.safetensors nowhere.npy",
    "train score: no such file": "train score nowhere.npy",
    "train tilt: no such file": "train tilt nowhere.npy",
    "diagnose: no such file": "diagnose nowhere.npy good.npy",
    "diagnose: a folder": "diagnose folder.npy good.npy",
    "diagnose: an empty file": "diagnose empty.npy good.npy",
    "diagnose: text as npy": "diagnose text.npy good.npy",
    "diagnose: a pickle": "diagnose pickle.npy good.npy",
    "diagnose: NaN": "diagnose good.npy nan.npy",
    "diagnose: words in csv": "diagnose words.csv good.npy",
    "diagnose: ragged csv": "diagnose ragged.csv good.npy",
    "diagnose: dimensions differ": "diagnose good.npy wide.npy",
    "diagnose: negative bandwidth": "diagnose good.npy other.npy --bandwidth 0.5,-1",
    "diagnose: bandwidth in words": "diagnose good.npy other.npy --bandwidth wide",
    "diagnose: no such kernel": "diagnose good.npy other.npy --kernel cosine",
    "diagnose: shape parameter missing": "diagnose good.npy other.npy --kernel matern",
    "diagnose: few rows": "diagnose good.npy other.npy --max-samples 7",
    "diagnose: field without queries": "diagnose good.npy other.npy --field good.npy",
}
NAMED = {
    "difference of one": "new",
    "no workers": "workers",
    "no such command": "verfy",
    "diagnose: dimensions differ": "(60, 3)",
    "diagnose: few rows": "max_samples",
}
"""What the message must name, where it is not the last word of the command."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of all kinds that are not what their names promise."""
    folder = tmp_path_factory.mktemp("attack")
    rng = np.random.default_rng(0)
    for name in (
        "studies",
        "broken",
        "raising",
        "exiting",
        "hollow",
        "empty",
        "folder.npy",
        "torn",
        "listed",
        "future",
    ):
        (folder / name).mkdir()
    study = (
        "from unifiedscore.study import Grid, Study, Variable\n"
        "study = Study('small', 'Small', Grid(seed=range(2)), lambda cell, rng: {'y': 1.0}, {'y': Variable('Y')})\n"
    )
    texts = {
        "studies/study_small.py": study, "broken/study_broken.py": "def broken(:\n",
        "hollow/study_hollow.py": "x = 1\n",
        "raising/study_raising.py": "raise RuntimeError('on purpose')\n",
        "exiting/study_exiting.py": "import sys; sys.exit(7)\n",
        "torn/ledger.json": '{"schema_version": 1, "verdi', "listed/ledger.json": "[1, 2]",
        "future/ledger.json": '{"schema_version": 99, "profile": "quick", "root_seed": 0, "package_version": "9", '
                              '"verdicts": [], "not_run": [], "failed_cells": []}',
        "text.npy": "these are words\n", "empty.npy": "", "words.csv": "a,b\nc,d\n", "ragged.csv": "1,2\n3\n4,5,6\n",
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text)
    for name in ("good", "other"):
        np.save(folder / f"{name}.npy", rng.normal(size=(60, 2)))
    np.save(folder / "wide.npy", rng.normal(size=(60, 3)))
    np.save(folder / "nan.npy", np.full((60, 2), np.nan))
    np.save(folder / "pickle.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return folder


def test_every_command_is_attacked():
    from unifiedscore.cli import app

    known = {command.name for command in app.registered_commands}
    assert known <= {command.split()[0] for command in COMMANDS.values()}


def contents(folder):
    return sorted(
        (str(path.relative_to(folder)), path.stat().st_size)
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts and path.is_file()
    )


@pytest.mark.parametrize("what", COMMANDS)
def test_a_malformed_command_is_one_paragraph_and_leaves_nothing(what, folder, record_property):
    command, before = COMMANDS[what], contents(folder)
    environment = os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("UNIFIEDSCORE_TRACEBACK", None)
    line = f"{shlex.quote(sys.executable)} -m unifiedscore.cli {command}"
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    said = done.stderr.strip()
    wrong = []
    if done.returncode != 2:
        wrong.append(f"exit code {done.returncode}")
    if "Traceback" in done.stdout + said or "defect of unifiedscore" in said:
        wrong.append("a traceback or a defect")
    if not said.splitlines() or not said.splitlines()[-1].startswith("unifiedscore: "):
        wrong.append("no paragraph that begins with the name of the program")
    words = [NAMED[what]] if what in NAMED else shlex.split(command)[1:] or [command]
    if not any(word.strip("-").split("/")[-1] in said for word in words if word):
        wrong.append(f"none of {words} is named")
    if contents(folder) != before:
        wrong.append(f"left behind {sorted(set(contents(folder)) - set(before))}")
    record_property("attack", ("commands in a shell", 1, int(bool(wrong))))
    assert not wrong, f"{command}: {'; '.join(wrong)}\n{done.stdout[-500:]}\n{said[-1500:]}"
