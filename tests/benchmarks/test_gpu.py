"""The benchmark on a device: without one it says so, and every line of it runs on small sizes."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "bench_gpu.py"


def run(*arguments):
    done = subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_device_nothing_is_measured(tmp_path):
    if importlib.util.find_spec("torch") is not None and __import__("torch").cuda.is_available():
        pytest.skip("there is a device")
    out = tmp_path / "table.md"
    assert "nothing is measured" in run("--out", out)
    assert not out.exists()


def test_every_line_runs_on_small_sizes(tmp_path):
    pytest.importorskip("torch")
    out = tmp_path / "table.md"
    shown = run("--device", "cpu", "--tiny", "--out", out)
    table = out.read_text()
    assert shown.strip() in table
    assert table.startswith("Mean shift of tensors on ")
    for what in ("| ust.MeanShift |", "ust.MeanShift with the gradient", "scaled_dot_product_attention", "KeOps"):
        assert table.count(what) == 8
    gaps = [line.split("|")[7].strip() for line in table.splitlines() if "attention" in line]
    kinds = [line.split("|")[3].strip() for line in table.splitlines() if "attention" in line]
    assert all(float(gap) < (1e-4 if kind == "float32" else 0.2) for gap, kind in zip(gaps, kinds, strict=True))
    assert "left out" in run("--device", "cpu", "--tiny", "--seconds", "0")
