"""Pictures of a stored run, small enough to keep: `python docs/generate/pictures.py RESULTS`.

Building the pages measures nothing. They show the pictures in `reference/figures/`, which this command makes from the
figures of a results folder; the index beside them says which run each picture shows. Where `UNIFIEDSCORE_RESULTS` names
a results folder, the pages show its figures and its ledger instead.
"""

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STORED = ROOT / "reference" / "figures"
WIDTH, QUALITY = 1400, 80  # pixels and WebP quality at which the ticks can still be read, about 60 kB each


def results():
    """The results folder that the pages are to show, None for the stored one."""
    named = os.environ.get("UNIFIEDSCORE_RESULTS")
    return Path(named).resolve() if named else None


def ledger():
    """The ledger that the pages show, as it is stored."""
    folder = results() or ROOT / "reference"
    return json.loads((folder / "ledger.json").read_text(encoding="utf-8"))


def pictures():
    """Name of each figure that has a picture, to its entry in the index and the path of its file."""
    folder = results() / "figures" if results() else STORED
    entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return {entry["name"]: (entry, folder / entry["png" if results() else "picture"]) for entry in entries}


def store(folder):
    """Make the small pictures of a results folder and their index; pictures that it lacks are removed."""
    from PIL import Image

    entries = json.loads((Path(folder) / "figures" / "index.json").read_text(encoding="utf-8"))
    STORED.mkdir(exist_ok=True)
    for old in STORED.glob("*.webp"):
        old.unlink()
    kept = []
    for entry in entries:
        with Image.open(Path(folder) / "figures" / entry["png"]) as image:
            shrink = min(1.0, WIDTH / image.width)
            size = round(image.width * shrink), round(image.height * shrink)
            small = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        name = f"{entry['name']}.webp"
        small.save(STORED / name, quality=QUALITY, method=6)
        kept.append({"name": entry["name"], "title": entry["title"], "claims": entry["claims"], "picture": name,
                     "width": size[0], "height": size[1], "runs": entry["runs"]})  # fmt: skip
    (STORED / "index.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    store(sys.argv[1])
