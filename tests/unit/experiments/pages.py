"""Reads a page as a browser would: faults of its form, its tables, its words, what it asks for."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

VOID: Final = frozenset({"meta", "br", "link", "img", "hr", "input"})
ASKING: Final = frozenset({"src", "href", "xlink:href", "data", "srcset", "poster", "action"})
"""Attributes by which a page may ask for something."""


@dataclass
class Page(HTMLParser):
    """What a document has in it."""

    text: str
    open_tags: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open_tags]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open_tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if not self.open_tags or self.open_tags.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing, at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open_tags:
            self.words.append(data)
        if {"td", "th"} & set(self.open_tags):
            self.rows[-1][-1] += data

    def all_of(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def ids(self) -> list[str]:
        """Every id."""
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    @property
    def asked_for(self) -> list[str]:
        """All that it asks for, places on itself and plain links apart."""
        return [
            value
            for tag, attributes in self.tags
            for name, value in attributes.items()
            if name in ASKING and not value.startswith("#") and tag != "a"
        ]

    @property
    def said(self) -> str:
        """Its words in one line."""
        return " ".join("".join(self.words).split())
