"""Records of small pages, mails and Markdown: a right answer arrives, with its evidence on the words that say it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from extractor import Engine
from extractor.results.result import Result
from extractor.testing import ScriptedModel
from extractor.types import Request, Status

CASES = Path(__file__).parent / "data" / "documents"


class Figures(BaseModel):
    price: float | None = None
    revenue: float | None = None


class Person(BaseModel):
    name: str | None = None
    profile: str | None = None
    mail: str | None = None


class Order(BaseModel):
    order: str | None = None
    total: float | None = None
    customer: str | None = None


class Amount(BaseModel):
    amount: float | None = Field(None, description="Montant")


class Invoice(BaseModel):
    subtotal: float | None = Field(None, description="subtotal before tax")
    total: float | None = Field(None, description="grand total")
    children: int | None = Field(None, description="number of children")
    invoice_date: date | None = None
    due_date: date | None = None
    seller_city: str | None = None
    buyer_city: str | None = None


def extract(case: str, schema: type[BaseModel], answer: dict[str, Any]) -> Result[Any]:
    def say(request: Request) -> dict[str, Any]:
        return {name: answer.get(name) for name in request.schema["properties"]}

    with Engine(ScriptedModel(say)) as engine:
        return engine.extract(CASES / case, schema)


PERSON = {"name": "Mary Major", "profile": "https://profiles.example.org/in/mary-major", "mail": "mary@example.org"}
ORDER = {"order": "A-1001", "total": 45.0}
NORTHERN = {**ORDER, "customer": "Northern Instruments and Supplies Limited"}
RIGHT: list[tuple[str, type[BaseModel], dict[str, Any]]] = [
    ("html2/K3_sup.html", Figures, {"price": 40.0, "revenue": 1250.0}),
    ("link/L3.html", Person, PERSON),
    ("link/L4.md", Person, PERSON),
    ("nbsp/n.md", Amount, {"amount": 1234.56}),
    ("nbsp/n.eml", Amount, {"amount": 1234.56}),
    ("eml/E5b_noct.eml", Order, {"customer": "Jürgen Größe", "total": 45.0}),
    ("eml/E9_flowed.eml", Order, NORTHERN),
    ("eml/E10_quoted.eml", Order, NORTHERN),
    ("eml2/F1_mixed_alt_signature.eml", Order, ORDER),
    ("eml2/F2_apple_three.eml", Order, {"total": 45.0}),
    *((f"eml/{name}.eml", Order, ORDER) for name in ("E1_inline_logo", "E3_stub_plain", "E4_winmail", "E7_invite")),
    *((f"eml/{name}.eml", Order, ORDER) for name in ("E8_nested", "E11_vcf")),
]


@pytest.mark.parametrize(("case", "schema", "answer"), RIGHT, ids=[case for case, _, _ in RIGHT])
def test_a_right_answer_is_the_record_and_has_its_words(
    case: str, schema: type[BaseModel], answer: dict[str, Any]
) -> None:
    result = extract(case, schema, answer)
    assert {name: value for name, value in result.value.items() if value is not None} == answer
    assert {f"/{name}" for name in answer} == {path for path, proof in result.proofs.items() if proof.spans}
    assert result.status is Status.COMPLETE


def test_of_several_equal_values_each_has_its_own_mention() -> None:
    text = (CASES / "rep" / "a.txt").read_text(encoding="utf-8")
    said = {"subtotal": 45.0, "total": 45.0, "children": 2, "invoice_date": "2024-03-03", "due_date": "2024-03-03"}
    result = extract("rep/a.txt", Invoice, {**said, "seller_city": "Leeds", "buyer_city": "Leeds"})
    lines = {path: text[: proof.spans[0].start].rsplit("\n", 1)[-1] for path, proof in result.proofs.items()}
    assert lines == {
        "/subtotal": "Subtotal: ",
        "/total": "Grand total: ",
        "/children": "Number of children: ",
        "/invoice_date": "Invoice date: ",
        "/due_date": "Due date: ",
        "/seller_city": "Seller: Acme Ltd, ",
        "/buyer_city": "Buyer: Bolt Ltd, ",
    }
