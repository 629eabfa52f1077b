"""What a search found, as one labelled data set per claim, and all of a study in one netCDF file."""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unifiedscore.atomic import make_folder, sweep, write_atomic
from unifiedscore.errors import FileError
from unifiedscore.hdf5 import netcdf_file
from unifiedscore.study.attack.attack import Attack
from unifiedscore.study.attack.explore import STAGES, Trial
from unifiedscore.study.attack.parameters import Choice, Parameter
from unifiedscore.study.attack.ragged import Many, Spectrum
from unifiedscore.study.attack.space import Space
from unifiedscore.study.attack.universal import SEARCH
from unifiedscore.study.attack.yardstick import Yardstick
from unifiedscore.study.dataset import FILE_BYTES, storable_dataset
from unifiedscore.study.study import Study

if TYPE_CHECKING:
    import xarray as xr

VARIANTS = ("claim", "control")
FEASIBLE = ("undefined", "infeasible", "feasible")
WHOLE, EVERY = 20_000, 100  # longer searches store every hundredth evaluation and all running records
SEARCHES = ".search"  # after the name of a study: its searches
ENDING = f"{SEARCHES}.nc"


def search_dataset(study: Study, attack: Attack, origin: Mapping[str, Any]) -> xr.Dataset:
    """Every evaluation of an attack in its order, with the stage it belongs to, and what the attack came to.

    `origin` is the provenance that all searches of the study share.
    """
    import xarray as xr

    universal, space = attack.universal, attack.universal.space
    yardsticks = {variant: Yardstick.of(universal, variant) for variant in VARIANTS}
    rows = [(variant, trial) for variant in VARIANTS for trial in _kept(attack.trials[variant])]
    trials = [trial for _, trial in rows]
    values = [trial.values or {} for trial in trials]
    data: dict[str, Any] = {
        "u": (("evaluation", "coordinate"), _stacked([trial.u for trial in trials], space.coordinates), {}),
        "variant": _flags([VARIANTS.index(variant) for variant, _ in rows], VARIANTS, "Claim or control"),
        "stage": _flags([STAGES.index(trial.stage) for trial in trials], STAGES, "Stage of the search"),
        "feasible": _flags([trial.rank[0] for trial in trials], FEASIBLE, "Whether the hypotheses hold"),
        "search_seed": ("evaluation", np.array([trial.seed for trial in trials], dtype=np.int64), {}),
        "value": _column([v.get("value", math.nan) for v in values], "Value"),
        "error": _column([v.get("error", math.nan) for v in values], "Numerical error of the value"),
        "margin": _column(
            [yardsticks[name].margin(v) if v else math.nan for (name, _), v in zip(rows, values, strict=True)],
            "Signed distance outside of the region, less the error",
        ),
        "regular": _flags(
            [int(bool(v) and _is_regular(yardsticks["claim"], v)) for v in values], ("no", "yes"), "Regular instance"
        ),
    }
    taken = set(data) | {"evaluation", "coordinate"}
    for name in dict.fromkeys(key for v in values for key in v if key not in ("value", "error")):
        stored = name if name not in taken | set(space.parameters) else f"measured_{name}"
        data[stored] = _column([v.get(name, math.nan) for v in values], name.replace("_", " ").capitalize())
    data |= _parameters(space, trials)
    coords = {"evaluation": np.arange(len(rows)), "coordinate": np.arange(space.coordinates)}
    dataset = xr.Dataset(data, coords)
    dataset.attrs = dict(origin) | _outcome(study, attack)
    return dataset


def _outcome(study: Study, attack: Attack) -> dict[str, Any]:
    """What the attack came to, as attributes; the long ones are JSON."""
    universal = attack.universal
    worst = max(attack.trials["claim"], key=lambda trial: trial.rank, default=None)
    found = {
        "worst": None if worst is None or worst.instance is None else worst.instance.values_given,
        "worst_values": None if worst is None or worst.values is None else dict(worst.values),
        "certificates": [entry.to_json() for entry in attack.certificates],
        "counterexample": None if attack.shrunk is None else attack.shrunk.certificate.to_json(),
        "shrink_path": [] if attack.shrunk is None else [instance.values_given for instance in attack.shrunk.path],
        "control": None if attack.control is None else attack.control.to_json(),
        "failed_cells": _failed(attack),
    }
    attributes = {name: json.dumps(value) for name, value in found.items()}
    counts = {variant: len(attack.trials[variant]) for variant in VARIANTS}
    attributes |= {"evidence": SEARCH, "claim": universal.id, "regime": universal.regime, "budget": attack.budget}
    attributes |= {"seeds": attack.seeds, "evaluations": counts["claim"], "control_evaluations": counts["control"]}
    return attributes | {"title": universal.statement, "references": universal.source}


def _failed(attack: Attack) -> list[dict]:
    """Evaluations that raised, and candidates on which two routes disagree: one of two codes is wrong."""
    universal, failed = attack.universal, []
    for variant, trials in attack.trials.items():
        for trial in trials:
            if trial.message and trial.instance is not None:
                cell = {"claim": universal.name, "variant": variant, "instance": trial.instance.code()}
                failed.append({"cell": cell, "message": trial.message})
    entries = attack.certificates
    if entries and not any(entry.certified for entry in entries):
        cell = {"claim": universal.name, "variant": "claim", "instance": entries[0].instance.code()}
        failed.append({"cell": cell, "message": disagreement(entries[0].to_json())})
    unique = {json.dumps(entry, sort_keys=True): entry for entry in failed}
    return list(unique.values())


def disagreement(certificate: Mapping[str, Any]) -> str:
    """What two routes said of a candidate, in words."""
    if certificate["message"]:
        return f"numerical disagreement: the second route failed: {certificate['message']}"
    second = certificate["second"]
    return (
        f"numerical disagreement: {certificate['value']!r} \N{PLUS-MINUS SIGN} {certificate['error']:.2g} by quantity, "
        f"{second['value']!r} \N{PLUS-MINUS SIGN} {second['error']:.2g} by the second route"
    )


def write_searches(datasets: Mapping[str, xr.Dataset], path: Path) -> None:
    """Store the searches of one study, one group per claim, atomically."""
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    make_folder(path.parent)
    sweep(path.parent)
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        for name, dataset in datasets.items():
            storable_dataset(dataset).dump_to_store(H5NetCDFStore(file.create_group(name)))
    write_atomic(path, buffer.getvalue())


def read_searches(path: Path) -> dict[str, xr.Dataset]:
    """The stored searches of one study by the name of the claim, read into memory."""
    import h5netcdf
    import xarray as xr

    if not os.path.lexists(path):
        raise FileError(f"{path} does not exist; search first, as in: unifiedscore falsify --out {path.parent}")
    with netcdf_file(path, below=path.parent, limit=FILE_BYTES) as file:
        try:
            with h5netcdf.File(file, "r") as content:
                names = list(content.groups)
            found = {}
            for name in names:
                file.seek(0)
                with xr.open_dataset(file, engine="h5netcdf", group=name, decode_times=False) as dataset:
                    found[name] = dataset.load()
            return found
        except Exception as error:
            raise FileError(f"{path} is not a readable netCDF file ({error}); search again to replace it") from error


def read_tree(path: Path) -> xr.DataTree:
    """The stored searches of one study as a tree with one node per claim; what all share stands at its root."""
    import xarray as xr

    found = read_searches(path)
    tree = xr.DataTree.from_dict(found)
    shared = ("study", "profile", "root_seed", "config")
    tree.attrs = {name: value for name, value in next(iter(found.values())).attrs.items() if name in shared}
    return tree


def _kept(trials: list[Trial]) -> list[Trial]:
    if len(trials) <= WHOLE:
        return trials
    kept, best = [], None
    for position, trial in enumerate(trials):
        record = best is None or trial.rank > best
        best = trial.rank if record else best
        if record or position % EVERY == 0:
            kept.append(trial)
    return kept


def _is_regular(yardstick: Yardstick, values: Mapping[str, float]) -> bool:
    return yardstick.is_regular(values)


def _parameters(space: Space, trials: Iterable[Trial]) -> dict[str, Any]:
    """The parameters of every instance; what is ragged is padded with NaN."""
    found: dict[str, Any] = {}
    for name, parameter in space.parameters.items():
        width = _width(parameter)
        rows = [np.full(width, np.nan) for _ in trials]
        for row, trial in zip(rows, trials, strict=True):
            if trial.instance is not None:
                leaves = _leaves(parameter, trial.instance[name])
                row[: len(leaves)] = leaves
        values = _stacked(rows, width)
        attributes = {"long_name": name.replace("_", " ").capitalize()}
        if isinstance(parameter, Choice):
            attributes["meanings"] = " ".join(map(str, parameter.options))
        several = isinstance(parameter, Many) or width > 1
        found[name] = (
            (("evaluation", f"{name}_slot"), values, attributes)
            if several
            else ("evaluation", values[:, 0], attributes)
        )
    return found


def _width(parameter: Parameter) -> int:
    if isinstance(parameter, Many):
        return parameter.at_most * _width(parameter.of)
    if isinstance(parameter, Spectrum):
        return 2 * parameter.size
    return getattr(parameter, "size", 1)


def _leaves(parameter: Parameter, value) -> list[float]:
    """All numbers of a value in a row; an inner list of a ragged one keeps the place of what it lacks."""
    if isinstance(parameter, Choice):
        return [float(parameter.options.index(value))]
    if isinstance(parameter, Many):
        width, leaves = _width(parameter.of), []
        for entry in value:
            inner = _leaves(parameter.of, entry)
            leaves += inner + [math.nan] * (width - len(inner))
        return leaves
    if isinstance(value, tuple):
        return [float(leaf) for entry in value for leaf in (entry if isinstance(entry, tuple) else (entry,))]
    return [float(value)]


def _stacked(rows: list[np.ndarray], width: int) -> np.ndarray:
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), width)


def _column(values: list[float], long_name: str) -> tuple:
    return "evaluation", np.asarray(values, dtype=np.float64), {"long_name": long_name, "units": "1"}


def _flags(values: list[int], meanings: tuple[str, ...], long_name: str) -> tuple:
    attributes = {
        "long_name": long_name,
        "flag_values": np.arange(len(meanings), dtype=np.int8),
        "flag_meanings": " ".join(meanings),
    }
    return "evaluation", np.asarray(values, dtype=np.int8), attributes
