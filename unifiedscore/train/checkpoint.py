"""Checkpoints of a training: all that the next step depends on, written atomically, refused when they are not ours."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from unifiedscore.atomic import write_atomic
from unifiedscore.errors import FileError, InputError
from unifiedscore.extras import require_torch
from unifiedscore.measures import Samples
from unifiedscore.samplers import DriftingFlow

FORMAT = "unifiedscore generator 1"
_KEYS = {"format", "settings", "network", "average", "optimizer", "energy", "rng"}


def describe_training(flow: DriftingFlow, **options) -> dict[str, str]:
    """What a resumed training must have in common with its checkpoint, as text; data by their hash."""
    target = flow.target
    if isinstance(target, Samples):
        digest = hashlib.sha256(target.points.tobytes() + target.weights.tobytes()).hexdigest()[:16]
        data = f"{target.size} points in dimension {target.dimension} ({digest})"
    else:
        data = repr(target)
    rule = {name: getattr(flow, name) for name in ("kernel", "rule", "self_terms", "batch", "tolerance")}
    return {"data": data, **{name: repr(value) for name, value in (rule | options).items()}}


def save_checkpoint(path: Path, *, settings: Mapping[str, str], network, average, optimizer, energy, rng) -> None:
    """Write the state after a whole step; a reader or a crash never sees half of it.

    Raises
    ------
    FileError
        The file cannot be written.
    """
    torch = require_torch("training")
    state = {
        "format": FORMAT,
        "settings": dict(settings),
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "energy": torch.tensor(energy, dtype=torch.float64),
        # As text: the state of PCG64 holds integers of 128 bits.
        "rng": json.dumps(rng.bit_generator.state, default=np.ndarray.tolist),
    }
    content = io.BytesIO()
    torch.save(state, content)
    write_atomic(path, content.getvalue())


def load_checkpoint(path: Path, *, settings: Mapping[str, str], network, average, optimizer, rng) -> list[float]:
    """Put everything back into place, the random stream included; returns the energies of the steps done.

    Raises
    ------
    FileError
        The file is damaged, or no checkpoint of this package.
    InputError
        It belongs to a training with other settings, which are named.
    """
    torch = require_torch("training")
    advice = "name another file, or remove this one to start anew"
    try:
        # Tensors, numbers and text alone: a foreign file cannot run anything.
        state = torch.load(path, weights_only=True)
        known = isinstance(state, dict) and state.get("format") == FORMAT and set(state) == _KEYS
    except Exception as error:
        # Whatever the reader of a damaged archive stumbles on; the first sentence says enough.
        reason = (str(error) or type(error).__name__).strip().splitlines()[0].split(". ")[0]
        what = f"{path} cannot be read as a checkpoint (damaged, or another kind of file?)"
        raise FileError(f"{what}: {reason}; {advice}") from None
    if not known:
        raise FileError(f"{path} is not a checkpoint of a generator of unifiedscore; {advice}")
    stored = state["settings"]
    different = [name for name in {**settings, **stored} if settings.get(name) != stored.get(name)]
    if different:
        name = different[0]
        more = f" (and {len(different) - 1} more differences)" if len(different) > 1 else ""
        raise InputError(
            f"{path} belongs to a training with {name} = {stored.get(name)}, not {settings.get(name)}"
            f"{more}; use the same, or {advice}"
        )
    try:
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        rng.bit_generator.state = json.loads(state["rng"])
        return state["energy"].tolist()
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise FileError(f"{path} holds an unusable state: {reason}; {advice}") from None
