"""What a run leaves without a verdict: claims that wait for a larger profile, and cells that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self, final

from unifiedscore.errors import StudyError
from unifiedscore.inference.verdict import claim_name, json_value
from unifiedscore.reading import parse_json

if TYPE_CHECKING:
    import xarray as xr


class _Entry:
    """A flat object of the ledger and its JSON."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain Python values."""
        return {field.name: json_value(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        return cls(**{field.name: entry[field.name] for field in fields(cls)})


@final
@dataclass(frozen=True, slots=True)
class NotRun(_Entry):
    """A claim that was not judged, the profile that it waits for, and why."""

    claim: str
    regime: str
    study: str
    profile: str
    reason: str

    @property
    def name(self) -> str:
        """The claim, with its regime where it has one."""
        return claim_name(self.claim, self.regime)


@final
@dataclass(frozen=True, slots=True)
class FailedCell(_Entry):
    """A cell whose measurement failed, or a derivation (its file's name, no cell), with the message."""

    study: str
    cell: Mapping[str, Any]
    message: str

    @property
    def where(self) -> str:
        """The cell in words: `dimension=4, seed=0`."""
        return ", ".join(f"{axis}={label}" for axis, label in self.cell.items())


def failed_cells(study: str, dataset: xr.Dataset) -> list[FailedCell]:
    """The failed cells that a data set lists, with their messages.

    Raises
    ------
    StudyError
        Its attribute is not such a list: the file is damaged, or nobody's `run` wrote it.
    """
    try:
        listed = parse_json(dataset.attrs.get("failed_cells", "[]").encode())
        return [FailedCell(study, dict(entry["cell"]), str(entry["message"])) for entry in listed]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StudyError(
            f"the attribute failed_cells of the data set of {study} is not a list of cells and messages; "
            "unifiedscore run writes the data set again"
        ) from None
