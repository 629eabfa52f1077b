"""The package's docstrings are plain text with `$formulas$`; here they become what Sphinx reads."""

import re

CODE = re.compile(r"(``.+?``|`[^`]+`)", re.DOTALL)
MATH = re.compile(r"(?<![\\$])\$(?!\$)(.+?)(?<!\\)\$", re.DOTALL)


def to_rest(app, what, name, obj, options, lines):
    """Turn formulas into roles and escape what reStructuredText would read as markup; code stays as it is."""
    # numpydoc knows no section of laws and would drop it.
    text = re.sub(r"^Laws\n-+\n", ".. rubric:: Laws\n\n", "\n".join(lines), flags=re.MULTILINE)
    paragraphs = text.split("\n\n")
    lines[:] = "\n\n".join(_paragraph(text) for text in paragraphs).split("\n")


def _paragraph(text):
    if text.lstrip().startswith((">>>", "::")):
        return text
    return "".join(part if part.startswith("`") else _prose(part) for part in CODE.split(text))


def _prose(text):
    parts = MATH.split(text)
    for position, part in enumerate(parts):
        if position % 2:
            parts[position] = f":math:`{' '.join(part.split())}`"
            if position + 1 < len(parts) and re.match(r"\w", parts[position + 1]):
                parts[position] += "\\ "
        else:
            parts[position] = re.sub(
                r"(?<!\\)(\||(?<!^)(?<!\n)(?<!\n )(?<!\n  )(?<!\n    )\*)|(?<=\w)(_)(?=\W|$)",
                lambda m: "\\" + m[0],
                part,
            )
    return "".join(parts)
