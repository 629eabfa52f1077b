"""`unifiedscore diagnose-score`: print the diagnosis of a network, and save it where asked to."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from textwrap import fill

import numpy as np

from unifiedscore import validate
from unifiedscore.atomic import write_atomic
from unifiedscore.diagnosis.sources import read_points
from unifiedscore.errors import InputError, visible
from unifiedscore.learned.checkpoint import read_checkpoint
from unifiedscore.learned.diagnosis import LEVEL, NAMES, diagnose_score
from unifiedscore.learned.stored import load_network
from unifiedscore.learned.train import FORMAT, data_settings
from unifiedscore.measures import as_samples
from unifiedscore.output import note, say, say_lines

_WIDTH = 110
_LARGEST_SET = 2000  # of a named law, as in training


def diagnose_score_command(
    network: str,
    data: str,
    *,
    levels=None,
    truth: str | None = None,
    law: str = "training",
    member: int = 0,
    weights: str = "average",
    out: Path | None = None,
    seed: int = 0,
    file=None,
) -> None:
    """Diagnose a checkpoint on its training points; print a table and the advice, save numbers and a picture.

    Parameters
    ----------
    network : str
        A checkpoint of `unifiedscore train score`.
    data : str
        File of the training points, or the named data set with the seed of the training.
    levels, truth, law
        As for `diagnose_score`; the truth is a file or a named data set.
    member, weights
        As for `load_network`.
    out : path, optional
        Folder for `diagnose-score.nc` and `diagnose-score.png`.
    seed : int
    file : text stream, optional
        Where to print; standard output by default.

    Raises
    ------
    UnifiedScoreError
        Bad input of any kind; then nothing is written.
    """
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder; {out} is a file")
    seed = validate.integer(seed, "--seed", low=0)
    rng = np.random.default_rng(seed)
    points, notes = read_points(data, rng=rng, size=_LARGEST_SET)
    denoiser = load_network(network, member=member, weights=weights)
    true = None
    if truth is not None:
        true, more = read_points(truth, rng=np.random.default_rng([seed, 1]), size=20_000)
        notes += more
    settings = read_checkpoint(Path(network), FORMAT)[1]["settings"]
    samples = as_samples(points.astype(np.float64))
    if member == 0 and settings.get("data", "").startswith("1 x") and settings["data"] != data_settings([samples]):
        notes.append(
            f"these are not the points that the network was trained on ({visible(settings['data'])}); a named data set "
            "is drawn again with --seed, so give that of the training: memory and copies are about these points"
        )
    for text in notes:
        note(text)
    dataset = diagnose_score(denoiser, samples, levels=levels, truth=true, law=law, seed=seed)
    dataset = dataset.assign_attrs(network=visible(network), data=visible(data), notes="\n".join(notes))
    print_score_diagnosis(dataset, file=file or sys.stdout)
    if out is not None:
        for path in _save(dataset, out):
            say(path, file=file or sys.stdout)


def print_score_diagnosis(dataset, *, file) -> None:
    """Print one column a noise level, and the advice."""
    attrs = dataset.attrs
    say(
        f"{attrs.get('network', 'network')} against {attrs['training_points']} training points in dimension "
        f"{attrs['dimension']}; queries of the law '{attrs['query_law']}'; intervals at level {LEVEL:.0%}, "
        f"seed {attrs['seed']}",
        file=file,
    )
    rows = [["noise level h", *(f"{h:.3g}" for h in dataset["level"].values)]]
    for name, title in NAMES.items():
        if name in dataset:
            ends = zip(*(dataset[name + part].values for part in ("", "_low", "_high")), strict=True)
            rows.append([title, *(_cell(*three) for three in ends)])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        say("  ".join(cells), file=file)
    for text in (text for name, text in _TERMS.items() if name in dataset):
        say_lines(fill(f"term: {text}", _WIDTH, subsequent_indent="  "), file=file)
    for sentence in attrs["advice"].splitlines():
        say_lines(fill(f"-> {sentence}", _WIDTH, subsequent_indent="   "), file=file)


_TERMS = {
    "memorised_share": "memorised share: 0 for the Gaussian denoiser of two moments, 1 for the empirical denoiser (the "
    "memory), negative for a network that is farther from the memory than those two moments",
    "truth_error": "relative squared distance: in units of that between the truth and the empirical denoiser",
    "score_share": "share: 1 minus the squared distance of the network to the best denoiser of that kind, over its "
    "squared distance to the empirical denoiser",
    "gaussian_share": "share of the Gaussian denoiser: the same, negative where the empirical denoiser is nearer, "
    "without bound where the network is nearly that",
    "effective_smoothing": "effective smoothing and bandwidth: those of the best denoiser, in the units of the data",
}
"""What the rows are about, said where they are printed; by a variable that is there with them."""


def _cell(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "-"
    digits = 2 if abs(value) >= 0.095 or value == 0 else 4
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _save(dataset, out: Path) -> list[Path]:
    from unifiedscore.plotting.score_diagnosis import score_diagnosis_figure
    from unifiedscore.study.dataset import write_dataset

    paths = [out / "diagnose-score.nc", out / "diagnose-score.png"]
    write_dataset(dataset, paths[0])
    picture = io.BytesIO()
    score_diagnosis_figure(dataset).savefig(picture, format="png", dpi=150)
    write_atomic(paths[1], picture.getvalue())
    return paths
