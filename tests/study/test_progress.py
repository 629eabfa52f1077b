"""What a watcher reads while a command works: one line for all its parts, with the time left at the rate so far."""

import sys

import pytest

from unifiedscore.study import progress
from unifiedscore.study.progress import Progress, one_display


class Recorder:
    """Stands for the display."""

    made = 0

    def __init__(self):
        type(self).made += 1
        self.lines, self.closed = [], False

    def show(self, text, done, total, counts):
        self.lines.append((text, done, total, counts))

    def close(self):
        self.closed = True


@pytest.fixture
def watched(monkeypatch):
    """A terminal whose display is recorded and whose clock is set by hand."""
    clock = [0.0]
    Recorder.made = 0
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "_Display", Recorder)
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    return clock


def test_the_parts_of_a_command_share_one_display(watched):
    with one_display("reading"), one_display("an inner one"):
        (display,) = progress._open
        with Progress("measuring", "cells", total=2) as bar:
            bar.advance("first")
        with Progress("drawing", "figures", total=3):
            pass
    texts = [line[0] for line in display.lines]
    assert texts == ["reading", "measuring", "measuring first", "drawing"]
    assert Recorder.made == 1 and display.closed and not progress._open


def test_it_is_closed_after_an_error(watched):
    with pytest.raises(ValueError), one_display("reading"):
        display = progress._open[0]
        raise ValueError
    assert display.closed and not progress._open


def test_the_time_left_is_that_of_the_mean_rate_without_what_was_resumed(watched):
    with one_display("reading"), Progress("measuring", "cells", total=110, done=10) as bar:
        for watched[0] in range(1, 5):
            bar.advance("s")
        assert progress._open[0].lines[-1][3] == "14/110 cells"
        watched[0] = 5.0
        bar.advance("s", failed=True)
        # Five of a hundred in five seconds: 95 seconds are left.
        assert progress._open[0].lines[-1] == ("measuring s (1 failed)", 15, 110, "15/110 cells, about 2 min left")
        watched[0] = 60.0
        for _ in range(75):
            bar.advance("s")
        assert progress._open[0].lines[-1][3] == "90/110 cells, about 15 s left"


def test_alone_it_appears_after_a_second_and_vanishes_at_the_end(watched):
    with Progress("measuring", "cells", total=3) as bar:
        bar.advance("s")
        assert Recorder.made == 0
        watched[0] = 2.0
        bar.advance("a_name_that_is_longer_than_a_line_of_eighty_allows")
        ((text, *_),) = bar._own.lines
    assert text == "measuring a_name_that_is_longer_than_..." and bar._own.closed


def test_where_nobody_watches_nothing_is_made(watched, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    with one_display("reading"), Progress("measuring", "cells", total=2) as bar:
        watched[0] = 9.0
        bar.advance("s")
    assert Recorder.made == 0
