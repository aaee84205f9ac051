"""Texts of any length, honest ones and such as are made to cost more than their length: what CPU is measured on."""

from __future__ import annotations

import random
from collections.abc import Callable

Text = Callable[[int], str]
"""A text of about so many characters."""

_NAMES = (
    *("bolt", "nut", "washer", "spring", "hinge", "lever"),
    *("gasket", "bearing", "pulley", "flange", "spindle", "bracket"),
)


def _repeat(unit: str, before: str = "", after: str = "") -> Text:
    def build(size: int) -> str:
        return before + (unit * (size // len(unit) + 1))[: max(0, size - len(before) - len(after))] + after

    return build


def _lines(line: Callable[[random.Random, int], str], head: str = "") -> Text:
    def build(size: int) -> str:
        rng, lines, length = random.Random(7), [head], len(head)
        while length < size:
            lines.append(line(rng, len(lines)))
            length += len(lines[-1]) + 1
        return "\n".join(lines)[:size]

    return build


def _prose(rng: random.Random, number: int) -> str:
    if number % 12 == 0:
        return f"\n## Section {number // 12}\n"
    name, other = rng.choice(_NAMES), rng.choice(_NAMES)
    sum_ = f"EUR {rng.randint(1, 9999):,}.{rng.randint(0, 99):02}"
    return (
        f"The {name} no. {number} was delivered on {rng.randint(1, 28)} March {rng.randint(2001, 2025)} for {sum_}, "
        f"and the {other} is not insured (see page {number % 90})."
    )


def _row(rng: random.Random, number: int) -> str:
    day = f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    item = f"{rng.choice(_NAMES)} {rng.randint(1, 400)}"
    return f"{number},{day},{item},{rng.randint(1, 9)},{rng.randint(1, 99999) / 100:.2f}"


def _statement(rng: random.Random, number: int) -> str:
    sum_ = f"{rng.randint(1, 9999):,}".replace(",", ".") + f",{rng.randint(0, 99):02}"
    return f"{rng.randint(1, 28):02}.{rng.randint(1, 12):02}.2024  Überweisung {rng.choice(_NAMES).title()}  {sum_} EUR"


def _cells(rng: random.Random, number: int) -> str:
    return f"| {rng.choice(_NAMES)} {number} | {rng.randint(1, 900)} | {rng.choice(['yes', 'no', '', '-'])} |"


def _chinese(rng: random.Random, number: int) -> str:
    day = f"2024年{rng.randint(1, 12)}月{rng.randint(1, 28)}日"
    return f"第{number}条 合同金额为人民币{rng.randint(1, 99)}万元，交货日期{day}，数量{number}个。"


def _mixed(size: int) -> str:
    """Pieces of all the hostile kinds in no order, the same for the same size."""
    rng, pieces, length = random.Random(3), [], 0
    while length < size:
        pieces.append(rng.choice(_PIECES) * rng.randint(1, 9))
        length += len(pieces[-1])
    return "".join(pieces)[:size]


_PIECES = [
    *"1 a\n\t,.;:-/'\"()[]{}<>@|*_#$%×é",
    "\u0301",
    "\u200b",
    "12.5",
    "May ",
    " at ",
    "www.",
    "EUR",
    "no ",
    "# ",
    "中",
]

HONEST: dict[str, Text] = {
    "prose": _lines(_prose),
    "csv": _lines(_row, "number,day,item,count,price"),
    "statement": _lines(_statement, "Kontoauszug"),
    "markdown table": _lines(_cells, "| item | count | insured |\n| --- | --- | --- |"),
    "chinese": _lines(_chinese),
}

HOSTILE: dict[str, Text] = {
    "spaces behind May 1": _repeat(" ", "May 1"),
    "spaces behind a year": _repeat(" ", "May 2020 of"),
    "spaces": _repeat(" "),
    "spaces and a letter": _repeat(" ", after="x"),
    "line ends": _repeat("\n"),
    "lines of spaces": _repeat("   \t \n"),
    "tabs": _repeat("\t"),
    "no-break spaces": _repeat("\u00a0"),
    "decimal commas": _repeat("1,"),
    "decimal points": _repeat("1."),
    "ones": _repeat("1 "),
    "ones on lines": _repeat("1\n"),
    "groups": _repeat("111 "),
    "groups with points": _repeat("111."),
    "groups with commas": _repeat("111,"),
    "digits": _repeat("7"),
    "zeros": _repeat("0"),
    "digits of Arabic": _repeat("٣"),
    "digits and letters": _repeat("1a"),
    "ranges": _repeat("1-"),
    "fractions": _repeat("1/"),
    "clocks": _repeat("1:"),
    "dates": _repeat("1.1.2024 "),
    "dates without a gap": _repeat("1.1.2024"),
    "date of figures": _repeat("01/02/03/"),
    "months": _repeat("May "),
    "days of months": _repeat("1 May "),
    "ranges of months": _repeat("3 May - "),
    "years": _repeat("2024 "),
    "now": _repeat("to present "),
    "tags of years": _repeat("A'21 "),
    "numerals": _repeat("one hundred "),
    "numerals joined": _repeat("dreiundzwanzig"),
    "scales": _repeat("1 million "),
    "kanji": _repeat("万"),
    "kanji and digits": _repeat("1万"),
    "vulgar fractions": _repeat("½"),
    "exponents": _repeat("1e1"),
    "minus signs": _repeat("-"),
    "signs and digits": _repeat("-1"),
    "telephone": _repeat("+49 30 "),
    "telephone digits": _repeat("0 30-"),
    "letters": _repeat("a"),
    "capitals": _repeat("A"),
    "letters apart": _repeat("a "),
    "two letters apart": _repeat("a b "),
    "letters with points": _repeat("a."),
    "letters with dashes": _repeat("a-"),
    "accents": _repeat("é"),
    "combining marks": _repeat("\u0301"),
    "combining marks on letters": _repeat("e\u0301"),
    "marks without end": _repeat("\u0301", "a"),
    "zero width": _repeat("\u200b"),
    "soft hyphens": _repeat("a\u00ad"),
    "right to left": _repeat("\u202ea"),
    "halves of characters": _repeat("\ud800"),
    "emoji": _repeat("👩\u200d🚀"),
    "CJK": _repeat("中"),
    "Thai": _repeat("ก"),
    "at signs": _repeat("@"),
    "addresses": _repeat("a@b.co "),
    "address without end": _repeat("a.", "a@"),
    "address look-alikes": _repeat("a@"),
    "addresses spelled": _repeat("a at b dot "),
    "hosts": _repeat("a.co "),
    "URLs": _repeat("www.a.co "),
    "URL without end": _repeat("a", "http://"),
    "URL of brackets": _repeat(")", "http://a.co/"),
    "URL begins": _repeat("http://"),
    "www": _repeat("www."),
    "links": _repeat("[a]("),
    "open links": _repeat("![]("),
    "brackets": _repeat("["),
    "brackets closed": _repeat("[]"),
    "round brackets": _repeat("("),
    "braces": _repeat("{"),
    "nested lists": _repeat("[[],"),
    "boxes": _repeat("[x] "),
    "ticks": _repeat("☐ yes "),
    "quotes": _repeat('"'),
    "single quotes": _repeat("'"),
    "quoted cells": _repeat('"a","",'),
    "empty cells": _repeat(","),
    "empty columns": _repeat("|"),
    "cells of spaces": _repeat("| "),
    "semicolons": _repeat(";"),
    "colons": _repeat("a: "),
    "labels without answer": _repeat("a:\t\t"),
    "labels and answers": _repeat("insured: yes "),
    "dots": _repeat("."),
    "leaders": _repeat("insured ...."),
    "ellipses": _repeat("…"),
    "question marks": _repeat("no?"),
    "denials": _repeat("not "),
    "denials in one clause": _repeat("ne pas "),
    "headings": _repeat("# A\n"),
    "headings of one mark": _repeat("#"),
    "headings of all levels": _repeat("# a\n## b\n### c\n"),
    "capital lines": _repeat("ABC\n"),
    "bold lines": _repeat("**abc**\n"),
    "stars": _repeat("*"),
    "underlines": _repeat("_"),
    "underlines and letters": _repeat("_a"),
    "backticks": _repeat("`"),
    "backslashes": _repeat("\\"),
    "times": _repeat("\\times"),
    "formulas": _repeat("$a"),
    "dollars": _repeat("$"),
    "percent": _repeat("1%"),
    "currencies": _repeat("EUR "),
    "amounts": _repeat("1 EUR "),
    "signs of currencies": _repeat("US$1"),
    "tags": _repeat("<b>"),
    "open tags": _repeat("<b "),
    "angles": _repeat("<"),
    "closing tags": _repeat("</sup"),
    "superscripts": _repeat(" <sup> "),
    "comments": _repeat("<!--"),
    "comments closed": _repeat("<!-- -->"),
    "comment of code": _repeat("`<!--"),
    "document tags": _repeat("</document>"),
    "open document tags": _repeat("<document-"),
    "entities": _repeat("&amp;"),
    "names": _repeat("Ada King, "),
    "titles": _repeat("Dr. "),
    "et al": _repeat(" et al"),
    "initials": _repeat("A. B. "),
    "abbreviations": _repeat("Ab (A) "),
    "countries": _repeat("United States of "),
    "U S A": _repeat("U. S. A. "),
    "codes": _repeat("DE-"),
    "IBANs": _repeat("DE89 3704 0044 0532 0130 00 "),
    "IBAN look-alikes": _repeat("DE89"),
    "in thousands": _repeat("in thousands "),
    "returns": _repeat("\r\n"),
    "NUL": _repeat("\0"),
    "mixed": _mixed,
}

TEXTS: dict[str, Text] = {**HONEST, **HOSTILE}
