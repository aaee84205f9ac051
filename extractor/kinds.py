"""The old place of `extractor.schema`'s annotations, kept for one release: import them from `extractor.schema`."""

from extractor.schema import *  # noqa: F403 -- whatever has moved there
from extractor.schema import __all__ as __all__
