"""netCDF 4 files from a stranger: looked over at the lowest level before any value is read.

HDF5 can name other files (external storage, virtual data sets, links), expand a few bytes to gigabytes (filters, fill
values, lengths that are only declared) and run code that an environment variable names (filter plugins). Nothing that
this package writes uses any of it, so a file that does is refused.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, final

from unifiedscore.errors import FileError
from unifiedscore.reading import HOLES, occupied, open_regular

VALUES = 2**28  # bytes of values that any file may declare; beyond, HOLES times what it occupies on the disk
OBJECTS = 2_000
ATTRIBUTES, OF_ONE = 10_000, 256  # HDF5 takes a time that grows with the square of those of one object
ATTRIBUTE_BYTES = 2**24  # of all attributes together
TEXT_BYTES = 2**24  # of the labels of an axis
CHUNKS = 100_000
DEEPEST = 8
RANK = 32  # HDF5 knows no more dimensions


@contextmanager
def netcdf_file(path: Path, *, below: Path | None = None, limit: int, values: int | None = None) -> Iterator[BinaryIO]:
    """Open a netCDF 4 file that reads no other file and expands to no more than it may.

    Parameters
    ----------
    path, below, limit
        As of `reading.open_regular`.
    values : int, optional
        Bytes of values that the file may declare. By default `VALUES`, or more where the file itself is that large.

    Raises
    ------
    FileError
        The file uses what no data set of this package uses, or declares more than it may; the message says what.
    """
    import h5py

    with open_regular(path, below=below, limit=limit) as file:
        found = os.fstat(file.fileno())
        most = max(VALUES, HOLES * occupied(found)) if values is None else values
        try:
            with h5py.File(file, "r") as opened:
                _Survey(path, found.st_size, most).groups(opened.id)
        except FileError:
            raise
        except MemoryError:
            raise FileError(f"{path} needs more memory than there is") from None
        except Exception as error:  # h5py passes on whatever its library stumbles on in a damaged file
            raise FileError(f"{path} is not a readable netCDF file ({' '.join(str(error).split())})") from error
        file.seek(0)
        yield file


@final
@dataclass(slots=True)
class _Survey:
    """What was seen of a file so far, against what it may hold."""

    path: Path
    size: int
    values: int
    attributes: int = 0
    attribute_bytes: int = 0
    declared: int = 0
    seen: set[Any] = field(default_factory=set)

    def refuse(self, what: str) -> None:
        raise FileError(f"{self.path} {what}; no data set of unifiedscore does, and it is not read")

    def groups(self, root) -> None:
        """Walk over all objects, without recursion and each of them once: hard links can form circles."""
        from h5py import h5d, h5g, h5l, h5o

        waiting = [(0, root)]
        while waiting:
            depth, group = waiting.pop()
            names: list[bytes] = []
            # A callback that returns something ends the iteration.
            group.links.iterate(lambda name, names=names: names.append(name) or len(names) > OBJECTS or None)
            for name in names:
                shown = name.decode("utf-8", "backslashreplace")
                if group.links.get_info(name).type != h5l.TYPE_HARD:
                    self.refuse(f"holds a link ({shown}) to another place or file")
                item = h5o.open(group, name)
                address = h5o.get_info(item).addr
                if address in self.seen:
                    continue
                self.seen.add(address)
                if len(self.seen) > OBJECTS:
                    self.refuse(f"holds more than {OBJECTS} variables and groups")
                self._attributes(item, shown)
                if isinstance(item, h5d.DatasetID):
                    self._variable(item, shown)
                elif isinstance(item, h5g.GroupID):
                    if depth >= DEEPEST:
                        self.refuse(f"holds groups more than {DEEPEST} levels deep")
                    waiting.append((depth + 1, item))
        self._attributes(h5o.open(root, b"/"), "the file")

    def _attributes(self, item, name: str) -> None:
        """Read every attribute once and drop it: its size shows only then where its length is not declared."""
        from h5py import h5a, h5o

        self.attributes += (count := h5o.get_info(item).num_attrs)
        if count > OF_ONE or self.attributes > ATTRIBUTES:
            self.refuse(f"holds {self.attributes} attributes or more, of {name} alone {count}")
        names: list[bytes] = []
        h5a.iterate(item, lambda name, *_: names.append(name))
        for key in names:
            attribute = h5a.open(item, key)
            kind = attribute.get_type()
            length = _entries(attribute)
            if _of_unknown_length(kind):
                # Every element may point to the same stored text, which is at most as large as the file.
                if length > 1 and not _refers(kind) and length * self.size > TEXT_BYTES:
                    self.refuse(f"holds an attribute of {name} with {length} texts of any length")
                if length > RANK and _refers(kind):
                    self.refuse(f"holds an attribute of {name} with {length} lists of references")
                self.attribute_bytes += _text_bytes(attribute) if length == 1 and not _refers(kind) else 0
            else:
                self.attribute_bytes += length * kind.get_size()
            if self.attribute_bytes > ATTRIBUTE_BYTES:
                self.refuse(f"holds attributes of more than {ATTRIBUTE_BYTES // 2**20} MiB")

    def _variable(self, item, name: str) -> None:
        from h5py import h5d

        # The layout first: to ask a virtual data set for its shape may already open other files.
        stored = item.get_create_plist()
        if stored.get_layout() == h5d.VIRTUAL:
            self.refuse(f"takes {name} from other files (a virtual data set)")
        if stored.get_external_count():
            self.refuse(f"takes {name} from other files (external storage)")
        kind = item.get_type()
        takes = _entries(item) * kind.get_size()
        if not _is_bare_dimension(item):  # its length stands for a dimension without labels and is not read
            self.declared += takes
        if self.declared > self.values:
            what = f"{name} takes {takes / 2**30:.4g} GiB"
            raise FileError(f"{self.path} declares more values than such a file may hold: {what}")
        if stored.get_nfilters():
            self._filters(item, stored, name)
        if _of_unknown_length(kind):
            self._texts(item, kind, name)

    def _filters(self, item, stored, name: str) -> None:
        """Expand every compressed chunk up to its own size: HDF5 itself would go on to whatever the bytes make."""
        from h5py import h5z

        allowed = (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32)
        filters = [stored.get_filter(position)[0] for position in range(stored.get_nfilters())]
        if any(number not in allowed for number in filters) or len(set(filters)) < len(filters):
            self.refuse(f"stores {name} with filters other than shuffle, fletcher32 and one deflate")
        if h5z.FILTER_DEFLATE not in filters:
            return
        whole = math.prod(stored.get_chunk()) * item.get_type().get_size()
        if whole > self.values:
            self.refuse(f"stores {name} in chunks of {whole / 2**30:.4g} GiB")
        chunks: list[Any] = []
        item.chunk_iter(lambda info: chunks.append(info) or len(chunks) > CHUNKS or None)
        if len(chunks) > CHUNKS:
            self.refuse(f"stores {name} in more than {CHUNKS} chunks")
        if any(info.size > self.size for info in chunks):
            self.refuse(f"stores {name} in chunks larger than the file")
        skipped = 1 << filters.index(h5z.FILTER_DEFLATE)
        for info in chunks:
            if info.filter_mask & skipped:
                continue
            _, content = item.read_direct_chunk(info.chunk_offset)
            if filters[-1] == h5z.FILTER_FLETCHER32 and not info.filter_mask >> (len(filters) - 1) & 1:
                content = content[:-4]  # the checksum that was added last
            # One byte more than the chunk has, and four for a checksum that was added before.
            if len(zlib.decompressobj().decompress(content, whole + 5)) > whole + 4:
                self.refuse(f"stores {name} in chunks that expand to more than they are")

    def _texts(self, item, kind, name: str) -> None:
        """Add up the lengths of texts one by one: all of them may point to one stored text."""
        import h5py
        import numpy as np
        from h5py import h5s, h5t

        count = _entries(item)
        if kind.get_class() != h5t.STRING:
            self.refuse(f"holds {name}, whose entries are lists of any length")
        if count * self.size <= TEXT_BYTES or item.get_storage_size() == 0:
            return
        if count > CHUNKS:
            self.refuse(f"holds {name} with {count} texts of any length")
        place, total = h5s.create_simple((1,)), 0
        space = item.get_space()
        entry = np.empty(1, dtype=h5py.string_dtype())
        for position in np.ndindex(item.shape):
            if item.shape:
                space.select_hyperslab(position, (1,) * len(position))
            item.read(place, space, entry)
            total += len(entry[0])
            if total > TEXT_BYTES:
                self.refuse(f"holds {name} with texts of more than {TEXT_BYTES // 2**20} MiB")


def _entries(item) -> int:
    """Number of entries of a variable or attribute; an empty one has no shape."""
    return 0 if item.shape is None else math.prod(item.shape)


def _of_unknown_length(kind) -> bool:
    from h5py import h5t

    if kind.get_class() == h5t.COMPOUND:
        return any(_of_unknown_length(kind.get_member_type(i)) for i in range(min(kind.get_nmembers(), 64)))
    if kind.get_class() == h5t.ARRAY:
        return _of_unknown_length(kind.get_super())
    return kind.get_class() == h5t.VLEN or (kind.get_class() == h5t.STRING and kind.is_variable_str())


def _refers(kind) -> bool:
    """Whether these are lists of references to other objects, as the dimensions of a variable are stored."""
    from h5py import h5t

    return kind.get_class() == h5t.VLEN and kind.get_super().get_class() == h5t.REFERENCE


def _text_bytes(attribute) -> int:
    import numpy as np

    value = np.empty(attribute.shape, dtype=attribute.dtype)
    attribute.read(value)
    return sum(len(entry) for entry in value.ravel() if hasattr(entry, "__len__"))


def _is_bare_dimension(item) -> bool:
    from h5py import h5a

    if not h5a.exists(item, b"NAME"):
        return False
    import numpy as np

    attribute = h5a.open(item, b"NAME")
    value = np.empty(attribute.shape, dtype=attribute.dtype)
    attribute.read(value)
    text = next(iter(value.ravel()), None)
    return isinstance(text, bytes) and text.startswith(b"This is a netCDF dimension but not a netCDF variable")
