"""The first page as a notebook, to be run cell by cell."""

import json
import re

FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def pages(docs):
    """Name of the notebook to its text."""
    cells = []
    for position, part in enumerate(FENCE.split((docs / "start.md").read_text(encoding="utf-8"))):
        kept = part.strip() if position % 2 else re.sub(r"\{download\}`[^`]*`\.\n", "", part).strip()
        kind = "code" if position % 2 else "markdown"
        source = kept.splitlines(keepends=True)
        cell = {"cell_type": kind, "metadata": {}, "id": f"c{position}", "source": source}
        cells.append(cell | ({"outputs": [], "execution_count": None} if position % 2 else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return {"start.ipynb": json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"}
