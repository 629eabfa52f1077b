"""The code of the documentation that takes tensors runs as printed."""

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

PAGES = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"<!-- runs in tests/torch/test_pages.py -->\n```python\n(.*?)```", re.DOTALL)
BLOCKS = [(path, code) for path in sorted(PAGES.rglob("*.md")) for code in BLOCK.findall(path.read_text("utf-8"))]


@pytest.mark.parametrize(("path", "code"), BLOCKS, ids=lambda value: getattr(value, "stem", "code"))
def test_the_code_runs(path, code):
    exec(compile(code, str(path), "exec"), {})


def test_there_is_such_code():
    assert BLOCKS
