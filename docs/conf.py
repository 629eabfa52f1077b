"""How the pages are built: `python -m sphinx -W --keep-going docs build/docs`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402
from generate import docstrings, mathml  # noqa: E402

import unifiedscore  # noqa: E402

project = "unifiedscore"
author = "unifiedscore developers"
release = version = unifiedscore.__version__
html_title = "unifiedscore"
copyright = "unifiedscore developers, MIT licence"

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "sphinx_design", "sphinx_copybutton"]
exclude_patterns = ["generated/parts", "_build", "**.ipynb"]
default_role = "literal"

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]

autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # a law is told once, by the abstract class
autodoc_mock_imports = ["torch"]
autodoc_typehints = "none"
autosummary_generate = False  # numpydoc brings the extension
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False
# Pages without others beneath them have nothing to show at their left.
html_sidebars = {name: [] for name in ("index", "start", "papers", "concepts", "do_this_instead")}
html_math_renderer = "mathml"
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 5,
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app):
    app.connect("builder-inited", lambda app: generate.write_pages(HERE))
    # Before numpydoc, which parses the sections and would see the dollar signs.
    app.connect("autodoc-process-docstring", docstrings.to_rest, priority=100)
    mathml.register(app)
