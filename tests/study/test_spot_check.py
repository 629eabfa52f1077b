import json
import os

import numpy as np
import pytest

from unifiedscore.cli import _exit_code
from unifiedscore.errors import InputError
from unifiedscore.study import job, run
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import InProcess
from unifiedscore.study.records import _content_hash
from unifiedscore.study.spot_check import spot_check


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tamper(out, variable="moment", change=lambda value: np.nextafter(value, 2.0)):
    """Change the last bit of one recorded number and make its hash right again; returns the cell."""
    path = next(path for path in sorted(out.glob("cells/*/*.json")) if json.loads(path.read_bytes())["status"] == "ok")
    content = json.loads(path.read_bytes())
    content["values"][variable] = change(content["values"][variable])
    content.pop("sha256")
    path.write_text(json.dumps(content | {"sha256": _content_hash(content)}))
    return content["cell"]


def test_an_honest_folder_passes_and_nothing_is_written(make_study, tmp_path, rng, monkeypatch):
    study = make_study(failing=2)
    run(study, out=tmp_path / "out")
    before = contents(tmp_path / "out")
    monkeypatch.setattr(job, "leave_mark", lambda *_: pytest.fail("a mark was left, if only for a moment"))
    for share, executor in ((1.0, InProcess()), (0.02, None)):
        (found,) = spot_check([study], out=tmp_path / "out", share=share, rng=rng, executor=executor)
        assert found.clean and found.recorded == 12 and found.repeated == (12 if share == 1.0 else 1)
    assert contents(tmp_path / "out") == before


def test_two_per_cent_are_rounded_up(make_study, tmp_path, rng):
    study = make_study(seeds=30)  # 2 estimators, 2 + 30 cells each
    run(study, out=tmp_path, executor=InProcess())
    (found,) = spot_check([study], out=tmp_path, rng=rng, executor=InProcess())
    assert found.recorded == 64 and found.repeated == 2


def test_a_tampered_record_is_named_with_its_variable(make_study, tmp_path, rng):
    study = make_study()
    run(study, out=tmp_path, executor=InProcess())
    cell = tamper(tmp_path)
    (found,) = spot_check([study], out=tmp_path, share=1.0, rng=rng, executor=InProcess())
    (difference,) = found.differences
    assert dict(difference.cell) == cell and list(difference.variables) == ["moment"] and not found.clean
    assert found.altered == ("moment",)  # the data set was assembled from what stood there before
    run(study, out=tmp_path, executor=InProcess())
    (found,) = spot_check([study], out=tmp_path, share=1.0, rng=rng, executor=InProcess())
    assert found.differences and not found.altered


def test_a_sign_is_a_difference(make_study, tmp_path, rng):
    study = make_study()
    run(study, out=tmp_path, executor=InProcess())
    tamper(tmp_path, "profile", lambda value: [*value[:2], -value[2]])
    (found,) = spot_check([study], out=tmp_path, share=1.0, rng=rng, executor=InProcess())
    assert [list(difference.variables) for difference in found.differences] == [["profile"]]


def test_a_measure_that_is_no_function_of_its_stream_is_found(write_study, tmp_path, rng):
    path = write_study()
    own = "(1 + 1e-9 * np.random.default_rng().random()) * draws.T @ draws"
    path.write_text(path.read_text().replace("draws.T @ draws", own))
    study = studies_in(path)[0].study
    run(study, out=tmp_path, executor=InProcess())
    (found,) = spot_check([study], out=tmp_path, rng=rng, executor=InProcess())
    assert [set(difference.variables) for difference in found.differences] == [{"moment", "profile"}]


def test_damaged_records_are_counted_and_left_where_they_are(make_study, tmp_path, rng):
    study = make_study()
    run(study, out=tmp_path, executor=InProcess())
    path = min(tmp_path.glob("cells/*/*.json"))
    path.write_bytes(path.read_bytes()[:-5])
    before = contents(tmp_path)
    (found,) = spot_check([study], out=tmp_path, share=1.0, rng=rng, executor=InProcess())
    assert found.damaged == 1 and found.repeated == 11 and not found.clean and contents(tmp_path) == before


def test_an_altered_data_set_is_found(make_study, tmp_path, rng):
    study = make_study()
    dataset = run(study, out=tmp_path, executor=InProcess())
    dataset["profile"].values[0, 1, 0, 2] += 1e-15
    dataset.to_netcdf(tmp_path / "moments.nc", engine="h5netcdf", encoding={"status": {"_FillValue": None}})
    (found,) = spot_check([study], out=tmp_path, rng=rng, executor=InProcess())
    assert found.altered == ("profile",) and not found.differences and not found.clean


def test_nothing_recorded_and_a_bad_share_are_refused(make_study, tmp_path, rng):
    study = make_study()
    with pytest.raises(InputError, match="records no cell of the present code with profile quick and seed 0"):
        spot_check([study], out=tmp_path, rng=rng)
    assert list(tmp_path.iterdir()) == [tmp_path / "studies"]
    for share in (0.0, 1.5, -1):
        with pytest.raises(InputError, match="share must be"):
            spot_check([study], out=tmp_path, rng=rng, share=share)


def test_the_command_exits_with_one_and_names_cell_and_variable(write_study, tmp_path, monkeypatch, capsys):
    path = write_study()
    monkeypatch.chdir(tmp_path)
    arguments = ["run", str(path), "--executor", "serial"]
    assert _exit_code(arguments) == 0
    os.chmod(tmp_path / "results", 0o500)
    try:
        assert _exit_code([*arguments, "--check"]) == 0
        os.chmod(tmp_path / "results", 0o700)
        assert "1 of 12 recorded cells measured again, all as recorded" in capsys.readouterr().out
        cell = tamper(tmp_path / "results")
        assert _exit_code([*arguments, "--check", "--share", "1"]) == 1
        text = capsys.readouterr().out
        labels = ", ".join(f"{axis}={label!r}" for axis, label in cell.items())
        assert f"DIFFERS  moments, {labels}: moment recorded" in text and "1 not as recorded" in text
        assert "DIFFERS  moments.nc: moment is not what the records say" in text
    finally:
        os.chmod(tmp_path / "results", 0o700)
    assert _exit_code([*arguments, "--check", "--retry-failed"]) == 2
