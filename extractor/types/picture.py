"""A page as a picture that goes to a model along with the text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum

MEDIA_TYPE = "image/jpeg"
"""Of all pictures: the one kind that every interface and server takes."""


class Vision(StrEnum):
    """Which pages a model is shown as pictures, too."""

    AUTO = "auto"
    """Those without a good text layer, and photos, if the model is known to see."""
    ALWAYS = "always"
    """All pages of PDFs and pictures, whatever is known of the model."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class PageImage:
    """A picture of one page of a document, and where the page's words stand in the document's text."""

    page: int
    start: int
    end: int
    width: int
    height: int
    """Pixels."""
    digest: str
    """SHA-256 of the data, 64 hex digits: what stands for the picture wherever a request is kept."""
    data: bytes = field(default=b"", repr=False, compare=False)
    """JPEG. Empty where a request is only planned."""

    @classmethod
    def from_jpeg(cls, page: int, place: tuple[int, int], size: tuple[int, int], data: bytes) -> PageImage:
        """The picture of a page whose words stand at `place`, `size` pixels wide and high."""
        return cls(page, *place, *size, hashlib.sha256(data).hexdigest(), data)

    def without_data(self) -> PageImage:
        """The same, for those who need not see it."""
        return replace(self, data=b"")

    def touches(self, start: int, end: int) -> bool:
        """Whether some of the page's words, or the place of a page without any, are in that range of the text."""
        return self.start < end and (start < self.end or start <= self.start)
