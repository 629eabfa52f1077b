import json
import math
import os

import pytest

from unifiedscore.atomic import write_atomic
from unifiedscore.errors import FileError
from unifiedscore.study import Cell
from unifiedscore.study.records import (
    Record,
    RecordStore,
    _content_hash,
    record_key,
)

CELL = Cell({"dimension": 4, "seed": 0})
AWKWARD = {"a": 0.1 + 0.2, "b": math.nan, "c": -math.inf, "d": [5e-324, -0.0, 1.7976931348623157e308], "e": 1 / 3}


@pytest.fixture
def store(tmp_path):
    store = RecordStore.of(tmp_path, "moments")
    store.open()
    return store


def test_floats_come_back_bit_for_bit(store):
    store.write("k", Record("ok", AWKWARD, "", 0.25), CELL)
    read = store.read("k")
    assert read.status == "ok" and read.seconds == 0.25
    assert json.dumps(read.values) == json.dumps(AWKWARD)
    assert math.copysign(1, read.values["d"][1]) == -1


def test_a_missing_record_is_none(store):
    assert store.read("nothing") is None


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign", "renamed", "deep"])
def test_a_damaged_record_is_set_aside(store, damage):
    store.write("k", Record("ok", {"a": 0.5}), CELL)
    path = store.path("k")
    text = path.read_bytes()
    content = {
        "truncated": text[:-9],
        "flipped": text.replace(b"0.5", b"0.7"),
        "empty": b"",
        "foreign": b'{"schema": 1}',
        "renamed": text.replace(b'"key":"k"', b'"key":"j"'),
        "deep": b"[" * 100_000,
    }[damage]
    path.write_bytes(content)
    assert store.read_many(["k", "absent"]) == ({}, 1) and path.exists()  # looking changes nothing
    assert store.read_many(["k", "absent"], set_aside=True) == ({}, 1)
    assert path.with_suffix(".damaged").read_bytes() == content and not path.exists()


def test_nothing_half_written_stays_behind(tmp_path, monkeypatch):
    path = tmp_path / "file.json"
    write_atomic(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(
        FileError,
        match=r"cannot write .*file.json: No space left.*; free some space, .*the same command",
    ):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_the_key_depends_on_all_that_determines_a_number():
    base = {"engine": "e", "source": "s", "study": "n", "cell": CELL, "seed": 0}
    changes = [{"engine": "f"}, {"source": "t"}, {"study": "m"}, {"cell": Cell({"seed": 0})}, {"seed": 1}]
    keys = {record_key(**(base | change)) for change in [{}, *changes]}
    assert len(keys) == 6
    turned = {name: CELL[name] for name in reversed(list(CELL))}
    assert record_key(**(base | {"cell": Cell(turned)})) == record_key(**base)
    floats = {name: float(label) for name, label in CELL.items()}  # measured apart: 1 // 2 is not 1.0 / 2
    assert record_key(**(base | {"cell": Cell(floats)})) != record_key(**base)


def test_records_damaged_again_are_counted_and_kept_again(store):
    for number in range(3):
        store.write("k", Record("ok", {"a": 0.5}), CELL)
        store.path("k").write_text(f"damage {number}")
        assert store.read_many(["k"], set_aside=True) == ({}, 1)
    kept = {path.name: path.read_text() for path in store.folder.glob("*.damaged")}
    assert kept == {"k.damaged": "damage 0", "k.2.damaged": "damage 1", "k.3.damaged": "damage 2"}


@pytest.mark.parametrize("thing", ["folder", "pipe", "link to nothing", "link to itself", "terabytes"])
def test_a_thing_that_is_no_record_is_neither_read_nor_waited_for(store, thing):
    path = store.path("k")
    if thing == "folder":
        path.mkdir()
    elif thing == "pipe":
        os.mkfifo(path)
    elif thing == "terabytes":
        with path.open("wb") as file:
            file.truncate(2**40)
    else:
        path.symlink_to(path if thing == "link to itself" else store.folder / "nothing")
    assert store.read_many(["k"], set_aside=True) == ({}, 1)
    assert not os.path.lexists(path) and os.path.lexists(path.with_suffix(".damaged"))
    store.write("k", Record("ok", {"a": 0.5}), CELL)
    assert store.read("k").values == {"a": 0.5}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "skipped"},
        {"status": "failed"},
        {"values": [0.5]},
        {"values": {"a": "0.5"}},
        {"values": {"a": [0.5, None]}},
        {"values": {"a": True}},
        {"message": None},
        {"seconds": -1.0},
        {"seconds": math.nan},
        {"seconds": True},
        {"schema": 1},
        {"cell": {"dimension": 4, "seed": 1}},
        {"key": "of another version of the code"},
    ],
)
def test_a_foreign_record_is_seen_even_with_a_right_hash(store, change):
    store.write("k", Record("ok", {"a": 0.5}, "", 0.1), CELL)
    content = json.loads(store.path("k").read_text()) | change
    content.pop("sha256")
    store.path("k").write_text(json.dumps(content | {"sha256": _content_hash(content)}))
    assert store.read_many({"k": CELL}) == ({}, 1)


def test_every_flipped_bit_is_seen_or_changes_nothing(store):
    record = Record("ok", AWKWARD, "", 0.25)
    store.write("k", record, CELL)
    path = store.path("k")
    whole = path.read_bytes()
    for position in range(len(whole)):
        for bit in range(8):
            content = bytearray(whole)
            content[position] ^= 1 << bit
            path.write_bytes(content)
            read = store.read("k", CELL)
            assert read is None or json.dumps(read.values) == json.dumps(record.values)


def test_values_that_the_study_cannot_have_returned_are_foreign(store):
    store.write("k", Record("ok", {"a": 0.5}), CELL)
    store.write("j", Record("failed", {}, "why"), CELL)
    assert store.read_many(["k", "j"], lambda values: "b" in values)[1] == 1
    assert len(store.read_many(["k", "j"], lambda values: "a" in values)[0]) == 2
