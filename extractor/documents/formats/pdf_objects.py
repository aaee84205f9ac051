"""What a PDF page draws, object by object: letters, pictures, areas and rules, in the order in which they are drawn.

A page of plain letters is told by a handful of calls for each of its objects, made in bulk as in `pdf_text`.
"""

from __future__ import annotations

import ctypes
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise, repeat
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats.page_blocks import PageRules
from extractor.documents.formats.page_grid import Line
from extractor.documents.formats.pdf_calls import address_of, as_argument, find_function
from extractor.documents.formats.pdf_frame import PageFrame

MAX_OBJECTS = 200_000
"""Objects of one page that are looked at; those in forms within it included."""
MAX_FORM_DEPTH = 12
"""Forms in forms that are looked into."""
DARK = 150
"""The brightest channel, of 255, up to which letters are taken for ink that stands out from paper."""
_PLAIN_MODES = frozenset({raw.FPDF_TEXTRENDERMODE_FILL, raw.FPDF_TEXTRENDERMODE_FILL_STROKE})
_UNPAINTED_MODES = frozenset({raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP})
MAX_RULES, MAX_AREAS = 4_000, 1_000
"""Of a page, for its tables."""
RULE_WIDTH = 3.0
"""Points across, up to which a painted area is a rule."""


class Rule(NamedTuple):
    """A straight line of the page, in its own coordinates: points from the lower left corner, y upwards."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(slots=True)
class PageObjects:
    """The objects of a page, as far as it matters for what can be seen. Keys are addresses of PDFium's objects."""

    is_plain: bool = True
    """Whether there are only letters, painted in dark ink over the whole of their shape."""
    texts: list[int] = field(default_factory=list)
    faint: set[int] = field(default_factory=set)
    """Letters in a light, transparent or no colour; they are seen only where what lies under them is dark."""
    unpainted: set[int] = field(default_factory=set)
    """Letters that are placed and not painted, such as what OCR found, under a scan."""
    replaced: set[int] = field(default_factory=set)
    """Letters for which the file says what text to take in their place."""
    pictures: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Left, bottom, right and top of images, in the page's own coordinates."""
    rules: list[Rule] = field(default_factory=list)
    areas: list[Rule] = field(default_factory=list)
    """Filled rectangles."""


def read_objects(page: pdfium.PdfPage) -> PageObjects:
    """The page's objects; those in forms too."""
    found = PageObjects()
    count = raw.FPDFPage_CountObjects(page.raw)
    holder = as_argument(address_of(page.raw))
    handles = list(map(_page_object, repeat(holder), range(min(count, MAX_OBJECTS))))
    _sort_objects(handles, found, None, 0)
    if count > MAX_OBJECTS or _has_painted_annotation(page):
        found.is_plain = False
    return found


def find_rules(page: pdfium.PdfPage, objects: PageObjects) -> PageRules:
    """The page's rules, and the edges of its areas, as the page is shown."""
    rules = PageRules()
    if not (objects.rules or objects.areas):
        return rules
    frame = PageFrame(page)
    size = frame.width * frame.height
    outlines = [
        edge
        for area in objects.areas[:MAX_AREAS]
        if 3 * (area.right - area.left) * (area.top - area.bottom) < 2 * size
        for edge in _outline(area)
    ]
    _place_rules(frame, objects.rules[:MAX_RULES], rules.level, rules.upright)
    _place_rules(frame, outlines, rules.level_edges, rules.upright_edges)
    return rules


def _place_rules(frame: PageFrame, found: Iterable[Rule], level: list[Line], upright: list[Line]) -> None:
    for rule in found:
        left, top, right, bottom = frame.place_box(*rule)
        if right - left >= bottom - top:
            level.append(Line((top + bottom) / 2, left, right))
        else:
            upright.append(Line((left + right) / 2, top, bottom))


def _has_painted_annotation(page: pdfium.PdfPage) -> bool:
    """Whether anything is laid over the page that paints: all but links."""
    for i in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        note = raw.FPDFPage_GetAnnot(page.raw, i)
        kind = raw.FPDFAnnot_GetSubtype(note)
        raw.FPDFPage_CloseAnnot(note)
        if kind not in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
            return True
    return False


def _sort_objects(handles: list[int], found: PageObjects, matrix: Any, depth: int) -> None:
    modes = array("i", map(_render_mode, map(as_argument, handles)))
    if min(modes, default=0) >= 0:
        texts = handles
    else:
        found.is_plain = False
        texts = [handle for handle, mode in zip(handles, modes, strict=True) if mode >= 0]
        for handle, mode in zip(handles, modes, strict=True):
            if mode < 0:
                _add_drawing(handle, found, matrix, depth)
    found.texts += texts
    if not _are_plain(list(map(as_argument, texts)), set(modes)):
        found.is_plain = False
        for handle in texts:
            _judge_letters(handle, found)


def _are_plain(texts: list[Any], modes: set[int]) -> bool:
    """Whether all are painted in one go, opaque, dark, not clipped, in no layer, and say what they show."""
    if not modes <= _PLAIN_MODES or any(map(_has_transparency, texts)) or any(map(_count_marks, texts)):
        return False
    if max(map(_count_clips, map(as_argument, map(_clip_path, texts))), default=0) > 0:
        return False
    *channels, opacity = _read_fill_colours(texts)
    return min(opacity, default=255) == 255 and max(map(max, channels)) <= DARK if texts else True


def _judge_letters(handle: int, found: PageObjects) -> None:
    thing = as_argument(handle)
    mode = _render_mode(thing)
    if mode in _UNPAINTED_MODES:
        found.unpainted.add(handle)
    else:
        (r,), (g,), (b,), (a,) = _read_fill_colours([thing])
        if mode not in _PLAIN_MODES or a < 255 or max(r, g, b) > DARK or _has_transparency(thing):
            found.faint.add(handle)
    if any(_says_otherwise(handle, i) for i in range(min(_count_marks(thing), 20))):
        found.replaced.add(handle)


def _says_otherwise(handle: int, number: int) -> bool:
    mark = raw.FPDFPageObj_GetMark(ctypes.cast(handle, raw.FPDF_PAGEOBJECT), number)
    return bool(raw.FPDFPageObjMark_GetParamValueType(mark, b"ActualText") == raw.FPDF_OBJECT_STRING)


def _add_drawing(handle: int, found: PageObjects, matrix: Any, depth: int) -> None:
    thing = ctypes.cast(handle, raw.FPDF_PAGEOBJECT)
    kind = raw.FPDFPageObj_GetType(thing)
    if kind == raw.FPDF_PAGEOBJ_FORM:
        if depth < MAX_FORM_DEPTH and len(found.texts) < MAX_OBJECTS:
            count = min(raw.FPDFFormObj_CountObjects(thing), MAX_OBJECTS)
            inner = raw.FS_MATRIX()
            raw.FPDFPageObj_GetMatrix(thing, inner)
            parts = [address_of(raw.FPDFFormObj_GetObject(thing, i)) for i in range(count)]
            _sort_objects(parts, found, _multiply(inner, matrix), depth + 1)
        return
    if kind not in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE) or len(found.rules) > MAX_OBJECTS:
        return
    if kind == raw.FPDF_PAGEOBJ_IMAGE:
        found.pictures.append(_bounds(thing, matrix))
        return
    _add_path(thing, found, matrix)


def _bounds(thing: Any, matrix: Any) -> tuple[float, float, float, float]:
    edges = [ctypes.c_float() for _ in range(4)]
    raw.FPDFPageObj_GetBounds(thing, *edges)
    left, bottom, right, top = (edge.value for edge in edges)
    return _transform_box((left, bottom, right, top), matrix)


def _add_path(thing: Any, found: PageObjects, matrix: Any) -> None:
    """Notes rules and rectangles of a path; curves are neither."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(thing, fill, stroke)
    if not (fill.value or stroke.value):
        return
    count = raw.FPDFPath_CountSegments(thing)
    if not 2 <= count <= _MAX_SEGMENTS or any(_is_curve(thing, i) for i in range(min(count, 6))):
        return
    own = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(thing, own)
    whole = _multiply(own, matrix)
    for points, curved in _read_subpaths(thing, count):
        if curved or len(points) < 2:
            continue
        shown = [_transform(x, y, whole) for x, y in points]
        xs, ys = [x for x, _ in shown], [y for _, y in shown]
        box = Rule(min(xs), min(ys), max(xs), max(ys))
        thin = min(box.right - box.left, box.top - box.bottom) <= RULE_WIDTH
        if len(points) == 2 or (fill.value and thin):
            if thin:
                found.rules.append(box)
        elif _is_rectangle(shown):
            if fill.value:
                found.areas.append(box)
            if stroke.value:
                found.rules += _outline(box)
        elif stroke.value:
            found.rules += _level_steps(shown)


_MAX_SEGMENTS = 4000


def _is_curve(thing: Any, number: int) -> bool:
    kind = raw.FPDFPathSegment_GetType(raw.FPDFPath_GetPathSegment(thing, number))
    return bool(kind == raw.FPDF_SEGMENT_BEZIERTO)


def _read_subpaths(thing: Any, count: int) -> Iterator[tuple[list[tuple[float, float]], bool]]:
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[tuple[float, float]] = []
    curved = False
    for i in range(count):
        segment = raw.FPDFPath_GetPathSegment(thing, i)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO and points:
            yield points, curved
            points, curved = [], False
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        curved = curved or kind == raw.FPDF_SEGMENT_BEZIERTO
        points.append((x.value, y.value))
        if raw.FPDFPathSegment_GetClose(segment) and points[0] != points[-1]:
            points.append(points[0])
    yield points, curved


def _is_rectangle(points: list[tuple[float, float]]) -> bool:
    corners = points[:-1] if points[0] == points[-1] else points
    if len(corners) != 4:
        return False
    steps = zip(corners, [*corners[1:], corners[0]], strict=True)
    return all(abs(a[0] - b[0]) < 0.5 or abs(a[1] - b[1]) < 0.5 for a, b in steps)


def _outline(box: Rule) -> list[Rule]:
    left, bottom, right, top = box
    return [
        Rule(left, bottom, right, bottom),
        Rule(left, top, right, top),
        Rule(left, bottom, left, top),
        Rule(right, bottom, right, top),
    ]


def _level_steps(points: list[tuple[float, float]]) -> Iterable[Rule]:
    for a, b in pairwise(points):
        if abs(a[0] - b[0]) < 0.5 or abs(a[1] - b[1]) < 0.5:
            yield Rule(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))


def _transform(x: float, y: float, matrix: Any) -> tuple[float, float]:
    if matrix is None:
        return x, y
    return matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f


def _transform_box(box: tuple[float, float, float, float], matrix: Any) -> tuple[float, float, float, float]:
    if matrix is None:
        return box
    corners = [_transform(x, y, matrix) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _multiply(inner: Any, outer: Any) -> Any:
    """The matrix that does what `inner` does and then what `outer` does (ISO 32000-1, 8.3.4)."""
    if outer is None:
        return inner
    return raw.FS_MATRIX(
        inner.a * outer.a + inner.b * outer.c,
        inner.a * outer.b + inner.b * outer.d,
        inner.c * outer.a + inner.d * outer.c,
        inner.c * outer.b + inner.d * outer.d,
        inner.e * outer.a + inner.f * outer.c + outer.e,
        inner.e * outer.b + inner.f * outer.d + outer.f,
    )


_AT_ONCE = 4096
_COLOURS = (ctypes.c_uint * (4 * _AT_ONCE))()
_FIRST = ctypes.addressof(_COLOURS)
_CHANNELS = [[as_argument(_FIRST + 16 * i + 4 * channel) for i in range(_AT_ONCE)] for channel in range(4)]


def _read_fill_colours(things: list[Any]) -> tuple[list[int], list[int], list[int], list[int]]:
    """The red, green, blue and opacity of each; no colour counts as none at all, that is, transparent."""
    values: list[int] = []
    numbers = memoryview(_COLOURS).cast("B").cast("I")
    for at in range(0, len(things), _AT_ONCE):
        some = things[at : at + _AT_ONCE]
        ctypes.memset(_FIRST, 0, 16 * len(some))
        deque(map(_fill_colour, some, *_CHANNELS), 0)
        values += numbers[: 4 * len(some)].tolist()
    return values[0::4], values[1::4], values[2::4], values[3::4]


_POINTER, _INT = ctypes.c_void_p, ctypes.c_int
_page_object = find_function(raw.FPDFPage_GetObject, _POINTER)
_render_mode = find_function(raw.FPDFTextObj_GetTextRenderMode, _INT)
_has_transparency = find_function(raw.FPDFPageObj_HasTransparency, _INT)
_count_marks = find_function(raw.FPDFPageObj_CountMarks, _INT)
_clip_path = find_function(raw.FPDFPageObj_GetClipPath, _POINTER)
_count_clips = find_function(raw.FPDFClipPath_CountPaths, _INT)
_fill_colour = find_function(raw.FPDFPageObj_GetFillColor, None)
set_active = find_function(raw.FPDFPageObj_SetIsActive, _INT)
text_object_at = find_function(raw.FPDFText_GetTextObject, _POINTER)
