"""Thread limits, in processes of their own: what numba has started cannot be undone in this one."""

import json
import os
import subprocess
import sys
import textwrap

import numpy as np  # noqa: F401  (loads the BLAS whose threads are limited)
from threadpoolctl import threadpool_info

from unifiedscore.study.threads import THREAD_VARIABLES, limited_threads


def outcome(code, **environment):
    """What a script prints as JSON, in a process that would start three threads of everything."""
    crowded = os.environ | dict.fromkeys(THREAD_VARIABLES[:-1], "3") | environment
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, env=crowded, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


COUNT = """
import json, os, threading
from threadpoolctl import threadpool_info
from unifiedscore.study.threads import limited_threads

def count():
    import numba
    return [numba.get_num_threads(), *sorted({library["num_threads"] for library in threadpool_info()})]
"""


def test_libraries_loaded_before_and_within_are_limited_and_then_restored():
    code = """
    import numba, numpy
    before = count()[0]
    with limited_threads(1):
        from scipy import linalg
        from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
        within = count(), _openmp_effective_n_threads()
        compiled = numba.njit(lambda x: x + 1)(1)
    print(json.dumps([before, *within, count()[0], numba.njit(lambda x: x - 1)(1)]))
    """
    assert outcome(COUNT + textwrap.dedent(code)) == [3, [1, 1], 1, 3, 0]


def test_a_numba_that_is_loaded_within_keeps_the_number_it_was_started_with_and_compiles_on():
    code = """
    with limited_threads(1):
        within = count()
    import numba
    after = numba.njit(lambda x: x + 1)(1)
    print(json.dumps([within, count()[0], after]))
    """
    assert outcome(COUNT + textwrap.dedent(code)) == [[1, 1], 1, 2]


def test_the_limit_lasts_until_the_last_of_several_threads_has_left():
    code = """
    import numba, numpy
    before = count()
    inside, leave = threading.Event(), threading.Event()
    def hold():
        with limited_threads(1):
            inside.set()
            leave.wait()
            global last
            last = count()
    thread = threading.Thread(target=hold)
    with limited_threads(1):
        thread.start()
        inside.wait()
    leave.set()
    thread.join()
    print(json.dumps([last, count(), before]))
    """
    last, after, before = outcome(COUNT + textwrap.dedent(code))
    assert last == [1, 1] and after == before and after[0] == 3


def test_limits_are_restored_after_an_error(monkeypatch):
    monkeypatch.setenv("UNIFIEDSCORE_NUM_THREADS", "7")
    before = [library["num_threads"] for library in threadpool_info()]
    try:
        with limited_threads(1):
            assert os.environ["UNIFIEDSCORE_NUM_THREADS"] == "1"
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert os.environ["UNIFIEDSCORE_NUM_THREADS"] == "7"
    assert [library["num_threads"] for library in threadpool_info()][: len(before)] == before
