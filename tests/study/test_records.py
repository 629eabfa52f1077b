import json
import math

import pytest

from unifiedscore.errors import FileError
from unifiedscore.study import Cell
from unifiedscore.study.records import Record, RecordStore, engine_hash, record_key, study_hash, write_atomic

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
    base = {"engine": "e", "source": "s", "study": "n", "cell": CELL, "rng_seed": 0}
    changes = [{"engine": "f"}, {"source": "t"}, {"study": "m"}, {"cell": Cell({"seed": 0})}, {"rng_seed": 1}]
    keys = {record_key(**(base | change)) for change in [{}, *changes]}
    assert len(keys) == 6
    assert record_key(**(base | {"cell": Cell({"seed": 0, "dimension": 4.0})})) == record_key(**base)


def test_the_engine_hash_covers_the_numerical_sources_and_only_them(tmp_path):
    for name in ("kernels/a.py", "fields/sub/b.py", "plotting/c.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x = 1\n")
    first = engine_hash(tmp_path)
    (tmp_path / "plotting/c.py").write_text("x = 2\n")
    assert engine_hash(tmp_path) == first
    (tmp_path / "fields/sub/b.py").write_text("x = 2\n")
    second = engine_hash(tmp_path)
    (tmp_path / "fields/sub/b.py").rename(tmp_path / "fields/sub/c.py")
    assert len({first, second, engine_hash(tmp_path)}) == 3


def test_the_study_hash_covers_the_private_helpers_beside_it(tmp_path):
    study = tmp_path / "study_a.py"
    study.write_text("x = 1\n")
    hashes = [study_hash(study)]
    (tmp_path / "_common.py").write_text("y = 1\n")
    hashes.append(study_hash(study))
    (tmp_path / "study_other.py").write_text("z = 1\n")
    assert study_hash(study) == hashes[1] != hashes[0]
    with pytest.raises(FileError, match="cannot read the study file"):
        study_hash(tmp_path / "study_missing.py")
