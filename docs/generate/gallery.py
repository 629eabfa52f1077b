"""Every figure with the file that draws it."""

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generate.pictures import ROOT, pictures
from unifiedscore.ledger.export import escape_markdown
from unifiedscore.study.discover import discover
from unifiedscore.study.maps.making import named_apart

TITLES = {
    "drift": "Drifts",
    "closed_form": "Closed-form diffusion",
    "moment_matched": "Moment matching",
    "tilting": "Exponential tilting",
    "learned": "Learned networks",
    "calibration": "Calibration",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure file and its stored picture, None where its data take longer to measure."""

    name: str
    title: str
    family: str
    studies: tuple[str, ...]
    claims: tuple[str, ...]
    path: Path
    profile: str
    picture: Path | None
    command: str = "figures"  # what draws it


@cache
def figures():
    """All figures and maps, by family and name."""
    stored = pictures()
    found = discover([ROOT / "figures"], kinds=("figures",)).figures
    drawn = [
        Figure(f.name, f.title, f.path.parent.name, f.studies, f.claims, f.path, f.profile,
               stored[f.name][1] if f.name in stored else None) for f in found
    ]  # fmt: skip
    return tuple(sorted([*drawn, *maps(stored)], key=lambda f: (list(TITLES).index(f.family), f.name)))


def maps(stored):
    """Every map that a study names: `unifiedscore map` draws it, so it has no file of its own."""
    for item in discover([ROOT / "studies"], kinds=("studies",)).studies:
        study, names = item.study, {claim.name: claim for claim in item.study.claims}
        for mapped in study.maps:
            claim = names[mapped.claim]
            name = f"map_{study.name}_{named_apart(mapped.claim, mapped.x, mapped.y)}"
            axes = f"{mapped.x} and {mapped.y}".replace("_", " ")
            yield Figure(
                name, f"{mapped.claim} over {axes}: {claim.statement}", item.path.parent.name, (study.name,),
                (claim.id,), item.path, "standard", stored[name][1] if name in stored else None, "map",
            )  # fmt: skip


def copy_pictures(docs):
    """Put the pictures where the pages find them."""
    folder = docs / "generated" / "figures"
    folder.mkdir(parents=True)
    for figure in figures():
        if figure.picture:
            shutil.copyfile(figure.picture, folder / figure.picture.name)


def pages():
    """The overview and one page per family."""
    families = [family for family in TITLES if any(figure.family == family for figure in figures())]
    return {"gallery/index.md": overview(families)} | {f"gallery/{family}.md": page(family) for family in families}


def overview(families):
    """Thumbnails."""
    parts = ["# Gallery", HOW]
    for family in families:
        cards = [card(figure) for figure in figures() if figure.family == family and figure.picture]
        parts.append(f"## [{TITLES[family]}]({family}.md)")
        parts.append(f"::::{{grid}} 1 2 2 3\n:gutter: 3\n\n{''.join(cards)}::::" if cards else WAITS)
    toctree = "\n".join(families)
    return "\n\n".join(parts) + f"\n\n```{{toctree}}\n:hidden:\n\n{toctree}\n```\n"


HOW = """Every figure is a file that turns a stored data set into a Matplotlib figure and computes nothing. The pictures
here come from one stored run of the quick profile. To draw them from numbers of your own, run `unifiedscore verify`,
then `unifiedscore figures`; each figure becomes a PNG, a PDF and a table of the plotted numbers."""

WAITS = "Their data take longer to measure than the quick profile allows."


def card(figure):
    """A thumbnail that leads to the figure."""
    options = f":img-top: /generated/figures/{figure.picture.name}\n:link: figure-{figure.name}\n:link-type: ref"
    return f":::{{grid-item-card}} {escape_markdown(short(figure.title))}\n{options}\n:::\n"


def short(title):
    """A title up to its first colon or full stop."""
    return title.split(":")[0].rstrip(".")


def page(family):
    """Every figure of a family."""
    return "\n\n".join([f"# {TITLES[family]}", *(entry(f) for f in figures() if f.family == family)]) + "\n"


def entry(figure):
    """Picture, what it shows, and the code."""
    where = figure.path.relative_to(ROOT).as_posix()
    parts = [f"(figure-{figure.name})=\n## {escape_markdown(short(figure.title))}"]
    parts += [escape_markdown(figure.title)] if short(figure.title) != figure.title.rstrip(".") else []
    if figure.picture:
        parts.append(f"![{figure.title}](/generated/figures/{figure.picture.name})")
    elif figure.command == "map":
        parts.append("A map is measured when it is drawn.")
    else:
        parts.append(
            f"Its data take longer to measure: `unifiedscore verify studies {where} --profile {figure.profile}`."
        )
    if figure.claims:
        parts.append("Shows " + ", ".join(f"`{claim}`" for claim in figure.claims) + ".")
    parts.append(f"Draw it: `unifiedscore {figure.command} {where}`")
    code = f"```{{literalinclude}} ../../../{where}\n:language: python\n```"
    return "\n\n".join([*parts, f":::{{dropdown}} {figure.path.name}\n{code}\n:::"])
