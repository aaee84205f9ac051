"""The nouns of the package, one frozen type per station of a document's path.

Document -> Chunk -> Request -> Reply -> grounded tree -> Record
"""

from extractor.types.exchange import LeafProbability as LeafProbability
from extractor.types.exchange import Model as Model
from extractor.types.exchange import Reply as Reply
from extractor.types.exchange import Request as Request
from extractor.types.exchange import Usage as Usage
from extractor.types.picture import PageImage as PageImage
from extractor.types.picture import Vision as Vision
from extractor.types.record import Conflict as Conflict
from extractor.types.record import Evidence as Evidence
from extractor.types.record import Failure as Failure
from extractor.types.record import GroundedList as GroundedList
from extractor.types.record import GroundedNode as GroundedNode
from extractor.types.record import GroundedObject as GroundedObject
from extractor.types.record import GroundedValue as GroundedValue
from extractor.types.record import Match as Match
from extractor.types.record import Problem as Problem
from extractor.types.record import Record as Record
from extractor.types.record import RejectedValue as RejectedValue
from extractor.types.record import SkippedFields as SkippedFields
from extractor.types.record import Status as Status
from extractor.types.span import Span as Span
from extractor.types.table import GridCell as GridCell
from extractor.types.table import TableGrid as TableGrid
from extractor.types.table import TextTable as TextTable
from extractor.types.text import NO_WIDTH_SIGNS as NO_WIDTH_SIGNS
from extractor.types.text import Chunk as Chunk
from extractor.types.text import Document as Document
from extractor.types.text import Json as Json
from extractor.types.text import Locations as Locations
from extractor.types.text import UnreadPart as UnreadPart
from extractor.types.text import ValuePath as ValuePath
from extractor.types.text import canonical_json as canonical_json
from extractor.types.text import find_uncovered_spans as find_uncovered_spans
from extractor.types.text import fingerprint_json as fingerprint_json
from extractor.types.text import json_pointer as json_pointer
