"""Networks from checkpoints: numbers and a description, nothing that could run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import FileError, InputError
from unifiedscore.extras import require_torch
from unifiedscore.learned.checkpoint import read_checkpoint
from unifiedscore.learned.control import LearnedControl
from unifiedscore.learned.denoiser import LearnedDenoiser
from unifiedscore.learned.loop import WEIGHTS
from unifiedscore.learned.tilt import CONTROL_FORMAT, as_control
from unifiedscore.learned.train import FORMAT, TRAINED, as_denoiser

FOREIGN_NETWORK = (
    "only checkpoints of `unifiedscore train score` are read here; wrap a network of your own in us.LearnedDenoiser "
    "and use that from Python, as in us.diagnose_score(us.LearnedDenoiser(module), data)"
)
FOREIGN_CONTROL = (
    "only checkpoints of `unifiedscore train tilt` are read here; wrap a network of your own in "
    "us.learned.LearnedControl and use that from Python"
)


def load_network(path: str | Path, *, member: int = 0, weights: str = "average") -> LearnedDenoiser:
    """Read a denoiser from a checkpoint of `train_denoisers` or of `unifiedscore train score`.

    Use when you take up a network that was trained before, by you or by a stranger.

    The file holds numbers and JSON in the safetensors format; nothing in it is executed.

    Parameters
    ----------
    path : path
    member : int
        Which network of a stack.
    weights : {"average", "last"}
        The exponential average of the weights, or the last ones.

    Returns
    -------
    LearnedDenoiser

    Raises
    ------
    FileError
        The file is missing, damaged, of another kind or version, or does not describe a network.
    InputError
        There is no such member.
    MissingDependencyError
        PyTorch is not installed.
    """
    path = _path(path)
    member = validate.integer(member, "member", low=0)
    validate.choice(weights, "weights", WEIGHTS)
    require_torch("a network")
    tensors, meta = read_checkpoint(path, FORMAT, foreign=FOREIGN_NETWORK)
    from unifiedscore.learned.network import stored_member

    try:
        model = _model(meta["model"])
        members = len(model["scales"])
        if member < members:
            arrays = _weights(tensors, weights)
            return as_denoiser(stored_member(arrays, member, energy=model["energy"]), model, member)
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FileError(f"{path} does not describe a network of unifiedscore: {reason}") from None
    raise InputError(f"member must be below {members}, the number of networks in {path}; got {member}")


def load_control(path: str | Path, *, weights: str = "average") -> LearnedControl:
    """Read a control from a checkpoint of `train_control` or of `unifiedscore train tilt`.

    Use when you take up a control that was trained before, to simulate with it.

    The file holds numbers and JSON in the safetensors format; nothing in it is executed.

    Parameters
    ----------
    path : path
    weights : {"average", "last"}
        The exponential average of the weights, or the last ones.

    Returns
    -------
    LearnedControl

    Raises
    ------
    FileError
        The file is missing, damaged, of another kind or version, or does not describe a control.
    MissingDependencyError
        PyTorch is not installed.
    """
    path = _path(path)
    validate.choice(weights, "weights", WEIGHTS)
    require_torch("a control")
    tensors, meta = read_checkpoint(path, CONTROL_FORMAT, foreign=FOREIGN_CONTROL)
    from unifiedscore.learned.network import stored_member

    try:
        return as_control(stored_member(_weights(tensors, weights), 0, energy=False), meta["model"])
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FileError(f"{path} does not describe a control of unifiedscore: {reason}") from None


def _path(path) -> Path:
    if not isinstance(path, str | Path):
        raise InputError(f"path must be the path of a checkpoint; got {validate.shown(path)}")
    return Path(path)


def _weights(tensors: dict, weights: str) -> dict:
    """The tensors of the averaged or the last weights, which are finite."""
    part = "average." if weights == "average" else "network."
    arrays = {name.removeprefix(part): a for name, a in tensors.items() if name.startswith(part)}
    if not all(np.isfinite(a).all() for a in arrays.values()):
        raise ValueError("some weights are not finite")
    return arrays


def _model(model: dict) -> dict:
    """The description of the networks, if it is one."""
    scales, means, levels = (model[name] for name in ("scales", "means", "levels"))
    numbers = all(isinstance(part, list) for part in (scales, means, levels))
    if not numbers or not scales or len(scales) != len(means) or len(levels) != 2:
        raise ValueError("scales, means and levels do not belong together")
    if model["parametrisation"] not in TRAINED or not isinstance(model["energy"], bool):
        raise ValueError("its parametrisation is not known")
    return model
