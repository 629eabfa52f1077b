"""What a newcomer meets first: `dir`, the subpackages, and the names by what they are for."""

import re
import subprocess
import sys
from types import ModuleType

import pytest

import unifiedscore as us

SUBPACKAGES = (
    "kernels measures posterior fields processes samplers references inference metrics study verify ledger plotting "
    "testing diagnosis train"
).split()


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
