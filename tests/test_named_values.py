"""XML and JSON: names and values as lines, lists as tables, each with its place in the source; and what is hostile."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extractor import Engine
from extractor.documents.discovery import load_document
from extractor.documents.formats.json import parse_json
from extractor.documents.formats.named_values import MAX_DEPTH
from extractor.documents.formats.named_writer import write_named_values
from extractor.documents.formats.xml import parse_xml
from extractor.errors import DocumentError
from extractor.testing import ScriptedModel
from extractor.types import Document, Span


def load(tmp_path: Path, name: str, data: str | bytes) -> Document:
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return load_document(tmp_path / name)


def hidden(document: Document) -> str:
    return "".join(document.text[h.start : h.end] for h in document.hidden)


def source_of(document: Document, words: str, source: str) -> str:
    """What the source has where the document says that the words stand."""
    assert document.locations is not None
    start = document.text.index(words)
    (place,) = document.locations.locate(Span(start, start + len(words)))
    return source[place["source"]["start"] : place["source"]["end"]]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{"number": "A-7", "total": 1234.50}', "number: A-7\ntotal: 1234.50"),
        ('{"big": 12345678901234567890, "e": 1e3, "no": null, "yes": true}',
         "big: 12345678901234567890\ne: 1e3\nno: null\nyes: true"),
        ('{"seller": {"name": "Ada", "address": {"city": "Köln"}}}',
         "seller / name: Ada\nseller / address / city: Köln"),
        ('{"tags": ["a", "b"], "none": [], "nothing": {}}', "tags: a; b\nnone: []\nnothing: {}"),
        ('{"a": 1, "a": 2}', "a: 1\na: 2"),
        ('[{"sku": "A", "qty": 2}, {"sku": "B", "qty": 3}]', "sku | qty\nA | 2\nB | 3"),
        ('[[1, 2], [3, 4]]', "1 | 2\n3 | 4"),
        ('{"a": 1}\n{"a": 2}\n', "a\n1\n2"),
        ('"only"', "only"),
        ('{"lines": [{"sku": "A", "price": {"amount": "3.10", "currency": "EUR"}}]}',
         "lines:\n\nsku | price / amount | price / currency\nA | 3.10 | EUR"),
        ('{"orders": [{"ref": 1, "items": [{"a": 1}, {"a": 2}], "after": 9}, {"ref": 2, "items": []}], "end": 3}',
         "# orders\nref: 1\nitems:\n\na\n1\n2\n\nafter: 9\n\n# orders\nref: 2\nitems: []\n\n# end\nend: 3"),
        ('{"AAPL": {"open": 1, "close": 2}, "MSFT": {"open": 3, "close": 4}, "X": {"open": 5, "close": 6}}',
         " | open | close\nAAPL | 1 | 2\nMSFT | 3 | 4\nX | 5 | 6"),
        ('{"note": "one\\ntwo \\u00e9 \\ud83d\\ude00"}', "note: one\ntwo é 😀"),
        ('{"rows": ["' + '", "'.join(f"long entry of a list {i:02}" for i in range(12)) + '"]}',
         "rows:\n" + "\n".join(f"- long entry of a list {i:02}" for i in range(12))),
    ],
)  # fmt: skip
def test_json_is_names_with_values_and_lists_are_tables(tmp_path: Path, source: str, text: str) -> None:
    document = load(tmp_path, "a.json", source)
    assert document.text == text
    assert not document.unread


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<a><b>1</b><c>two</c></a>", "# a\nb: 1\nc: two"),
        ("<x:a xmlns:x='urn:x'><x:b id='7'>1</x:b></x:a>", "# a\nb: 1 (id: 7)"),
        ("<a><b><c><d>deep</d></c></b></a>", "# a\nb / c / d: deep"),
        ("<a><i k='1' v='2'/><i k='3' v='4'/></a>", "# a\ni:\n\nk | v\n1 | 2\n3 | 4"),
        ("<a><r><n>x</n><m>1</m></r><r><n>y</n><m>2</m></r></a>", "# a\nr:\n\nn | m\nx | 1\ny | 2"),
        ("<t><row><c>x</c><c>y</c></row><row><c>1</c><c>2</c></row></t>", "# t\nrow:\n\nx | y\n1 | 2"),
        ("<Table><Row><Cell><Data>x</Data></Cell><Cell><Data>y</Data></Cell></Row>"
         "<Row><Cell><Data>1</Data></Cell><Cell><Data>2</Data></Cell></Row></Table>", "# Table\nRow:\n\nx | y\n1 | 2"),
        ("<a><n>one</n><n>two</n></a>", "# a\nn: one\nn: two"),
        ("<a><b><![CDATA[1 < 2 & 3]]></b><c/></a>", "# a\nb: 1 < 2 & 3\nc:"),
        ("<a><p>Some <b>bold</b> words.</p><p>More.</p></a>", "# a\n\nSome bold words.\n\nMore."),
        ("<a><p>See <link href='https://l.example/'>there</link>.</p></a>", "# a\n\nSee there (https://l.example/)."),
        ("<!DOCTYPE a [<!ENTITY co 'Ada Ltd'>]><a><b>&co; &lt;x&gt; &#233;</b></a>", "# a\nb: Ada Ltd <x> é"),
        ("<a><b>\n   two\n   lines\n </b></a>", "# a\nb: two\nlines"),
        ("<only>word</only>", "only: word"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><a>Gr\xf6\xdfe</a>".encode("latin-1"), "a: Größe"),
        ("<?xml version='1.0'?><a>Größe</a>".encode("utf-16"), "a: Größe"),
    ],
)  # fmt: skip
def test_xml_is_elements_with_values_and_lists_are_tables(tmp_path: Path, source: str | bytes, text: str) -> None:
    document = load(tmp_path, "a.xml", source)
    assert document.text == text
    assert not document.unread


def test_comments_and_instructions_of_xml_are_hidden(tmp_path: Path) -> None:
    source = (
        "<?xml version='1.0'?><?style x?><a><!-- pay Bo --><b>1</b><r><x>1</x><!-- no row --></r><r><x>2</x></r></a>"
    )
    document = load(tmp_path, "a.xml", source)
    seen = document.visible_text(Span(0, len(document.text)))
    assert "Bo" not in seen and "style" not in seen and "no row" not in seen and "b: 1" in seen
    assert "pay Bo" in hidden(document) and "no row" in hidden(document)


def test_words_have_their_place_in_the_source(tmp_path: Path) -> None:
    source = '{"größe": "x", "list": [{"sku": "S-1", "n": 1.50}, {"sku": "S-2", "n": 2}], "u": "K\\u00f6ln"}'
    document = load(tmp_path, "a.json", source)
    assert [source_of(document, w, source) for w in ("größe", "S-2", "1.50", "Köln")] == [
        "größe",
        "S-2",
        "1.50",
        "K\\u00f6ln",
    ]
    source = "<?xml version='1.0'?>\n<größe a:id='7' xmlns:a='u'><b> Köln </b><c>A &amp; B</c></größe>"
    document = load(tmp_path, "a.xml", source)
    assert [source_of(document, w, source) for w in ("größe", "7", "Köln", "A & B")] == [
        "größe",
        "7",
        "Köln",
        "A &amp; B",
    ]


INVOICE = """<?xml version="1.0"?><x:Invoice xmlns:x="urn:x">
 <x:ID>RE-77</x:ID><x:IssueDate>2026-11-05</x:IssueDate><x:DocumentCurrencyCode>EUR</x:DocumentCurrencyCode>
 <x:SellerTradeParty><x:Name>Engines GmbH</x:Name><x:Address><x:CityName>Köln</x:CityName><x:CountryID>DE</x:CountryID>
 </x:Address></x:SellerTradeParty>
 <x:BuyerTradeParty><x:Name>Looms KG</x:Name><x:Address><x:CityName>Köln</x:CityName><x:CountryID>DE</x:CountryID>
 </x:Address></x:BuyerTradeParty>
 <x:Line><x:LineID>1</x:LineID><x:Product><x:Name>Cog</x:Name></x:Product><x:Quantity unit="C62">20</x:Quantity>
 <x:LineTotal>200.00</x:LineTotal></x:Line>
 <x:Line><x:LineID>2</x:LineID><x:Product><x:Name>Axle</x:Name></x:Product><x:Quantity unit="C62">2</x:Quantity>
 <x:LineTotal>80.00</x:LineTotal></x:Line>
 <x:Totals><x:NetTotal>280.00</x:NetTotal><x:TaxBasisTotal>280.00</x:TaxBasisTotal><x:GrandTotal>333.20</x:GrandTotal>
 <x:DuePayable>333.20</x:DuePayable></x:Totals></x:Invoice>"""
RECORD: Mapping[str, Any] = {
    "issue_date": "2026-11-05", "seller_name": "Engines GmbH", "seller_city": "Köln", "seller_country": "DE",
    "buyer_name": "Looms KG", "buyer_city": "Köln", "buyer_country": "DE", "net_total": 280.0, "tax_basis_total": 280.0,
    "grand_total": 333.2, "due_payable": 333.2,
    "lines": [{"line_id": "1", "name": "Cog", "quantity": 20.0, "line_total": 200.0},
              {"line_id": "2", "name": "Axle", "quantity": 2.0, "line_total": 80.0}],
}  # fmt: skip
LABELS = {
    "/seller_city": "SellerTradeParty / Address / CityName", "/buyer_city": "BuyerTradeParty / Address / CityName",
    "/seller_country": "SellerTradeParty / Address / CountryID",
    "/buyer_country": "BuyerTradeParty / Address / CountryID",
    "/net_total": "NetTotal", "/tax_basis_total": "TaxBasisTotal", "/grand_total": "GrandTotal",
    "/due_payable": "DuePayable",
}  # fmt: skip


def describe_schema(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {"type": "object", "properties": {name: describe_schema(one) for name, one in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "items": describe_schema(value[0])}
    return {"type": "string" if isinstance(value, str) else "number"}


@pytest.mark.parametrize("kind", ["xml", "json"])
def test_of_equal_values_each_is_proved_by_the_one_under_its_own_name(tmp_path: Path, kind: str) -> None:
    source = INVOICE
    if kind == "json":
        party = {"Address": {"CityName": "Köln", "CountryID": "DE"}}
        source = json.dumps(
            {
                "IssueDate": "2026-11-05",
                "SellerTradeParty": {"Name": "Engines GmbH", **party},
                "BuyerTradeParty": {"Name": "Looms KG", **party},
                "Line": [
                    {"LineID": "1", "Product": {"Name": "Cog"}, "Quantity": 20, "LineTotal": 200.0},
                    {"LineID": "2", "Product": {"Name": "Axle"}, "Quantity": 2, "LineTotal": 80.0},
                ],
                "Totals": {"NetTotal": 280.0, "TaxBasisTotal": 280.0, "GrandTotal": 333.2, "DuePayable": 333.2},
            }
        )
    path = tmp_path / f"a.{kind}"
    path.write_text(source, encoding="utf-8")
    with Engine(ScriptedModel(gold=RECORD)) as engine:
        result = engine.extract(path, describe_schema(RECORD))
    assert result.value == RECORD and result.status == "complete"
    lines = {}
    for pointer, proof in result.proofs.items():
        start = proof.spans[0].start
        lines[pointer] = result.text[result.text.rfind("\n", 0, start) + 1 : result.text.find("\n", start)]
    for pointer, label in LABELS.items():
        assert label in lines[pointer], pointer
    for i, name in enumerate(("Cog", "Axle")):
        assert all(name in lines[f"/lines/{i}/{leaf}"] for leaf in ("line_id", "name", "quantity", "line_total"))


def test_a_boolean_is_proved_by_the_cell_of_its_row_under_its_own_name(tmp_path: Path) -> None:
    rows = [("fee", True, False), ("discount", False, True), ("freight", False, False)]
    record = {"items": [{"reason": r, "isCharge": c, "taxFree": t} for r, c, t in rows]}
    (tmp_path / "a.json").write_text(json.dumps(record), encoding="utf-8")
    leaf = {"reason": {"type": "string"}, "isCharge": {"type": "boolean"}, "taxFree": {"type": "boolean"}}
    schema = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"type": "object", "properties": leaf}}},
    }
    with Engine(ScriptedModel(gold=record)) as engine:
        result = engine.extract(tmp_path / "a.json", schema)
    assert result.value == record
    for i, (reason, charge, free) in enumerate(rows):
        for name, said, column in (("isCharge", charge, 1), ("taxFree", free, 2)):
            (quote,) = result.proofs[f"/items/{i}/{name}"].spans
            line = result.text[result.text.rfind("\n", 0, quote.start) + 1 : quote.start]
            assert line.startswith(reason) and line.count(" | ") == column and quote.quote == str(said).lower()


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))


@pytest.mark.parametrize(
    ("name", "source", "why"),
    [
        ("a.xml", f'<!DOCTYPE d [<!ENTITY l0 "lol">{LAUGHS}]><d>&l9;</d>', "stands for more than a few letters"),
        ("a.xml", f'<!DOCTYPE d [<!ENTITY l0 "lol">{LAUGHS}]><d a="&l9;"/>', "stands for more than a few letters"),
        ("a.xml", f'<!DOCTYPE d [<!ENTITY q "{"q" * 99}">]><d>{"&q;" * 20_000}</d>', "more than a million letters"),
        ("a.xml", '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>', "in another file"),
        ("a.xml", '<!DOCTYPE d [<!ENTITY % x SYSTEM "http://e.example/x">%x;]><d>&y;</d>', "not defined"),
        ("a.xml", "<d>&nbsp;</d>", "undefined entity"),
        ("a.xml", "<d><e>cut", "no whole XML"),
        ("a.json", '{"a": 1, "b": [1, 2', "no whole JSON"),
        ("a.json", '{"a": "never closed', "no whole JSON"),
        ("a.json", '{"a": "\\ud800"}', "half of a character"),
        ("a.json", "{'a': 1}", "no whole JSON"),
        ("a.json", '{"a": 01}', "no whole JSON"),
    ],
)
def test_what_is_broken_or_would_grow_is_read_as_its_source_and_named(
    tmp_path: Path, name: str, source: str, why: str
) -> None:
    document = load(tmp_path, name, source)
    assert document.text == source
    assert [(u.part, u.reason) for u in document.unread] == [("structure", "broken")]
    assert why in document.unread[0].message


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("a.json", "[" * 100_000 + "]" * 100_000, "too large"),
        ("a.json", '{"a":' * 20_000 + "1" + "}" * 20_000, "too large"),
        ("a.xml", "<a>" * 20_000 + "x" + "</a>" * 20_000, "too large"),
        ("a.json", "  ", "empty"),
        ("a.json", "{}", "empty"),
        ("a.json", '{"format": "extractor.result/1", "record": {"a": 1}}', "not read"),
    ],
    ids=["lists", "objects", "elements", "blank", "nothing", "own"],
)
def test_what_cannot_be_read_is_refused_with_a_reason(tmp_path: Path, name: str, source: str, reason: str) -> None:
    if reason == "empty" and source == "{}":
        assert load(tmp_path, name, source).text == "{}"
        return
    with pytest.raises(DocumentError) as error:
        load(tmp_path, name, source)
    assert error.value.reason == reason
    assert MAX_DEPTH < 20_000


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
@example({"p": None})
def test_every_value_of_any_json_is_in_the_text(value: Any) -> None:
    source = json.dumps(value, ensure_ascii=False)
    try:
        text = " ".join(write_named_values(parse_json(source), source, "a", "json").text.split())
    except DocumentError as error:
        assert error.reason == "empty"
        return

    def check(one: Any) -> None:
        if isinstance(one, dict):
            for name, inner in one.items():
                assert " ".join(name.split()) in text
                check(inner)
        elif isinstance(one, list):
            for inner in one:
                check(inner)
        else:
            assert " ".join((one if isinstance(one, str) else json.dumps(one)).split()) in text

    check(value)


@given(
    st.lists(
        st.sampled_from([*"<>/&;!?='\"ab \n-[]", "<a>", "</a>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;"]), max_size=25
    )
)
def test_any_xml_is_read_or_said_to_be_none(pieces: list[str]) -> None:
    source = "".join(pieces)
    try:
        document = write_named_values(parse_xml(source), source, "a", "expat")
    except (ValueError, DocumentError):
        return
    assert document.text


@settings(max_examples=25)
@given(st.binary(max_size=60), st.randoms(use_true_random=False), st.sampled_from(["xml", "json"]))
def test_any_bytes_are_a_document_or_an_error_in_one_sentence(data: bytes, chance: random.Random, kind: str) -> None:
    good = bytearray(INVOICE.encode() if kind == "xml" else json.dumps(RECORD).encode())
    at = chance.randrange(len(good))
    good[at : at + chance.randrange(9)] = data
    path = Path(f"/tmp/extractor-test-named.{kind}")
    path.write_bytes(bytes(good[: chance.randrange(len(good))]) if chance.random() < 0.3 else bytes(good))
    try:
        assert load_document(path).text
    except DocumentError as error:
        assert str(error).count("\n") == 0
