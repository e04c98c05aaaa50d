"""What HTML owes to its readers, looked up with the standard library's parser."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

VOID = {"meta", "link", "br", "img", "input", "hr", "col"}
REFERENCES = ("aria-labelledby", "aria-describedby", "for")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.flaws: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.wanted: list[str] = []
        self.headings: list[int] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag, given):
        attributes = dict(given)
        if len(attributes) != len(given):
            self.flaws.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)
        self._look(tag, attributes)

    def handle_startendtag(self, tag, given):
        self._look(tag, dict(given))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.flaws.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def _look(self, tag, attributes):
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.wanted += [name for key in REFERENCES for name in (attributes.get(key) or "").split()]
        for key in ("href", "xlink:href", "src"):
            address = attributes.get(key)
            if address and address.startswith("#"):
                self.wanted.append(address[1:])
            elif address and not address.startswith("data:"):
                self.outside.append(address)
        self.wanted += re.findall(r"url\(#([^)]+)\)", " ".join(str(value) for value in attributes.values()))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img" and not attributes.get("alt"):
            self.flaws.append("an <img> without alt")
        if tag == "svg" and "svg" not in self.open[:-1]:
            hidden = attributes.get("aria-hidden") == "true"
            if not hidden and not (attributes.get("role") == "img" and attributes.get("aria-label")):
                self.flaws.append("an <svg> without a name")
        if tag == "th" and attributes.get("scope") not in ("col", "row"):
            self.flaws.append("a <th> without scope")
        if attributes.get("role") == "region" and not (
            attributes.get("aria-label") or attributes.get("aria-labelledby")
        ):
            self.flaws.append("a region without a name")
        if tag == "script":
            self.flaws.append("a <script>")


def flaws(text: str) -> list[str]:
    """Everything that is wrong with the page: tags, ids, references, headings, names of pictures, what lies outside."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    found = list(reader.flaws)
    if not text.startswith("<!doctype html>") or '<html lang="en">' not in text:
        found.append("no doctype or no language")
    found += [f"<{tag}> is never closed" for tag in reader.open]
    found += [f"id {name} is there twice" for name in sorted({n for n in reader.ids if reader.ids.count(n) > 1})]
    found += [f"nothing has the id {name}" for name in sorted(set(reader.wanted) - set(reader.ids))]
    found += [f"the page leads to {address}" for address in reader.outside]
    if reader.headings.count(1) != 1:
        found.append(f"{reader.headings.count(1)} headings of level 1")
    levels = reader.headings
    found += [f"h{b} follows h{a}" for a, b in pairwise(levels) if b > a + 1]
    return found


def flaws_of(path: Path) -> list[str]:
    return flaws(path.read_text(encoding="utf-8"))
