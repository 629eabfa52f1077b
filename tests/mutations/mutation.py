"""What a mutation is, and where the lists of them lie."""

from __future__ import annotations

import ast
import importlib.util
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTS = Path(__file__).with_name("lists")
NUMERICAL = ("kernels", "measures", "posterior", "fields", "processes", "samplers", "references", "metrics", "learned")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One edit of one file, and the mistake of a person that it stands for.

    Parameters
    ----------
    file : str
        Path below `unifiedscore/`.
    old, new : str
        `old` stands in the file exactly once; `new` takes its place.
    mistake : str
        What a person might have got wrong, as one plain clause.
    studies : tuple of str
        Files below `studies/` and `derivations/` that should notice, tried before everything.
    tests : tuple of str
        Paths below `tests/` that should notice, tried before everything.
    """

    file: str
    old: str
    new: str
    mistake: str
    studies: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How it is called in the table."""
        return f"{self.file}: {self.mistake}"

    @property
    def package(self) -> str:
        """The part of `unifiedscore/` that it is in."""
        return self.file.partition("/")[0].removesuffix(".py")

    @property
    def numerical(self) -> bool:
        """Whether numbers come from there, rather than what is made of them."""
        return self.package in NUMERICAL

    def applied(self, text: str) -> str:
        """The text of the file with the mistake in it.

        Raises
        ------
        ValueError
            The old text does not stand there exactly once, nothing changes, or the result is not Python.
        """
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: the old text stands {count} times in the file; it must stand there once")
        changed = text.replace(self.old, self.new)
        if ast.dump(ast.parse(changed)) == ast.dump(ast.parse(text)):
            raise ValueError(f"{self.name}: nothing changes")
        return changed


@cache
def mutations() -> tuple[Mutation, ...]:
    """All of them, from the files in `lists/`, each of which holds a tuple `MUTATIONS`."""
    found = []
    for path in sorted(LISTS.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"mutations_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += module.MUTATIONS
    return tuple(found)


def in_random_order(listed: Iterable[Mutation], seed: int) -> list[Mutation]:
    """Mutations in an order of which every beginning is a random sample, stratified: numerical packages, the rest.

    Each stratum is shuffled by itself, and the two are spread evenly over the whole.
    """
    listed = sorted(listed, key=lambda mutation: (mutation.file, mutation.old, mutation.new))
    places: list[tuple[float, Mutation]] = []
    for numerical in (True, False):
        stratum = [mutation for mutation in listed if mutation.numerical == numerical]
        random.Random(f"{seed} {numerical}").shuffle(stratum)
        places += [((position + 0.5) / len(stratum), mutation) for position, mutation in enumerate(stratum)]
    return [mutation for _, mutation in sorted(places, key=lambda place: place[0])]
