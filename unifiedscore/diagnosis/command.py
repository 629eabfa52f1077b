"""`unifiedscore diagnose`: print the diagnosis, and save it where asked to."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import fill

import numpy as np

from unifiedscore import validate
from unifiedscore.diagnosis import variables
from unifiedscore.diagnosis.core import diagnose
from unifiedscore.diagnosis.sources import read_array, read_laws
from unifiedscore.errors import FileError, InputError, visible
from unifiedscore.output import encoded, say, say_lines

_WIDTH = 110
_NEGLIGIBLE = 0.1
_ROWS = {
    "relative_bandwidth": "over the mean distance",
    "cross_fitted_cosine": "cosine, cross-fitted (noise-free)",
    "split_sample_cosine": "cosine, split samples (attenuated)",
    "same_sample_cosine": "cosine, same samples (shared noise)",
    "whole_sample_cosine": "cosine, same samples, all at once",
    "effective_samples": "effective samples, target / model",
    "noise_share": "noise share of the drift energy",
    "mean_difference_share": "explained by the mean difference",
    "preconditioner_ratio": "preconditioners, target over model",
    "preconditioner_share": "preconditioner gap over drift",
    "residual_share": "residual gap over drift",
    "varying_share": "share that varies over the queries",
    "jacobian_size": "change over h over drift",
    "curl_share": "curl share of the Jacobian",
    "scale_ratio": "best scale over preconditioner",
    "relative_error": "relative error at preconditioner",
    "best_relative_error": "relative error at best scale",
    "effective_bandwidth": "effective Gaussian bandwidth h",
    "bandwidth_over_std": "h over largest std of the data",
    "smoothed_share": "variance share narrower than h",
    "matched_gaussian_error": "error to matched Gaussian drift",
    "field_score_share": "your field: score share",
    "field_preconditioner_share": "  + unequal preconditioners",
    "field_residual_share": "  + residual gap",
    "field_unexplained_share": "  unexplained",
    "field_score_scale": "  scale of the score",
    "field_drift_cosine": "  cosine with this drift",
    "field_chance_cosine": "  cosine of unrelated fields (one sd)",
    "field_drift_scale": "  scale of this drift",
    "field_joint_scale": "  scale, all drifts fitted together",
    "field_curl_indication": "  curl indication",
    "score_curl_indication": "  (same, of the score: a gradient)",
}


def diagnose_command(
    target: str,
    model: str,
    *,
    kernel: str = "laplace",
    bandwidths=None,
    relative: bool = False,
    combine: bool = False,
    queries=None,
    field=None,
    out=None,
    seed: int = 0,
    max_samples: int = 10_000,
    file=None,
) -> int:
    """Diagnose two files or named data sets; print a table and the advice, save `diagnose.nc` and `diagnose.json`.

    Parameters
    ----------
    target, model : str
        A file, a folder of images or a named data set such as `digits` or `digits:label=3`.
    kernel, bandwidths, relative, combine, seed, max_samples
        As for `diagnose`.
    queries, field : path, optional
        Files of points and of the user's field there.
    out : path, optional
        Folder for both files, made if missing.
    file : text stream, optional
        Where to print; standard output by default.

    Returns
    -------
    int
        0.

    Raises
    ------
    UnifiedScoreError
        Bad input of any kind; then nothing is written.
    """
    out = None if out is None else Path(out)
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder; {out} is a file")
    seed = validate.integer(seed, "seed", low=0)
    laws = read_laws(str(target), str(model), rng=np.random.default_rng([seed, 1]), size=max_samples)
    points = None if queries is None else read_array(Path(queries), "queries", laws[2])
    values = None if field is None else read_array(Path(field), "field", laws[2])
    with _folder(out):
        dataset = diagnose(
            laws[0],
            laws[1],
            kernel,
            bandwidths,
            queries=points,
            field=values,
            relative=relative,
            combine=combine,
            seed=seed,
            max_samples=max_samples,
        )
    notes = "\n".join([*map(visible, laws[2]), *dataset.attrs["notes"].splitlines()])
    dataset = dataset.assign_attrs(target=str(target), model=str(model), notes=notes)
    print_diagnosis(dataset, file=file)
    if out is not None:
        for path in save_diagnosis(dataset, out):
            say(path, file=file or sys.stdout)
    return 0


def print_diagnosis(dataset, *, file=None) -> None:
    """Print one column a bandwidth: a table on a terminal, aligned plain text elsewhere."""
    file = file or sys.stdout
    attrs = dataset.attrs
    names = [attrs.get(law, law) for law in variables.LAWS]
    sizes = [f"{size} samples" for size in dataset["samples"].values]
    if held := attrs.get("held_out", 0):  # an older file does not say
        rest = dataset["samples"].values[1]
        sizes[1] = f"{rest + held} samples: {rest} + {held} queries"
    summed = "member" in dataset.dims
    say(
        f"{names[0]} ({sizes[0]}) against {names[1]} ({sizes[1]}), dimension {attrs['dimension']}, "
        f"{attrs['kernel']}{'' if summed else ' kernel'}; intervals at level {attrs['level']:.0%}, "
        f"seed {attrs['seed']}",
        file=file,
    )
    header = [
        "bandwidth, geometric mean" if summed else "bandwidth",
        *(f"{tau:.4g}" for tau in dataset["bandwidth"].values),
    ]
    rows = [_row(dataset, name) for name in _ROWS if name in dataset]
    if (dataset["drift_energy"] == 0).all():
        rows = [row for row in rows if not {"-", "inconclusive"}.issuperset(row[1:])]
    if getattr(file, "isatty", lambda: False)():
        from rich.console import Console
        from rich.table import Table

        table = Table(*(header[:1]), box=None, header_style="bold", pad_edge=False)
        for text in header[1:]:
            table.add_column(text, justify="right")
        for row in rows:
            table.add_row(*row)
        Console(file=file, highlight=False).print(table)
    else:
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        for row in [header, *rows]:
            cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
            say("  ".join(cells), file=file)
    say_lines(_scales(dataset), file=file)
    if summed:
        say_lines(_members(dataset), file=file)
    for text in (text for name, text in _TERMS.items() if not name or name in dataset):
        say_lines(fill(f"term: {text}", _WIDTH, subsequent_indent="  "), file=file)
    for note in attrs["notes"].splitlines():
        say_lines(fill(f"note: {note}", _WIDTH, subsequent_indent="  "), file=file)
    for sentence in attrs["advice"].splitlines():
        say_lines(fill(f"-> {sentence}", _WIDTH, subsequent_indent="   "), file=file)


def _row(dataset, name: str) -> list[str]:
    variable = dataset[name]
    label = _ROWS[name]
    if name == "effective_samples":
        return [label, *(" / ".join(f"{v:.3g}" for v in pair) for pair in variable.values)]
    if name == "curl_share":
        # Few or crowded queries see little variation of a drift that has a Jacobian: both must be small.
        sizes = np.maximum(dataset["jacobian_size"].values, dataset["varying_share"].values)
        return [label, *(_curl(*two) for two in zip(variable.values, sizes, strict=True))]
    if f"{name}_low" in dataset:
        ends = zip(variable.values, dataset[f"{name}_low"].values, dataset[f"{name}_high"].values, strict=True)
        return [label, *(_interval(*three) for three in ends)]
    return [label, *(_number(value) for value in variable.values)]


def _interval(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "inconclusive"
    return f"{value:.3f}" if math.isnan(low) else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _curl(share: float, size: float) -> str:
    """A share of next to nothing is not printed as if it mattered; the data set has it all the same."""
    return "negligible Jacobian" if size < _NEGLIGIBLE else _number(share)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"


_TERMS = {
    "": "drift V_p minus V_q and score difference s_p minus s_q of target p and model q: V(x) is the mean of y minus x "
    "over samples y weighted by the kernel k(x, y), s(x) the gradient of log E k(x, y)",
    "cross_fitted_cosine": "cross-fitted: products of different folds, whose noise averages out; same samples: both "
    "fields from one fold, or from all samples at once",
    "effective_samples": "effective samples: 1 / (sum of squared weights), the median over queries",
    "preconditioner_ratio": "preconditioner: alpha = E[1/b] under these weights, b = phi'(r)/r of the kernel "
    "exp(-phi(r)); residual: V minus alpha s",
    "curl_share": "curl: the antisymmetric part of the Jacobian J of the drift; change over h: of the drift, in a "
    f"random direction. Where that and what varies over the queries are below {_NEGLIGIBLE:.0%}, the drift is nearly "
    "constant: its Jacobian is negligible, and the curl of it says nothing",
    "effective_bandwidth": "h = sqrt(E alpha): bandwidth of the Gaussian kernel that acts like this one",
    "field_curl_indication": "curl indication: the antisymmetric share of the best linear fit",
    "member_share": "sum of kernels: added up before they are normalised. At distances of many bandwidths the widest "
    "member of an unweighted sum has nearly all of it, and so of the field",
    "kappa": "kappa: dimension times E(a.b)^2 / (E|a|^2)^2 of two samples a, b about the midpoint of the means; norm "
    "spread: dimension times Var|a|^2 / (E|a|^2)^2",
}
"""What the rows are about, said where they are printed; by a variable that is there with them."""


def _scales(dataset) -> str:
    pair = lambda name: " / ".join(f"{v:.3g}" for v in dataset[name].values)  # noqa: E731
    stds = ", ".join(f"{v:.3g}" for v in dataset["principal_std"].values if not math.isnan(v))
    lines = [
        f"mean distance {float(dataset['mean_distance']):.4g}; standard deviation along the principal axes {stds}, "
        f"total {float(dataset['total_std']):.3g}; distance of the means "
        f"{float(dataset['mean_distance_of_means']):.3g}",
        f"target / model: kappa {pair('kappa')} (1 when isotropic), norm spread {pair('norm_spread')} (2 when "
        f"Gaussian), squared norm {pair('squared_norm')}, ratio {float(dataset['norm_ratio']):.3g}",
    ]
    return "\n".join(fill(line, _WIDTH, subsequent_indent="  ") for line in lines)


def _members(dataset) -> str:
    """Share of the normaliser of every member at the queries, a line for each bandwidth of the sum."""
    lines = []
    for tau, bandwidths, shares in zip(
        dataset["bandwidth"].values, dataset["member_bandwidth"].values, dataset["member_share"].values, strict=True
    ):
        parts = zip(dataset["member"].values, bandwidths, shares, strict=True)
        text = ", ".join(f"{name} {h:.3g}: {p:.2g} / {q:.2g}" for name, h, (p, q) in parts)
        place = f" at {tau:.3g}" if len(dataset["bandwidth"]) > 1 else ""
        lines.append(f"share of each member in the normaliser at the queries{place}, target / model: {text}")
    return "\n".join(fill(line, _WIDTH, subsequent_indent="  ") for line in lines)


@contextmanager
def _folder(out: Path | None) -> Iterator[None]:
    """Make the folder before the work, and take it away again if the work fails."""
    if out is None:
        yield
        return
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise FileError(f"cannot write into {out}: {error.strerror or error}; choose another --out") from error
    try:
        yield
    except BaseException:
        for folder in made:
            folder.rmdir()
        raise


def save_diagnosis(dataset, out: Path) -> list[Path]:
    """Write `diagnose.nc` and `diagnose.json`, each whole or not at all."""
    from unifiedscore.atomic import write_atomic
    from unifiedscore.study.dataset import write_dataset

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {out}: {error.strerror or error}; choose another --out") from error
    paths = [out / "diagnose.nc", out / "diagnose.json"]
    write_dataset(dataset, paths[0])
    write_atomic(paths[1], encoded(json.dumps(as_json(dataset), indent=1, allow_nan=False) + "\n"))
    return paths


def as_json(dataset) -> dict:
    """The data set as plain JSON: missing and infinite numbers are null."""
    plain = {"attributes": _plain(dataset.attrs)}
    for key in ("advice", "notes"):
        plain["attributes"][key] = plain["attributes"][key].splitlines()
    plain["coordinates"] = {name: dataset[name].values.tolist() for name in dataset.coords}
    plain["variables"] = {
        name: {"dims": list(v.dims), **_plain(v.attrs), "values": _finite(v.values.tolist())}
        for name, v in dataset.data_vars.items()
    }
    return plain


def _plain(attributes) -> dict:
    return {key: value.tolist() if hasattr(value, "tolist") else value for key, value in attributes.items()}


def _finite(value):
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
