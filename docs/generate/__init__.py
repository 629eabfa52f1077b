"""Pages that are made from the package and its stored results whenever the documentation is built."""

import shutil

from generate import api, findings, gallery, notebook, papers


def write_pages(docs):
    """Write every generated page below `docs/generated`, which holds nothing else."""
    shutil.rmtree(docs / "generated", ignore_errors=True)
    gallery.copy_pictures(docs)
    pages = notebook.pages(docs)
    for module in (api, findings, gallery, papers):
        pages |= module.pages()
    for name, text in pages.items():
        path = docs / "generated" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
