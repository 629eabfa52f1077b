"""What a source file imports, from its syntax tree alone."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import final

_DYNAMIC = ("import_module", "__import__")


@final
@dataclass(frozen=True, slots=True)
class Import:
    """One name that a file imports: `import name`, or `from name import item` with `level` leading dots."""

    name: str
    level: int = 0
    items: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Imports:
    """All imports of a file, and the lines with imports of names that only its execution can tell."""

    known: tuple[Import, ...]
    unknown: tuple[tuple[int, str], ...]


@lru_cache(maxsize=4096)
def imports_of(content: bytes) -> Imports:
    """The imports in a source text: at the top, in functions, and calls of `import_module` with a literal.

    A text that is not Python imports nothing: executing it says why.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return Imports((), ())
    known: dict[Import, None] = {}
    dynamic = {*_DYNAMIC, *_aliases(tree)}
    unknown: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {Import(alias.name): None for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            known[Import(node.module or "", node.level, tuple(alias.name for alias in node.names))] = None
        elif isinstance(node, ast.Call) and _called(node.func) in dynamic:
            literal = _literal(node)
            if literal is None:
                unknown.append((node.lineno, ast.unparse(node)))
            else:
                known[literal] = None
    return Imports(tuple(known), tuple(unknown))


def _aliases(tree: ast.AST) -> set[str]:
    """What a file calls `import_module`."""
    imported = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "importlib")
    return {alias.asname or alias.name for node in imported for alias in node.names if alias.name in _DYNAMIC}


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literal(call: ast.Call) -> Import | None:
    """`import_module("a.b")` and `import_module(".b", __package__)`; None where the name is computed."""
    name = call.args[0] if call.args else next((word.value for word in call.keywords if word.arg == "name"), None)
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        return None
    text = name.value.lstrip(".")
    level = len(name.value) - len(text)
    if level == 0:
        return Import(text)
    # Relative to the file's own package, which is what everybody writes there.
    anchor = call.args[1] if len(call.args) > 1 else next((w.value for w in call.keywords if w.arg == "package"), None)
    own = isinstance(anchor, ast.Name) and anchor.id in ("__package__", "__name__")
    return Import(text, level) if own else None
