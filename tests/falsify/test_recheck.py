"""`run --check` makes evaluations of stored searches again: what is tampered with or not deterministic is named."""

import numpy as np
import pytest

from unifiedscore import cli
from unifiedscore.errors import InputError
from unifiedscore.study.attack.run import attack_studies
from unifiedscore.study.attack.store import read_searches, write_searches
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import InProcess
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.spot_check import spot_check


def check(study, out, share=1.0):
    (found,) = spot_check([study], out=out, share=share, rng=np.random.default_rng(0), executor=InProcess())
    return found


def attack(study, out):
    attack_studies([study], RunSettings(out=out, executor=InProcess()), budget=64)


def test_an_honest_search_passes_in_every_bit(ball, tmp_path):
    with pytest.raises(InputError, match="records no cell"):
        check(ball, tmp_path)
    attack(ball, tmp_path)
    found = check(ball, tmp_path)
    assert found.study == "ball.search" and found.clean
    assert found.repeated == found.recorded > 128  # two claims, one with its control
    assert 2 <= check(ball, tmp_path, share=0.02).repeated <= 8


def test_a_tampered_value_is_named_with_its_instance(ball, tmp_path):
    attack(ball, tmp_path)
    path = tmp_path / "ball.search.nc"
    found = read_searches(path)
    found["ball.low"]["value"].values[7] = np.nextafter(found["ball.low"]["value"].values[7], 2.0)
    write_searches(found, path)
    result = check(ball, tmp_path)
    (difference,) = result.differences
    assert set(difference.variables) == {"value"} and difference.cell["claim"] == "ball.low"
    assert not result.clean


def test_a_quantity_that_is_not_deterministic_is_found(write, tmp_path, monkeypatch, capsys):
    path = write()
    path.write_text(path.read_text().replace('"error": 1e-14}', '"error": 1e-14 * (1 + os.urandom(1)[0])}', 1))
    study = studies_in(path)[0].study
    attack(study, tmp_path / "results")
    assert len(check(study, tmp_path / "results").differences) > 100
    monkeypatch.chdir(tmp_path)
    assert cli._exit_code(["run", "--check", "--share", "0.1", "--executor", "serial"]) == 1
    assert "DIFFERS  ball.search" in capsys.readouterr().out
