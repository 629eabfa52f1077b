"""Speed on a device: Gaussian mean shift of tensors against attention and KeOps, up to a million points.

    python benchmarks/bench_gpu.py [--out reference/speed_gpu.md] [--seconds 150] [--device cuda] [--tiny]

n = m queries and samples in d = 64 and 768 dimensions, in float32 and bfloat16, with the gradient with respect to the
queries. One script of under three minutes: a row is left out where the time that is left would not do. Without a GPU
it says so and ends with exit code 0; `--device cpu --tiny` runs every line of it on small sizes. The table names the
device.

Attention and KeOps compute the same numbers, and the largest difference is in the table: attention in float32 by
`scaled_dot_product_attention` with the norms of the samples as one more coordinate, in bfloat16 to its three digits.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SIZES, TINY = (10_000, 100_000, 1_000_000), (64, 256)
DIMENSIONS = (64, 768)
REPEATS = 5
HEAD = (
    "| n = m | d | dtype | what | time | ratio of ours to it | difference | peak memory |",
    "|---|---|---|---|---|---|---|---|",
)


def main() -> None:
    options = parser().parse_args()
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed; nothing is measured: pip install 'unifiedscore[torch]'")
        return
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        print("there is no GPU here; nothing is measured")
        return
    lines, clock = [], Clock(options.seconds)
    for line in HEAD:
        print(line)
    for n in TINY if options.tiny else SIZES:
        for d in (64, 9) if options.tiny else DIMENSIONS:
            for line in rows(n, d, options.device, clock):
                lines.append(line)
                print(line, flush=True)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text("\n".join([facts(options.device), "", *HEAD, *lines, ""]), encoding="utf-8")


class Clock:
    """What is left of the time, and what a row will take: cost grows as n^2 from the size before."""

    def __init__(self, seconds: float):
        self.end, self.known = time.perf_counter() + seconds, {}

    def missing(self, row: tuple, n: int) -> float | None:
        """Seconds that the row would take, if they are more than are left."""
        before, seconds = self.known.get(row, (n, 0.0))
        wanted = seconds * (n / before) ** 2
        return wanted if wanted >= self.end - time.perf_counter() else None


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--out", type=Path, help="file of the table, such as reference/speed_gpu.md")
    found.add_argument("--device", default="cuda")
    found.add_argument("--seconds", type=float, default=150.0, help="time for all rows together")
    found.add_argument("--tiny", action="store_true", help="sizes that only show that everything runs")
    return found


def rows(n: int, d: int, device: str, clock: Clock) -> Iterator[str]:
    """The rows of one size: ours, its gradient and the peers, in both dtypes."""
    import torch

    import unifiedscore as us
    import unifiedscore.torch as ust

    generator, bandwidth = torch.Generator(device).manual_seed(0), 0.5 * d**0.5
    whole = [torch.randn(n, d, generator=generator, device=device) for _ in range(2)]
    for dtype in (torch.float32, torch.bfloat16):
        x, y = (part.to(dtype) for part in whole)
        leaf, field = x.clone().requires_grad_(), ust.MeanShift(us.Gaussian(bandwidth), y)
        calls = {
            "ust.MeanShift": lambda x=x, field=field: field(x),
            "ust.MeanShift with the gradient": lambda x=leaf, field=field: torch.autograd.grad(field(x).sum(), x)[0],
            "scaled_dot_product_attention": attention(x, y, bandwidth),
            "KeOps": keops(x, y, bandwidth),
        }
        ours = expected = None
        for what, call in calls.items():
            start = f"| {n} | {d} | {str(dtype).removeprefix('torch.')} | {what}"
            if call is None:
                yield f"{start}: not installed, or not in this dtype | | | | |"
                continue
            if (wanted := clock.missing((d, dtype, what), n)) is not None:
                yield f"{start}: left out, it would take {wanted:.0f} s | | | | |"
                continue
            try:
                value, seconds, memory = measured(call, device)
            except torch.OutOfMemoryError:
                yield f"{start}: out of memory | | | | |"
                continue
            clock.known[d, dtype, what] = n, seconds
            ours, expected = (seconds, value) if what == "ust.MeanShift" else (ours, expected)
            peer = what in ("scaled_dot_product_attention", "KeOps") and expected is not None
            gap = float((value - expected).float().abs().max() / expected.float().abs().max()) if peer else None
            cells = [
                f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s",
                "" if ours is None or value is expected else f"{ours / seconds:.3g}",
                "" if gap is None else f"{gap:.0e}",
                "" if memory is None else f"{memory / 2**20:.0f} MB",
            ]
            yield f"{start} | {' | '.join(cells)} |"


def measured(call: Callable, device: str):
    """Result, median seconds and peak bytes of a call after a warm-up; a long one is timed once."""
    import torch

    cuda = device.startswith("cuda")
    wait = torch.cuda.synchronize if cuda else lambda: None
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if cuda else 0
    times, value = [], None
    # The first call compiles; one of many seconds does not change by that.
    while len(times) < 1 + REPEATS and sum(times[1:]) < 1.0 and (not times or times[0] < 10.0):
        value = None
        wait()
        start = time.perf_counter()
        value = call()
        wait()
        times.append(time.perf_counter() - start)
    memory = torch.cuda.max_memory_allocated() - before if cuda else None
    return value, statistics.median(times[1:] or times), memory


def attention(x, y, bandwidth: float) -> Callable:
    """Gaussian mean shift as attention: one more key coordinate carries -|y|^2 / 2 tau^2."""
    import torch

    wide, held = x.float(), y.float()
    extra = 8 - x.shape[1] % 8
    pad = [torch.zeros(len(part), extra - 1, device=x.device) for part in (wide, held)]
    query = torch.cat([wide / bandwidth**2, torch.ones(len(x), 1, device=x.device), pad[0]], 1)
    key = torch.cat([held, -held.square().sum(1, keepdim=True) / (2 * bandwidth**2), pad[1]], 1)
    value = torch.cat([held, torch.zeros(len(y), extra, device=x.device)], 1)
    query, key, value = (part.to(x.dtype)[None, None] for part in (query, key, value))

    def call():
        out = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return out[0, 0, :, : x.shape[1]] - x

    return call


def keops(x, y, bandwidth: float) -> Callable | None:
    """The same as a symbolic (n, m) matrix reduced on the fly; KeOps knows no bfloat16."""
    import torch

    if importlib.util.find_spec("pykeops") is None or x.dtype == torch.bfloat16:
        return None
    from pykeops.torch import LazyTensor

    def call():
        second = LazyTensor(y[None])
        squared = ((LazyTensor(x[:, None]) - second) ** 2).sum(-1)
        return (-squared / (2 * bandwidth**2)).sumsoftmaxweight(second, axis=1) - x

    return call


def facts(device: str) -> str:
    """The device and the versions."""
    import platform

    import torch

    name = torch.cuda.get_device_name() if device.startswith("cuda") else platform.processor() or platform.machine()
    return f"Mean shift of tensors on {name}, PyTorch {torch.__version__}."


if __name__ == "__main__":
    main()
