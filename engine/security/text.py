"""Foreign text made harmless: HTML to plain text, one form of Unicode, nothing invisible, clipped.

Headlines, posts, filings, symbol names and a broker's error strings all pass here before anybody reads, stores or
shows them. What is hidden from a reader's eye is not text.
"""

import re
import unicodedata
from html.parser import HTMLParser

_DROPPED = frozenset({"script", "style", "head", "template", "noscript", "iframe", "object", "svg", "math", "title"})
_BREAKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "section"})
_VOID = frozenset(
    {"br", "img", "hr", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])|font-size\s*:\s*0(?![.\d])", re.IGNORECASE
)
_LOOKS_LIKE_HTML = re.compile(r"<[a-zA-Z!/][^>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_INPUT_LIMIT = 2_000_000


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")
        if tag in _VOID:
            return
        named = {name: value or "" for name, value in attrs}
        hidden = tag in _DROPPED or "hidden" in named or named.get("aria-hidden") == "true"
        if self._hidden or hidden or _HIDDEN_STYLE.search(named.get("style", "")):
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def html_to_text(source: str) -> str:
    """The text a reader would see; hidden nodes, scripts and markup are gone."""
    reader = _Reader()
    reader.feed(source[:_INPUT_LIMIT])
    reader.close()
    return "".join(reader.parts)


def _visible(character: str) -> bool:
    if character == "\n":
        return True
    # Cf: zero-width, bidi and tag characters; Cc: control; Co, Cn, Cs: private, unassigned, surrogate.
    if unicodedata.category(character) in ("Cf", "Cc", "Co", "Cn", "Cs"):
        return False
    code = ord(character)
    return not (0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or character in "\u3164\uffa0\u115f\u1160\u2800")


def clean(source: str, limit: int = 20_000, *, one_line: bool = False) -> str:
    """Plain, visible, normalised (NFKC) text of at most ``limit`` characters. Never raises on any input."""
    text = source[:_INPUT_LIMIT]
    if _LOOKS_LIKE_HTML.search(text):
        text = html_to_text(text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if _visible(c))
    text = _LINES.sub("\n", _SPACES.sub(" ", text)).strip()
    if one_line:
        text = text.replace("\n", " ")
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def headline(source: str, limit: int = 300) -> str:
    """A cleaned line."""
    return clean(source, limit, one_line=True)


def mixed_scripts(text: str) -> bool:
    """Whether one word mixes Latin letters with look-alikes of another alphabet: a sign of deception."""
    for word in re.findall(r"\w+", text):
        scripts = {_script(c) for c in word if c.isalpha()}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}:
            return True
    return False


def _script(character: str) -> str:
    return unicodedata.name(character, "?").partition(" ")[0]
