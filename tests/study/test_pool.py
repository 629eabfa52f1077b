import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from unifiedscore.errors import InputError
from unifiedscore.study.pool import InProcess, LocalPool, available_cores


def test_processes_start_with_the_first_task_and_again_after_a_kill():
    pool = LocalPool(1)
    assert not pool.warm
    first = pool.submit(os.getpid).result()
    pool.kill()
    assert not pool.warm
    assert pool.submit(os.getpid).result() not in (first, os.getpid())
    pool.shutdown()


def test_workers_are_checked_and_default_to_the_available_cores():
    assert LocalPool().workers == min(available_cores(), 60)
    with pytest.raises(InputError, match="workers must be at least 1"):
        LocalPool(0)


def test_a_process_that_lives_already_finds_modules_where_its_driver_finds_them_now(tmp_path, monkeypatch):
    (tmp_path / "found_late.py").write_text("V = 3\n")
    with LocalPool(1) as pool:
        first = pool.submit(os.getpid).result()
        monkeypatch.syspath_prepend(tmp_path)
        assert pool.submit(eval, "__import__('found_late').V").result() == 3
        monkeypatch.undo()
        assert str(tmp_path) not in pool.submit(eval, "__import__('sys').path").result()
        assert pool.submit(os.getpid).result() == first


def test_in_process_tasks_return_results_and_errors():
    assert InProcess().submit(divmod, 7, 2).result() == (3, 1)
    with pytest.raises(ZeroDivisionError):
        InProcess().submit(divmod, 7, 0).result()


def test_a_script_without_a_guard_runs_once_and_its_workers_die_with_it(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import os, signal
        from unifiedscore.study.pool import LocalPool
        pool = LocalPool(1)
        print(pool.submit(os.getpid).result(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """)
    )
    done = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
    (worker,) = map(int, done.stdout.split())
    deadline = time.monotonic() + 10
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
