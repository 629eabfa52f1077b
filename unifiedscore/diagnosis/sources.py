"""What the command line calls TARGET and MODEL: a file, or a named data set with its parameters."""

from __future__ import annotations

from inspect import signature
from pathlib import Path

from unifiedscore.errors import FileError, InputError, UnknownNameError
from unifiedscore.measures import GaussianMixture, load_measure, load_pair, load_points, measure_names, pair_names
from unifiedscore.measures.files import ENDINGS, SEVERAL
from unifiedscore.measures.library import _MEASURES, _PAIRS
from unifiedscore.validate import shown


def read_laws(target: str, model: str, *, rng, size: int):
    """Return the target, the model and notes on how they were read.

    A file is `points.npy`, or `points.npz:key` for one of several arrays. A name is `digits`, or `digits:label=3`.
    The same name twice is the named pair: `digits digits` are two groups of writers, `image_patches image_patches` the
    two photographs. Names of pairs alone, such as `ring_mog:dimension=64`, give their target and their model.
    """
    notes: list[str] = []
    if target == model and not _is_file(target):
        name, parameters = _named(target, _PAIRS, "pair", pair_names())
        pair = load_pair(name, **_with_stream(name, _PAIRS[name], parameters, rng))
        return *(_points(law, size, rng) for law in pair), [f"target and model are those of the pair {target}"]
    return *(_read(spec, role, rng, size, notes) for role, spec in enumerate((target, model))), notes


def read_points(spec: str, *, rng, size: int):
    """Return the points of one file or named data set, (n, d), and notes on how they were read."""
    notes: list[str] = []
    law = _read(spec, 0, rng, size, notes)
    return getattr(law, "points", law), notes


def _read(spec: str, role: int, rng, size: int, notes: list[str]):
    if _is_file(spec):
        path, key = _split_key(spec)
        loaded = load_points(path, key=key)
        if loaded.note:
            notes.append(f"{path}: {loaded.note}")
        return loaded.points
    name, _ = _split_name(spec)
    if name in _PAIRS and name not in _MEASURES:
        _, parameters = _named(spec, _PAIRS, "pair", pair_names())
        return _points(load_pair(name, **_with_stream(name, _PAIRS[name], parameters, rng))[role], size, rng)
    _, parameters = _named(spec, _MEASURES, "data set", measure_names())
    return _points(load_measure(name, **_with_stream(name, _MEASURES[name], parameters, rng)), size, rng)


def _is_file(spec: str) -> bool:
    path, _ = _split_key(spec)
    return path.suffix.lower() in ENDINGS or path.exists() or "/" in spec


def _split_key(spec: str) -> tuple[Path, str | None]:
    head, colon, key = spec.rpartition(":")
    if colon and Path(head).suffix.lower() in SEVERAL:
        return Path(head), key
    return Path(spec), None


def _split_name(spec: str) -> tuple[str, str]:
    """The name in a specification and its parameters as text; a name may hold a colon itself, as in mesh:nut:n=500."""
    known = [name for name in {*_MEASURES, *_PAIRS} if f"{spec}:".startswith(f"{name}:")]
    name = max(known, key=len, default=spec.partition(":")[0])
    return name, spec[len(name) + 1 :]


def _named(spec: str, table, kind: str, known) -> tuple[str, dict]:
    name, text = _split_name(spec)
    if name not in table:
        names = {*measure_names(), *pair_names()}
        raise UnknownNameError(f"{kind} or file (ending in {', '.join(ENDINGS)})", name, names)
    parameters = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"parameters of a named data set are written as in digits:label=3; got {shown(spec)}")
        parameters[key.strip()] = _value(value.strip())
    return name, parameters


def _value(text: str):
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _with_stream(name: str, builder, parameters: dict, rng) -> dict:
    """Random sets need their stream; sets that are deterministic without one stay so."""
    needed = [key for key, entry in signature(builder).parameters.items() if entry.default is entry.empty]
    given = parameters | ({"rng": rng} if "rng" in needed else {})
    if missing := [key for key in needed if key not in given]:
        example = ",".join(f"{key}={64 if key == 'dimension' else '...'}" for key in missing)
        raise InputError(f"{name} needs the parameter {', '.join(missing)}; write it as in {name}:{example}")
    return given


def _points(law, size: int, rng):
    return law.sample(size, rng) if isinstance(law, GaussianMixture) else law


def read_array(path: Path, name: str, notes: list[str]):
    """Points or field values from a file given with --queries or --field; notes on how it was read are added."""
    file, key = _split_key(str(path))
    if file.suffix.lower() not in ENDINGS:
        raise FileError(f"--{name}: expected a file ending in {', '.join(ENDINGS)}; got {path}")
    loaded = load_points(file, key=key)
    if loaded.note:
        notes.append(f"{file}: {loaded.note}")
    return loaded.points
