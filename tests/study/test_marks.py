import json
import os
import subprocess
import sys
import textwrap

import pytest

from unifiedscore.errors import FileError
from unifiedscore.study import marks
from unifiedscore.study.marks import forget_dead, leave_mark, read_marks, remove_all_marks, remove_mark

CELLS = {"k": {"dimension": 2}, "l": {"dimension": 4}}


@pytest.fixture
def left(tmp_path):
    """A mark that a process left which has ended."""
    code = f"""
        import os, pathlib
        from unifiedscore.study.marks import leave_mark
        leave_mark(pathlib.Path({str(tmp_path)!r}), {CELLS!r}, deaths=1)
        os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    (path,) = tmp_path.glob("*.running")
    return path


def test_a_mark_names_its_cells_and_lives_as_long_as_its_process(tmp_path, left):
    path = leave_mark(tmp_path, CELLS)
    found = {mark.path: mark for mark in read_marks(tmp_path)}
    assert found[path].alive and not found[left].alive
    assert found[left].keys == ("k", "l") and found[left].cells == tuple(CELLS.values())
    assert (found[path].deaths, found[left].deaths) == (0, 1)
    remove_mark(path)
    assert list(tmp_path.iterdir()) == [left]


def test_the_lock_tells_even_where_the_number_of_the_process_is_taken_again(tmp_path, left):
    """As in a container, whose first process is number 1 every time."""
    path = leave_mark(tmp_path, CELLS)
    content = json.loads(path.read_text())
    left.write_text(json.dumps(json.loads(left.read_text()) | {"owner": content["owner"]}))
    assert {mark.path: mark.alive for mark in read_marks(tmp_path)} == {path: True, left: False}
    remove_all_marks()


def test_without_locks_the_owner_tells(tmp_path, left, monkeypatch):
    path = leave_mark(tmp_path, CELLS)
    monkeypatch.setattr(marks, "_held", lambda file: None)
    assert {mark.path: mark.alive for mark in read_marks(tmp_path)} == {path: True, left: False}
    remove_all_marks()


def test_marks_are_forgotten_once_their_cells_are_settled(tmp_path, left):
    forget_dead(read_marks(tmp_path), {"k"}.__contains__)
    assert left.exists()
    mine = leave_mark(tmp_path, CELLS)
    forget_dead(read_marks(tmp_path), CELLS.__contains__)
    assert not left.exists() and mine.exists()
    remove_all_marks()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]", b'{"keys": 3}'])
def test_what_is_no_mark_is_passed_over(tmp_path, content):
    (tmp_path / "a.running").write_bytes(content)
    os.mkfifo(tmp_path / "b.running")
    (tmp_path / "c.running").symlink_to("/dev/zero")
    (tmp_path / "d.running").mkdir()
    assert read_marks(tmp_path) == []


def test_a_mark_that_cannot_be_left_says_what_to_do(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(marks.os, "write", full)
    with pytest.raises(FileError, match=r"cannot write .*running: No space left.*free some space"):
        leave_mark(tmp_path, CELLS)
    assert not list(tmp_path.iterdir())
