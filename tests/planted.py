"""Documents made by seed, in which so many records are planted that one knows what is to be found."""

import random


def planted(seed: int, records: int = 200, characters: int = 100_000) -> tuple[str, list[dict[str, str]]]:
    """A text of so many characters that holds so many records, each of three lines, anywhere between its paragraphs."""
    draw = random.Random(seed)
    words = ["tide", "ledger", "of", "the", "harbour", "was", "kept", "by", "hand", "and", "seldom", "read", "since"]
    wanted = [
        {"name": f"Lot {draw.randrange(10**6)} of bay {i}", "price": f"{draw.randrange(9999)}.{i:03}"}
        for i in range(records)
    ]
    blocks = [f"{w['name']}\nlies where it lay.\n  costs {w['price']}\n" for w in wanted]
    room = (characters - sum(map(len, blocks))) // records
    pieces = []
    for block in blocks:
        filler = " ".join(draw.choices(words, k=draw.randrange(room // 6, room // 3)))
        pieces += [filler + ".\n", block] if draw.random() < 0.8 else [block]
    return "Ada King\n\n" + "\n".join(pieces), wanted
