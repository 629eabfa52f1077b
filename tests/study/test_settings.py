"""Settings of a run: checked once, and carried unchanged from the door to the workers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields, replace
from inspect import signature
from pathlib import Path

import pytest

from unifiedscore.errors import InputError
from unifiedscore.study import run
from unifiedscore.study.settings import RunSettings


def test_the_settings_are_the_keywords_of_run_with_their_defaults():
    keywords = {name: p.default for name, p in signature(run).parameters.items() if p.kind is p.KEYWORD_ONLY}
    # Looks are planned by whoever judges: `run` measures what the profile says.
    assert set(keywords) == {field.name for field in fields(RunSettings)} - {"until_decided"}
    assert RunSettings(**keywords).out == Path("results").absolute()
    for name in set(keywords) - {"out"}:
        assert getattr(RunSettings(), name) == keywords[name], name


def test_the_folder_is_absolute_from_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = RunSettings(out="here")
    monkeypatch.chdir("/")
    assert settings.out == tmp_path / "here" == replace(settings, seed=1).out


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("profile", "quik", "profile"),
        ("out", "", "must name a folder"),
        ("out", "a\0b", "must name a folder"),
        ("executor", ThreadPoolExecutor, "must be a concurrent.futures.Executor"),
        ("executor", 4, "must be a concurrent.futures.Executor"),
        ("seed", -1, "seed"),
        ("threads", 0, "threads"),
        ("cell_timeout", 0.0, "cell_timeout"),
    ],
)
def test_every_wrong_setting_is_named(name, value, message):
    with pytest.raises(InputError, match=message):
        RunSettings(**{name: value})


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        RunSettings().seed = 3
