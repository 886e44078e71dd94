"""HTML as a tree of elements, and the terminal's tables as such.

The page shows the tables that the terminal prints, cell by cell: their builders are the only ones.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element, tostring

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

Content = Element | str

_CLASSES: Final = {"green": "good", "yellow": "other", "red": "bad"}
"""By the colour of a word in the terminal."""
_CONSOLE: Final = Console()


def element(tag: str, *content: Content, **attributes: str) -> Element:
    """An element; of an attribute's name a last `_` is dropped, and others are dashes."""
    made = Element(
        tag, {name.removesuffix("_").replace("_", "-"): value for name, value in attributes.items()}
    )
    for each in content:
        _append(made, each)
    return made


def document(root: Element) -> str:
    """The whole document as text."""
    return "<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def blocks(shown: RenderableType) -> Iterator[Element]:
    """What the terminal shows, as elements: a table for a table, a paragraph for a line.

    Raises:
        TypeError: it is neither, nor a group of these.
    """
    if isinstance(shown, Group):
        for each in shown.renderables:
            yield from blocks(each)
    elif isinstance(shown, Table):
        yield _table(shown)
    elif isinstance(shown, Text):
        yield element("p", *_words(shown))
    else:
        raise TypeError(f"{type(shown).__name__} has no form in HTML; give a table or a text")


def _append(parent: Element, content: Content) -> None:
    if isinstance(content, Element):
        parent.append(content)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + content
    else:
        parent.text = (parent.text or "") + content


def _table(table: Table) -> Element:
    """A table that scrolls by itself where the window is narrow, also by keyboard."""
    title = _plain(table.title)
    classes = ["figure" if column.justify == "right" else "words" for column in table.columns]
    headings = [
        element("th", _plain(column.header), scope="col", class_=kind)
        for column, kind in zip(table.columns, classes, strict=True)
    ]
    rows = zip(*([_text(cell) for cell in column.cells] for column in table.columns), strict=True)
    made = element(
        "table",
        element("caption", title),
        element("thead", element("tr", *headings)),
        *(element("tbody", *_lines(row, classes)) for row in rows),
    )
    return element("div", made, class_="wide", role="region", aria_label=title, tabindex="0")


def _lines(row: Sequence[Text], classes: Sequence[str]) -> Iterator[Element]:
    """A row whose figures have several lines is as many rows of the page; the legend has a line for each."""
    legend, *cells = ([*cell.split("\n", allow_blank=True)] for cell in row)
    height = max((len(cell) for cell in cells), default=1)
    heads = [legend] if height == 1 else [legend[line : line + 1] for line in range(height)]
    for line, head in enumerate(heads):
        here = [cell[line] if line < len(cell) else Text() for cell in cells]
        if any(cell.plain for cell in here):
            figures = (_cell(cell, kind) for cell, kind in zip(here, classes[1:], strict=True))
            yield element("tr", _head(head), *figures)
        else:
            yield element("tr", _head(head, colspan=str(len(row)), group="group"))


def _head(lines: Iterable[Text], group: str = "", **attributes: str) -> Element:
    head = element("th", scope=f"row{group}", **attributes)
    for number, line in enumerate(lines):
        if number:
            head.append(element("br"))
        # The terminal indents what belongs to the line above.
        kind = "inner" if line.plain.startswith(" ") else "outer"
        head.append(element("span", *_words(line), class_=kind))
    return head


def _cell(text: Text, kind: str) -> Element:
    return element("td", *_words(text), class_=kind)


def _words(text: Text) -> Iterator[Content]:
    """The text, with the terminal's colours as classes."""
    whole = _CONSOLE.get_style(text.style)
    for segment in text.render(_CONSOLE):
        style = whole + segment.style
        kind = _CLASSES.get(style.color.name if style.color else "", "dim" if style.dim else "")
        yield element("span", segment.text, class_=kind) if kind else segment.text


def _plain(shown: object) -> str:
    return _text(shown).plain


def _text(shown: object) -> Text:
    """A cell as the terminal reads it: a plain one may have marks of style in it."""
    return shown if isinstance(shown, Text) else Text.from_markup(str(shown or ""))
