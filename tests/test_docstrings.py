"""Examples in docstrings run as printed."""

import doctest
import importlib
import importlib.util
import pkgutil

import numpy as np
import pytest

import unifiedscore

TORCH = importlib.util.find_spec("torch") is not None
MODULES = [
    module.name
    for module in pkgutil.walk_packages(unifiedscore.__path__, "unifiedscore.")
    if not module.name.endswith("__main__") and ".templates" not in module.name
]


def needs_torch(name):
    return name.startswith(("unifiedscore.torch", "unifiedscore.learned", "unifiedscore.train"))


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_examples_run_as_printed(name):
    if needs_torch(name) and not TORCH:
        pytest.skip("PyTorch is not installed")
    module = importlib.import_module(name)
    with np.printoptions():
        found = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert found.failed == 0


def test_examples_are_found():
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(name) for name in MODULES if not needs_torch(name)]
    assert sum(len(test.examples) for module in modules for test in finder.find(module)) > 400
