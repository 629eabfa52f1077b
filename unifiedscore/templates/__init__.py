"""Runnable beginnings of a kernel, field, study, universal claim, figure or derivation, each with its test."""

from __future__ import annotations

import importlib.util
import keyword
import re
from importlib import resources
from pathlib import Path

from unifiedscore.errors import FileError, InputError, UnknownNameError
from unifiedscore.validate import shown

PREFIXES = {
    "kernel": "",
    "field": "",
    "study": "study_",
    "universal": "study_",
    "figure": "fig_",
    "derivation": "derive_",
}
KINDS = tuple(PREFIXES)
_NAME, _CLASS = "__NAME__", "__CLASS__"


def write_template(kind: str, name: str, out: str | Path = ".") -> list[Path]:
    """Write a template and its test under a user's name.

    Parameters
    ----------
    kind : {"kernel", "field", "study", "universal", "figure", "derivation"}
        A study comes with a figure of its data set; a universal claim is a study, too.
    name : str
        Lower-case identifier; a class is called by the same name in CamelCase, a figure shows the study of this name.
    out : path
        Folder, created if it is not there.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        The kind or the name is unusable, or a module of this name would be hidden by the new file.
    FileError
        A file is there already, or cannot be written. Nothing is overwritten.

    Examples
    --------
    >>> write_template("kernel", "My-Kernel")
    Traceback (most recent call last):
    ...
    unifiedscore.errors.InputError: a name must be a lower-case identifier such as soft_laplace; got 'My-Kernel'
    """
    if kind not in KINDS:
        raise UnknownNameError("template", kind, KINDS)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name, re.ASCII) or keyword.iskeyword(name):
        raise InputError(f"a name must be a lower-case identifier such as soft_laplace; got {shown(name)}")
    out = Path(out)
    files = _files(kind, name, out)
    if kind == "study":
        files |= _files("figure", name, _figures_beside(out))
    for path in files:
        if path.exists() or path.is_symlink():
            raise FileError(f"{path} is there already; choose another name, or another folder with --out")
    if not PREFIXES[kind] and importlib.util.find_spec(name) is not None:
        raise InputError(f"a file {name}.py would hide the installed module {name!r}; choose another name")
    camel = "".join(part.capitalize() for part in name.split("_"))
    try:
        for path, template in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            text = resources.files(__name__).joinpath(template).read_text(encoding="utf-8")
            with open(path, "x", encoding="utf-8") as file:
                file.write(text.replace(_NAME, name).replace(_CLASS, camel))
    except OSError as error:
        raise FileError(f"cannot write to {out}: {error.strerror or error}; choose a folder with --out") from error
    return list(files)


def next_command(kind: str, written: list[Path]) -> str:
    """What to type after `write_template`."""
    if kind == "universal":
        return f"unifiedscore falsify {written[0]}"
    if kind in ("study", "derivation"):
        return " ".join(["unifiedscore verify", *(str(path) for path in written if not path.name.startswith("test_"))])
    return f"pytest {written[1]}"


def _files(kind: str, name: str, folder: Path) -> dict[Path, str]:
    module = PREFIXES[kind] + name
    return {folder / f"{module}.py": f"{kind}.py.txt", folder / f"test_{module}.py": f"test_{kind}.py.txt"}


def _figures_beside(folder: Path) -> Path:
    """`figures/...` for `studies/...`: where a command without paths finds the figures of these studies."""
    parts = list(folder.parts)
    if "studies" not in parts:
        return folder
    parts[len(parts) - 1 - parts[::-1].index("studies")] = "figures"
    return Path(*parts)
