"""Checkpoints of a training: all that the next step depends on, written atomically, refused when they are not ours.

A checkpoint is one file of tensors whose metadata hold JSON. Nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore.errors import FileError, InputError
from unifiedscore.extras import require_torch
from unifiedscore.learned.tensor_file import read_tensors, write_tensors
from unifiedscore.output import note
from unifiedscore.reading import parse_json

ADVICE = "name another file, or remove this one to start anew"
_KEYS = {"format", "settings", "rng", "model"}


@final
@dataclass(frozen=True, slots=True)
class TrainingState:
    """What a training step changes: networks, optimiser and random streams. All are changed in place.

    Attributes
    ----------
    kind : str
        Format and version, as in "unifiedscore denoiser 1".
    settings : mapping of str to str
        What a resumed training must have in common with its checkpoint.
    networks : mapping of str to torch.nn.Module
    optimizer : torch.optim.Optimizer
    rngs : sequence of numpy.random.Generator
    model : mapping
        Plain values that say how to build the network again.
    """

    kind: str
    settings: Mapping[str, str]
    networks: Mapping[str, object]
    optimizer: object
    rngs: Sequence[np.random.Generator]
    model: Mapping[str, object]


def digest(*arrays: np.ndarray) -> str:
    """Arrays by the first digits of their hash."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()[:16]


def save_checkpoint(path: Path, state: TrainingState, history: Mapping[str, np.ndarray]) -> None:
    """Write the state after a whole step; a reader or a crash never sees half of it.

    Raises
    ------
    FileError
        The file cannot be written.
    """
    tensors = {f"history.{name}": np.array(values, dtype=np.float64) for name, values in history.items()}
    for part, network in state.networks.items():
        tensors |= {f"{part}.{name}": value.numpy() for name, value in network.state_dict().items()}
    for index, slots in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value.numpy() for name, value in slots.items()}
    meta = {
        "format": state.kind,
        "settings": dict(state.settings),
        # The state of PCG64 holds integers of 128 bits: as text they survive every reader of JSON.
        "rng": [json.dumps(rng.bit_generator.state, default=np.ndarray.tolist) for rng in state.rngs],
        "model": dict(state.model),
    }
    write_tensors(path, tensors, {"unifiedscore": json.dumps(meta)})


def read_checkpoint(path: Path, kind: str, *, foreign: str = ADVICE) -> tuple[dict[str, np.ndarray], dict]:
    """Read the tensors and the description of a checkpoint of one kind; `foreign` says what to do with a file that
    was never written here.

    Raises
    ------
    FileError
        The file is damaged, foreign, or of another kind or version.
    """
    try:
        tensors, metadata = read_tensors(path)
        meta = parse_json(metadata.get("unifiedscore", "null").encode())
    except ValueError as error:
        reason = str(error).strip().splitlines()[0]
        raise FileError(
            f"{path} cannot be read as a checkpoint (damaged, or another kind of file?): {reason}; "
            f"{foreign if _foreign(path) else ADVICE}"
        ) from None
    known = isinstance(meta, dict) and set(meta) == _KEYS
    if not known or not all(isinstance(meta[part], dict) for part in ("settings", "model")):
        raise FileError(f"{path} is not a checkpoint of unifiedscore; {foreign}")
    if meta["format"] != kind:
        raise FileError(f"{path} has the format {str(meta['format'])[:80]!r}, not {kind!r}; {ADVICE}")
    return tensors, meta


def _foreign(path: Path) -> bool:
    """Whether a file that cannot be read is one of another origin: in ours the metadata come first."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'{"__metadata__": {"unifiedscore"' not in file.read(64)


def load_checkpoint(
    path: Path, state: TrainingState, history: Mapping[str, tuple[int | None, ...]]
) -> dict[str, np.ndarray]:
    """Put everything back into place, the random streams included; returns the history of the steps done.

    Parameters
    ----------
    path : path
    state : TrainingState
    history : mapping of str to tuple
        Shape of each array of the history, with None for the length that they share.

    Raises
    ------
    FileError
        The file is damaged, or not a checkpoint of this kind.
    InputError
        The file belongs to a training with other settings, which are named.
    """
    torch = require_torch("training")
    tensors, meta = read_checkpoint(path, state.kind)
    settings, stored = state.settings, meta["settings"]
    different = [name for name in {**settings, **stored} if settings.get(name) != stored.get(name)]
    if different:
        name = different[0]
        more = f" (and {len(different) - 1} more differences)" if len(different) > 1 else ""
        raise InputError(
            f"{path} belongs to a training with {name} = {stored.get(name)}, not {settings.get(name)}"
            f"{more}; use the same, or {ADVICE}"
        )
    try:
        for part, network in state.networks.items():
            network.load_state_dict({name: torch.from_numpy(a) for name, a in _below(tensors, part).items()})
        slots: dict[int, dict] = {}
        for name, array in _below(tensors, "optimizer").items():
            index, _, slot = name.partition(".")
            slots.setdefault(int(index), {})[slot] = torch.from_numpy(array)
        state.optimizer.load_state_dict({**state.optimizer.state_dict(), "state": slots})
        _check_optimizer(state.optimizer)
        for rng, text in zip(state.rngs, meta["rng"], strict=True):
            rng.bit_generator.state = json.loads(text)
        return _history(_below(tensors, "history"), history)
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise FileError(f"{path} holds an unusable state: {reason}; {ADVICE}") from None


def _check_optimizer(optimizer) -> None:
    """Whether what an optimiser keeps of each weight belongs to it."""
    torch = require_torch("training")
    for weight, slots in optimizer.state.items():
        for name, value in slots.items():
            steps = name == "step"
            if (value.numel() != 1 if steps else value.shape != weight.shape) or not torch.isfinite(value).all():
                raise ValueError(f"its optimizer.{name} does not belong to the network")
            if steps and not (value >= 1 and value == value.round()):
                raise ValueError(f"its optimizer.{name} is not a number of steps")


def _history(stored: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int | None, ...]]) -> dict[str, np.ndarray]:
    """The history, if each of its arrays is there, of its shape, finite and not negative."""
    if missing := [name for name in shapes if name not in stored]:
        raise ValueError(f"its history lacks {missing[0]}")
    lengths = {len(stored[name]) for name, shape in shapes.items() if None in shape and stored[name].ndim}
    for name, shape in shapes.items():
        found = stored[name].shape
        fits = len(found) == len(shape) and all(n in (None, k) for n, k in zip(shape, found, strict=True))
        if not fits or len(lengths) > 1:
            raise ValueError(f"its history.{name} has the wrong shape {found}")
        if not (np.isfinite(stored[name]).all() and (stored[name] >= 0).all()):
            raise ValueError(f"its history.{name} holds negative numbers or such that are not finite")
    return {name: stored[name] for name in shapes}


def finite_weights(networks: Iterable) -> bool:
    """Whether all weights of some networks are finite."""
    torch = require_torch("training")
    return all(bool(torch.isfinite(weight).all()) for network in networks for weight in network.parameters())


def note_done(path: Path, done: int, n_steps: int) -> None:
    """Say that a checkpoint is further than what was asked for: it is returned as it is."""
    if done > n_steps:
        note(f"{path} holds {done} steps, more than the {n_steps} asked for: nothing is trained, all {done} count")


def _below(tensors: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")}
