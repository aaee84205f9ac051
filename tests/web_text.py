"""How words of a web page come out, for the tests of the formats that are web pages inside."""

from extractor.documents.formats.html import parse_html
from extractor.types import Document, Span

MARKER = "UNSEEN"


def texts(document: Document, spans: tuple[Span, ...]) -> list[str]:
    return [document.text[span.start : span.end] for span in spans]


def sight(document: Document, words: str = MARKER) -> str:
    """How the words are seen: "shown", "doubtful", "hidden", or "absent" from the text."""
    if words not in document.text:
        return "absent"
    if words not in document.visible_text(Span(0, len(document.text))):
        return "hidden"
    start = document.text.index(words)
    return "doubtful" if document.is_doubtful(Span(start, start + len(words))) else "shown"


def page_sight(source: str, words: str = MARKER) -> str:
    return sight(parse_html(source, "a"), words)
