"""Any command ends soon after a signal, in the middle of whatever it computes, and says how to resume.

The cells here compute for hours: that the command ends at all is the point. How soon is a matter of the clock, which a
test on a busy machine cannot tell; `unifiedscore.cli.interrupts` states its grace in seconds.
"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from unifiedscore.atomic import RESUME

STUDY = '''
"""One cell after the other sits in compiled code for minutes."""
import hashlib

from unifiedscore.study import Grid, Study, Variable


def released():
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)


def held():
    sum(range(10**12))


def compute():
    open({started!r}, "w").close()
    {call}()


if {at_import}:
    compute()


def measure(cell, rng):
    try:
        if {one_quick}:
            open({started!r} + ".quick", "x").close()
            return {{"mean": 1.0}}
    except FileExistsError:
        pass
    compute()


study = Study(
    name="long", title="Long", grid=Grid(seed=range(8)), measure=measure, variables={{"mean": Variable("M")}}
)
'''
PATIENCE = 60.0  # seconds, on a machine however busy


@pytest.fixture
def interrupted(tmp_path):
    """Start a run, send it a signal while a cell sits in compiled code; the process and its words."""
    groups = []

    def interrupt(call, number, *options, one_quick=False, at_import=False):
        started = tmp_path / "started"
        source = STUDY.format(call=call, one_quick=one_quick, at_import=at_import, started=str(started))
        (tmp_path / "study_long.py").write_text(source.lstrip())
        command = [sys.executable, "-m", "unifiedscore.cli", "run", "study_long.py", *options]
        # A shell's background job ignores Ctrl-C, and so would what it starts; a handler is not inherited.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
        signal.signal(signal.SIGINT, before)
        groups.append(process.pid)
        deadline = time.monotonic() + PATIENCE
        while (
            not (started.exists() and (not one_quick or list(tmp_path.rglob("cells/*/*.json"))))
            and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(number)
        _, text = process.communicate(timeout=PATIENCE)
        return process, text

    yield interrupt
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass


def group_of(pid):
    """The processes of a session that are still alive."""
    command = ["ps", "-A", "-o", "pid=,sess=,stat="]
    rows = (line.split() for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines())
    return [int(row[0]) for row in rows if row[1] == str(pid) and not row[2].startswith("Z")]


def none_left(pid):
    deadline = time.monotonic() + PATIENCE
    while group_of(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return group_of(pid) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_compiled_code_in_a_worker_does_not_hold_it_up(interrupted, tmp_path, number):
    process, text = interrupted("released", number, "--executor", "serial")
    assert process.returncode == 128 + number
    assert text == f"unifiedscore: interrupted; {RESUME}\n"
    assert none_left(process.pid) and not list(tmp_path.rglob("*.running"))


def test_nor_does_compiled_code_in_this_process_that_lets_no_other_python_run(interrupted):
    process, text = interrupted("held", signal.SIGTERM, at_import=True)
    assert process.returncode == -signal.SIGKILL
    assert text == f"unifiedscore: interrupted; {RESUME}\n" and none_left(process.pid)


def test_workers_in_compiled_code_are_ended_and_what_was_finished_is_recorded(interrupted, tmp_path):
    process, text = interrupted("held", signal.SIGHUP, "--workers", "2", one_quick=True)
    assert process.returncode == 128 + signal.SIGHUP
    assert text == f"unifiedscore: interrupted; {RESUME}\n" and none_left(process.pid)
    (record,) = tmp_path.glob("results/cells/long/*.json")
    assert json.loads(record.read_bytes())["status"] == "ok"


def test_a_killed_driver_takes_workers_in_compiled_code_with_it(interrupted):
    process, _ = interrupted("held", signal.SIGKILL, "--workers", "2", one_quick=True)
    assert process.returncode == -signal.SIGKILL and none_left(process.pid)
