"""What a newcomer meets first: `dir`, the subpackages, and the names by what they are for."""

import inspect
import re
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import unifiedscore as us

SUBPACKAGES = (
    "kernels measures posterior fields processes samplers references inference metrics study verify ledger plotting "
    "testing diagnosis learned train"
).split()

NAMES = {
    f"{package}.{name}": getattr(import_module(f"unifiedscore.{package}"), name)
    for package in ("kernels", "measures", "fields", "processes", "samplers", "metrics", "learned")
    for name in import_module(f"unifiedscore.{package}").__all__
} | {name: getattr(us, name) for name in us.__all__}
# Constants have no docstring of their own.
DOCUMENTED = [name for name, value in NAMES.items() if inspect.isclass(value) or inspect.isfunction(value)]


@pytest.mark.parametrize("name", SUBPACKAGES)
def test_subpackages_are_listed_and_found_after_a_bare_import(name):
    assert name in dir(us)
    assert isinstance(getattr(us, name), ModuleType)
    code = f"import unifiedscore as us; print(us.{name}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"unifiedscore.{name}"


def test_names_of_subpackages_and_functions_stay_apart():
    assert us.study.Claim.__name__ == "Claim"
    assert callable(us.diagnose)
    assert not isinstance(us.diagnose, ModuleType)
    with pytest.raises(AttributeError, match="no attribute 'nowhere'"):
        us.nowhere  # noqa: B018


def test_every_public_name_stands_in_the_docstring_once():
    groups = us.__doc__.split("\n\n")[1]
    words = re.findall(r"\w+", re.sub(r"(?m)^.{18}", "", groups))
    assert sorted(words) == sorted(set(us.__all__) - {"__version__"})


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_second_paragraph_says_in_one_sentence_when_to_use_it(name):
    """The summary and the sentence fill one line each, so that both are seen where docstrings are cut."""
    summary, advice, *rest = inspect.getdoc(NAMES[name]).split("\n\n")
    assert re.fullmatch(r"Use when [^\n]{20,}\.", advice), advice
    assert "\n" not in summary
    assert not [text for text in rest if text.startswith("Use when")]


def test_no_two_names_have_the_same_advice():
    advice = {name: inspect.getdoc(NAMES[name]).split("\n\n")[1] for name in DOCUMENTED}
    objects = {id(NAMES[name]): line for name, line in advice.items()}
    assert len(set(objects.values())) == len(objects)
