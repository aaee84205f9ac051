"""Names that a model gives the entries of an object: each should stand in the text, as the values under it do."""

from __future__ import annotations

from extractor.extraction.grounding.findings import NAME_UNSEEN
from extractor.extraction.grounding.labels import name_words
from extractor.extraction.grounding.mentions import TextIndex
from extractor.extraction.grounding.tree import add_findings
from extractor.schema.open_objects import UNNAMED, has_entries, list_entry_fields
from extractor.schema.reader import Node, Object, ObjectList
from extractor.schema.tree import NamedEntries
from extractor.types import GroundedList, GroundedNode, GroundedObject


def find_unseen_names(node: Object, tree: GroundedObject, index: TextIndex) -> GroundedObject:
    """The tree; what stands under a name that the text does not have carries the finding.

    `node` is the part as the schema has it, before its names were those that were said.
    """
    marked = _mark(node, tree, index)
    return marked if isinstance(marked, GroundedObject) else tree


def _mark(node: Node, tree: GroundedNode, index: TextIndex) -> GroundedNode:
    if not has_entries(node):
        return tree
    match node, tree:
        case Object(entries=entries), GroundedObject(fields):
            nodes = {f.name: f.node for f in (*node.fields, *list_entry_fields(node, fields))}
            declared = {f.name for f in node.fields}
            marked = {name: _mark(nodes[name], one, index) for name, one in fields.items()}
            for name in marked.keys() - declared if entries else ():
                if name != UNNAMED and not _is_seen(entries, name, index):
                    marked[name] = add_findings(marked[name], NAME_UNSEEN)
            return GroundedObject(marked)
        case ObjectList(row), GroundedList(items):
            return GroundedList(tuple(_mark(row, item, index) for item in items))
    return tree


def _is_seen(entries: NamedEntries | None, name: str, index: TextIndex) -> bool:
    """Whether the name stands in the text, as it is or as words: "net_income" as "Net income"."""
    leaf = entries.name if entries else None
    return leaf is not None and any(index.find_mentions(leaf, words) for words in (name, name_words(name)))
