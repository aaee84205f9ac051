"""Markup within Markdown text, in one pass: code, comments, tags, links and definitions (CommonMark 0.31, 6).

What stands in code is shown as it is, markup or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from extractor.documents.formats.markdown_blocks import Block, BlockKind
from extractor.types import Span

_SIGN = re.compile(r"\\.|`+|<!--|<(?=[A-Za-z/?!])|!?\[", re.S)
_TICKS = re.compile(r"`+")
_TAG = re.compile(
    r"</?[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*\s*/?>"
)
_LONGEST_TAG = 10_000
_LINK_END = re.compile(
    r"\]\(\s*(?P<target><[^<>\n]*>|[^\s()<]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?P<title>\s+(?:\"(?:[^\"\\]|\\.){0,2000}\"|'(?:[^'\\]|\\.){0,2000}'|\((?:[^()\\]|\\.){0,2000}\)))?\s*\)"
)
_LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.){1,999})\]")
_DEFINITION = re.compile(
    r" {0,3}\[(?P<label>(?:[^\[\]\\]|\\.){1,999})\]:[ \t]*\r?\n?[ \t]*(?P<target><[^<>\n]*>|[^\s<]\S*)"
    r"(?P<title>[ \t]*\r?\n?[ \t]+"
    r"(?:\"(?:[^\"\\]|\\.){0,2000}\"|'(?:[^'\\]|\\.){0,2000}'|\((?:[^()\\]|\\.){0,2000}\)))?"
    r"[ \t]*(?=\r?\n|\Z)"
)
_FOOTNOTE = re.compile(r" {0,3}\[\^(?P<label>[^\]\s]{1,999})\]:")
_OPEN_TITLE = re.compile(r" {0,3}\[(?://|comment)\]:[ \t]*(?:#|<>)[^\n]*", re.I)


@dataclass(slots=True)
class Markup:
    """Where markup of each kind stands in a text, in order."""

    code: list[Span] = field(default_factory=list)
    comments: list[Span] = field(default_factory=list)
    unclosed: list[Span] = field(default_factory=list)
    """A comment without an end, within a line: some programs show it, others hide all that follows."""
    tags: list[Span] = field(default_factory=list)
    titles: list[Span] = field(default_factory=list)
    """Of links: what is shown only to a mouse."""
    alts: list[Span] = field(default_factory=list)
    """Words in place of pictures."""
    definitions: list[tuple[str, Span, Span | None]] = field(default_factory=list)
    """Of links: label, place, and the place of the title."""
    footnotes: list[tuple[str, Span]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """Labels that are referred to, folded."""


def find_markup(text: str, blocks: Sequence[Block]) -> Markup:
    """The markup of a text in these blocks."""
    markup = Markup()
    scanner, notes = _Scanner(text, markup), _Footnotes(text, markup)
    for block in blocks:
        if block.kind is BlockKind.CODE:
            markup.code.append(block.span)
        start = notes.read_block(block)
        if block.kind is BlockKind.TEXT:
            start = scanner.read_definitions(Span(start, block.span.end)) if start < block.span.end else start
        if block.kind is not BlockKind.CODE:
            scanner.read_block(Span(start, block.span.end) if start < block.span.end else None, block.kind)
    return markup


@dataclass(slots=True)
class _Footnotes:
    """Footnotes: a label, its words, and the paragraphs below that are set in."""

    text: str
    markup: Markup
    _end: int = -1
    """Where the footnote ends that a paragraph may go on; -1 where there is none."""

    def read_block(self, block: Block) -> int:
        """Notes what of a block belongs to a footnote; where its words begin."""
        start, end = block.span.start, block.span.end
        found = _FOOTNOTE.match(self.text, start) if block.kind is BlockKind.TEXT else None
        if found is not None:
            self.markup.footnotes.append((fold_label(found["label"]), block.span))
            self._end = end
            return found.end()
        if self._end >= 0 and self.text.startswith(("    ", "\t"), start):
            label, span = self.markup.footnotes[-1]
            self.markup.footnotes[-1] = label, Span(span.start, end)
        elif self.text[start:end].strip():
            self._end = -1
        return start


def fold_label(label: str) -> str:
    """A label as it is compared (CommonMark, 6.3)."""
    return " ".join(label.split()).casefold()


@dataclass(slots=True)
class _Scanner:
    text: str
    markup: Markup
    _endless: dict[str, int] = field(default_factory=dict)
    """For what ends an instruction, up to where there is none."""
    _last_comment_end: int = -2
    """Where the last comment of the text ends; -2 before it is looked for."""

    def read_definitions(self, span: Span) -> int:
        """Reads definitions of links at the beginning of a paragraph; where its words begin."""
        at = span.start
        while at < span.end:
            found = _DEFINITION.match(self.text, at, span.end) or _OPEN_TITLE.match(self.text, at, span.end)
            if found is None or self.text.startswith("[^", self.text.find("[", at)):
                return at
            groups = found.groupdict()
            title = Span(*found.span("title")) if groups.get("title") else None
            label = fold_label(groups.get("label") or "//")
            self.markup.definitions.append((label, Span(*found.span()), title))
            at = found.end()
            while at < span.end and self.text[at] in "\r\n":
                at += 1
        return at

    def read_block(self, span: Span | None, kind: BlockKind) -> None:
        """Reads the markup of a paragraph, or of raw HTML, where nothing is code and no link is one of Markdown."""
        if span is None:
            return
        closing = dict(self._pair_ticks(span)) if kind is BlockKind.TEXT else {}
        at = span.start
        while (sign := _SIGN.search(self.text, at, span.end)) is not None:
            at = self._read_sign(sign, span, closing, kind)

    def _pair_ticks(self, span: Span) -> Iterator[tuple[int, int]]:
        """For each run of ticks that begins code where the code ends: at the next run of the same length."""
        following: dict[int, int] = {}
        for run in reversed(list(_TICKS.finditer(self.text, span.start, span.end))):
            size = run.end() - run.start()
            if size in following:
                yield run.start(), following[size]
            following[size] = run.end()

    def _read_sign(self, sign: re.Match[str], span: Span, closing: dict[int, int], kind: BlockKind) -> int:
        """Reads what a sign begins; where to go on."""
        start, first = sign.start(), sign[0]
        if first[0] == "\\":
            return sign.end() if kind is BlockKind.TEXT else start + 1
        if first[0] == "`":
            end = closing.get(start)
            if end is None:
                return sign.end()
            self.markup.code.append(Span(start, end))
            return end
        if first == "<!--":
            return self._read_comment(start, span, kind)
        if first[0] == "<" and self.text[start + 1] in "?!":
            return self._read_instruction(start, span)
        if first[0] == "<":
            tag = _TAG.match(self.text, start, min(span.end, start + _LONGEST_TAG))
            if tag is None:
                return sign.end()
            self.markup.tags.append(Span(*tag.span()))
            return tag.end()
        if kind is BlockKind.TEXT:
            self._read_bracket(sign, span)
        return sign.end()

    def _read_comment(self, start: int, span: Span, kind: BlockKind) -> int:
        if self.text.startswith((">", "->"), start + 4):
            end = self.text.index(">", start) + 1
        else:
            end = self.text.find("-->", start + 4, span.end) + 3
        if end > 2:
            self.markup.comments.append(Span(start, end))
            return end
        if kind is BlockKind.HTML:
            self.markup.comments.append(Span(start, span.end))
            return span.end
        if self._last_comment_end == -2:
            self._last_comment_end = self.text.rfind("-->")
        later = self._last_comment_end > start
        self.markup.unclosed.append(Span(start, self.text.find("-->", start) + 3 if later else len(self.text)))
        return start + 4

    def _read_instruction(self, start: int, span: Span) -> int:
        """What is for programs: `<?...?>`, `<!...>` and `<![CDATA[...]]>`."""
        ends = "?>" if self.text[start + 1] == "?" else "]]>" if self.text.startswith("<![CDATA[", start) else ">"
        end = self.text.find(ends, start + 2, span.end) if self._endless.get(ends, -1) < start else -1
        if end < 0:
            self._endless[ends] = max(self._endless.get(ends, 0), span.end)
            return start + 2
        self.markup.comments.append(Span(start, end + len(ends)))
        return end + len(ends)

    def _read_bracket(self, sign: re.Match[str], span: Span) -> None:
        """Notes the label that a bracket may refer to, and what a picture has in its place."""
        label = _LABEL.match(self.text, sign.end() - 1, span.end)
        if label is None:
            return
        self.markup.used.add(fold_label(label[1]))
        after = label.end() - 1
        link = _LINK_END.match(self.text, after, span.end)
        if link is not None and link["title"]:
            self.markup.titles.append(Span(*link.span("title")))
        is_picture = sign[0][0] == "!"
        if is_picture and label[1].strip() and (link is not None or self.text.startswith("][", after)):
            self.markup.alts.append(Span(*label.span(1)))
