"""The terminal's tables as HTML."""

import pytest
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from experiments.report.markup import blocks, document, element


def table(*rows: tuple[str | Text, ...]) -> Table:
    made = Table(title="A title")
    made.add_column("load")
    for heading in ("ours", "theirs")[: len(rows[0]) - 1]:
        made.add_column(heading, justify="right")
    for row in rows:
        made.add_row(*row)
    return made


def html(shown: object) -> str:
    return "".join(document(each).removeprefix("<!DOCTYPE html>\n").strip() for each in blocks(shown))  # type: ignore[arg-type]


def test_a_row_of_several_lines_is_as_many_rows() -> None:
    shown = html(table((Text("idle\n  published"), Text("1.5 =\n1.6"))))
    assert (
        '<tr><th scope="row"><span class="outer">idle</span></th><td class="figure">1.5 =</td></tr>' in shown
    )
    assert '<span class="inner">  published</span></th><td class="figure">1.6</td></tr>' in shown


def test_a_line_with_a_legend_alone_heads_those_under_it() -> None:
    shown = html(table((Text("idle\n  OKE"), Text("\n1"), Text("\n2"))))
    assert '<th scope="rowgroup" colspan="3"><span class="outer">idle</span></th></tr>' in shown


def test_a_long_legend_of_one_line_of_figures_stays_one_row() -> None:
    shown = html(table((Text("vgg16\n  peak"), "50")))
    assert (
        '<span class="outer">vgg16</span><br><span class="inner">  peak</span></th><td class="figure">50'
        in shown
    )


def test_colours_of_the_terminal_are_classes() -> None:
    shown = html(Text("1 ").append("=", style="green").append("≠", style="yellow").append(" x", style="dim"))
    assert (
        shown == '<p>1 <span class="good">=</span><span class="other">≠</span><span class="dim"> x</span></p>'
    )


def test_a_text_of_one_colour_has_it_as_a_class() -> None:
    assert html(Text("late", style="red")) == '<p><span class="bad">late</span></p>'


def test_a_group_is_all_that_is_in_it() -> None:
    assert html(Group(Text("a"), Group(Text("b"), Text("c")))) == "<p>a</p><p>b</p><p>c</p>"


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="Panel has no form in HTML; give a table or a text"):
        list(blocks(Panel("x")))


def test_text_between_elements_stays_where_it_was() -> None:
    made = element("p", "a", element("b", "c"), "d", "e", class_="x", aria_label="a & b")
    assert document(made) == '<!DOCTYPE html>\n<p class="x" aria-label="a &amp; b">a<b>c</b>de</p>\n'
