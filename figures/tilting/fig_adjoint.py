"""The lean adjoint against its bounds: how sharp they are far from the data, and what dimension does."""

from unifiedscore.plotting.series import curve
from unifiedscore.plotting.style import BLUE, GREEN, GREY, RED, axis_label, caption, new_figure, style, tidy

study = "tilting_adjoint_dimension"
claims = ("tilting.adjoint_dimension",)

LINES = (
    ("product", "log_growth", "product, its adjoint", BLUE, "o", "-", 1.4),
    ("diagonal", "log_growth", "two modes on the diagonal, their adjoint", GREEN, "s", "-", 3.0),
    ("product", "log_general", "general bound, which they attain", RED, "", "--", 1.4),
)


def figure(dataset):
    with style():
        canvas = new_figure(5.4, 4.0)
        ax = canvas.subplots()
        for law, name, label, color, marker, line, width in LINES:
            drawn = curve(dataset, name, "dimension", where={"law": law})
            ax.plot(drawn.x, drawn.median, color=color, marker=marker, linestyle=line, linewidth=width, label=label)
        ax.set_xticks(drawn.x, [f"{value:g}" for value in drawn.x])
        ax.axhline(0.0, color=GREY, linewidth=0.8)
        ax.set_xlabel(axis_label(dataset["dimension"], "dimension"))
        ax.set_ylabel("$\\log |a(0.2)| / |\\nabla r|$")
        ax.set_title("The general bound is for the worst law")
        ax.legend(loc="upper left")
        tidy(ax)
        caption(
            canvas,
            "Rectified flow, modes at +-1.5 of variance 0.36, on the path between them. Two modes on the diagonal "
            "attain the general bound; a product of the same radius keeps the adjoint of one coordinate.",
        )
    return canvas
