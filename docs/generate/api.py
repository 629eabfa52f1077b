"""One page for each group of names in the package's docstring, and one for each subpackage that holds more."""

import inspect
import re
from importlib import import_module
from types import GenericAlias

from sphinx.ext.autodoc.mock import mock

import unifiedscore as us

# PyTorch is not needed to describe what takes tensors.
with mock(["torch"]):
    import_module("unifiedscore.torch")

# What else is public, by what it is for. A name that stands in a group is not shown again.
SUBPACKAGES = {
    "kernels": "Kernels: how to add one",
    "measures": "Measures: reading, whitening, reduced laws",
    "fields": "Fields: base class and helpers",
    "processes": "Processes: rewards, schedules, targets",
    "samplers": "Samplers: chains, work, tilted averages",
    "metrics": "Metrics of fields and of samples",
    "study": "Studies, claims and universal claims",
    "inference": "Inference: tests, estimates, verdicts",
    "ledger": "Ledger",
    "plotting": "Plotting",
    "learned": "Learned networks",
    "testing": "Testing: conformance checks",
    "torch": "Tensors: unifiedscore.torch",
}


def pages():
    """Name of each page to its text."""
    found, shown = {}, set()
    sections = [(title, "unifiedscore", names) for title, names in groups().items()]
    sections += [(title, f"unifiedscore.{name}", names_of(name)) for name, title in SUBPACKAGES.items()]
    index = []
    for title, module, names in sections:
        members = [(module, name) for name in names if is_new(module, name, shown)]
        if members:
            slug = re.sub(r"\W+", "_", title.lower()).strip("_")
            found[f"api/{slug}.md"] = page(title, members)
            index.append((title, slug, members))
    return found | {"api/index.md": overview(index)}


def groups():
    """The groups of the package's docstring: title to names."""
    lines = us.__doc__.split("\n\n")[1].splitlines()
    found, title = {}, ""
    for line in lines:
        title = line[:18].strip() or title
        found.setdefault(title, []).extend(re.findall(r"\w+", line[18:]))
    return found


def names_of(subpackage):
    """The public names of a subpackage."""
    return sorted(import_module(f"unifiedscore.{subpackage}").__all__, key=str.lower)


def is_new(module, name, shown):
    """Whether an object is documented here for the first time; modules and aliases of types have no entry."""
    value = getattr(import_module(module), name)
    if inspect.ismodule(value) or isinstance(value, GenericAlias) or id(value) in shown:
        return False
    shown.add(id(value))
    return True


def advice(module, name):
    """The first line of a docstring and its "Use when", where there is one."""
    value = getattr(import_module(module), name)
    if not (inspect.isclass(value) or callable(value)):
        return "", ""
    summary, *rest = [" ".join(part.split()) for part in (inspect.getdoc(value) or "").split("\n\n")]
    when = next((part for part in rest[:2] if part.startswith("Use when")), "")
    return summary, when


def page(title, members):
    """A page of names: first the table of when to use which, then each in full."""
    rows = [f"| {link(module, name)} | {cell(module, name)} |" for module, name in members]
    parts = [directive(module, name) for module, name in members]
    table = "| name | use when |\n|---|---|\n" + "\n".join(rows)
    return f"# {title}\n\n{table}\n\n" + "\n\n".join(parts) + "\n"


def overview(index):
    """The index: every public name in one line."""
    lines = ["# API", "", "Every public name, with the sentence that says when to use it."]
    for title, slug, members in index:
        lines += ["", f"## [{title}]({slug}.md)", "", "| name | use when |", "|---|---|"]
        lines += [f"| {link(module, name)} | {cell(module, name)} |" for module, name in members]
    toctree = "\n".join(slug for _, slug, _ in index)
    return "\n".join(lines) + f"\n\n```{{toctree}}\n:hidden:\n\n{toctree}\n```\n"


def link(module, name):
    """A link to the full entry."""
    short = f"{module}.{name}".replace("unifiedscore", "us", 1)
    return f"{{py:obj}}`{short} <{module}.{name}>`"


def cell(module, name):
    """What the table says of a name."""
    summary, when = advice(module, name)
    text = when.removeprefix("Use when ") or summary
    return re.sub(r"([|])", r"\\\1", text)


def directive(module, name):
    """The full entry, by autodoc."""
    value = getattr(import_module(module), name)
    kind = "autoclass" if inspect.isclass(value) else "autofunction" if callable(value) else "autodata"
    options = "   :members:\n" if kind == "autoclass" else ""
    return f"```{{eval-rst}}\n.. {kind}:: {module}.{name}\n{options}```"
