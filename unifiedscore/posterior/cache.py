"""How large a tile may be: as much of the second-level cache as its arrays need, whatever the processor."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

_SYSTEM = Path("/sys/devices/system/cpu/cpu0/cache")
# Of a core of any processor of the last ten years, or nearly; a larger one is found at run time.
_USUAL = 2**20
_UNITS = {"K": 2**10, "M": 2**20}

# Queries of a tile: the more, the faster a matrix product, but each tile is the work of one thread.
_QUERIES, _MANY = 128, 4096
# Samples of a tile, in multiples of a vector register. With fewer, the calls of a tile take longer than its arithmetic;
# with more, a product gains nothing.
_STEP, _LEAST, _MOST = 64, 256, 1024
# From here on the time goes into matrix products, which do not mind that a block leaves the cache.
_HIGH, _BLOCK = 512, (256, 512)


@lru_cache(maxsize=1)
def second_level() -> int:
    """Bytes of second-level cache of a core; a safe value where the system does not tell."""
    found = _from_linux() if sys.platform.startswith("linux") else _from_sysctl() if sys.platform == "darwin" else None
    return found if found and 2**16 <= found <= 2**26 else _USUAL


def tile_shape(queries: int, dimension: int, itemsize: int, arrays: int) -> tuple[int, int]:
    """Numbers of queries and samples of a tile of which so many arrays are in use at once."""
    if dimension >= _HIGH:
        return _BLOCK if queries < _MANY else (2 * _BLOCK[0], _BLOCK[1])
    # Half of the cache: the other half holds coordinates, and what a matrix product packs.
    numbers = second_level() // 2 // (itemsize * arrays)
    rows = 2 * _QUERIES if queries >= _MANY and numbers >= 2 * _QUERIES * _LEAST else _QUERIES
    return rows, min(max(numbers // rows // _STEP * _STEP, _LEAST), _MOST)


def _from_linux() -> int | None:
    for folder in sorted(_SYSTEM.glob("index*")):
        try:
            facts = {name: (folder / name).read_text().strip() for name in ("level", "size")}
            if facts["level"] == "2":
                return int(facts["size"][:-1]) * _UNITS[facts["size"][-1]]
        except (OSError, ValueError, KeyError, IndexError):
            return None
    return None


def _from_sysctl() -> int | None:
    import ctypes
    import ctypes.util

    library = ctypes.CDLL(ctypes.util.find_library("c"))
    value = ctypes.c_uint64(0)
    size = ctypes.c_size_t(ctypes.sizeof(value))
    failed = library.sysctlbyname(b"hw.l2cachesize", ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0))
    return None if failed else int(value.value)
