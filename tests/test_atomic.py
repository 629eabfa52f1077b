import errno
import os
import subprocess
import sys
import threading

import pytest

from unifiedscore import atomic
from unifiedscore.atomic import locked, make_folder, owner, partial_path, running, sweep, write_atomic
from unifiedscore.errors import FileError


@pytest.fixture
def ended():
    """The owner of what a process that has ended left behind."""
    code = "from unifiedscore.atomic import owner; print(owner())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def abandoned(owner):
    """Whether it is known that `owner` has ended: so it is not of a process of another machine or container."""
    return atomic._alive(owner) is False


def test_living_and_ended_processes_of_this_machine_are_told_apart(ended):
    assert running(owner()) and not abandoned(owner())
    assert abandoned(ended) and not running(ended)
    machine, namespace, number, start, token = owner().split("-")
    assert abandoned("-".join([machine, namespace, number, str(int(start) + 1), token]))  # a number taken again
    assert abandoned("-".join([machine, namespace, number, start, "0" * 8]))
    elsewhere = "-".join([machine, "0" * 8, "1", start, token])  # in another container of the same name
    assert not abandoned(elsewhere) and not running(elsewhere)
    for unknown in (f"00000000-{os.getpid()}", "", "nonsense", f"{owner().partition('-')[0]}-x"):
        assert not running(unknown) and not abandoned(unknown)


def test_what_a_killed_process_left_is_removed_and_what_others_are_writing_is_not(tmp_path, ended):
    name = partial_path(tmp_path / "a.b.json").name
    left = tmp_path / name.replace(owner(), ended)
    kept = [
        tmp_path / name,
        tmp_path / name.replace(owner(), "00000000-11111111-1-1-1"),
        tmp_path / "a.json",
        tmp_path / ".x.partial",
    ]
    for path in (left, *kept):
        path.write_text("half")
    old = tmp_path / name.replace(owner(), "00000000-11111111-1-1-1").replace("a.b", "old")
    old.write_text("half")
    os.utime(old, (0, 0))
    sweep(tmp_path)
    assert not old.exists()
    assert not left.exists() and all(path.exists() for path in kept)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some of your quota"),
        (errno.EROFS, "choose a folder that can be written"),
        (errno.EACCES, "choose a folder that can be written"),
    ],
)
def test_a_refused_write_leaves_the_old_file_and_says_what_to_do(tmp_path, monkeypatch, number, advice):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.os, "replace", refuse)
    monkeypatch.setattr(atomic.Path, "unlink", refuse)  # a read-only system refuses that too
    with pytest.raises(FileError, match=rf"cannot write .*file: .*; {advice}.*; what was finished is recorded"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot create the folder"):
        make_folder(tmp_path / "file" / "deep")


def test_a_folder_is_locked_for_one_at_a_time(tmp_path):
    order, entered = [], threading.Event()

    def second():
        entered.set()
        with locked(tmp_path):
            order.append("second")

    with locked(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
