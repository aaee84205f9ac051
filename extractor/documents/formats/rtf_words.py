"""Control words of RTF by what they are: signs, tables, and groups that are left out, entered, or parts of a page."""

from __future__ import annotations

PARTS = ("header", "footer", "footnotes", "comments", "text box")
SIGNS = {
    "tab": "\t",
    "line": "\n",
    "emdash": "—",
    "endash": "–",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "~": "\xa0",
    "_": "-",
    "{": "{",
    "}": "}",
    "\\": "\\",
    "\n": "\n",
    "\r": "\n",
    "\t": "\t",
    "softline": "\n",
}
TABLES = frozenset({"fonttbl", "colortbl", "stylesheet"})
OWN_GROUPS = TABLES | {"fldinst", "sp", "pict"}
"""Groups with something else than text in them: tables, the code of a field, a property of a shape, a picture."""
SKIPPED_GROUPS = frozenset(
    (  # noqa: SIM905 (read more easily than a list of strings)
        "info objdata themedata colorschememapping datastore listtable listoverridetable rsidtbl xmlnstbl "
        "generator filetbl latentstyles revtbl nonshppict shprslt nonesttables xe tc tcn rxe objalias objsect "
        "bkmkstart bkmkend atnid atnauthor atntime atndate atnref atnparent ftnsep ftnsepc ftncn aftnsep aftnsepc "
        "aftncn pgptbl wgrffmtfilter mmathPr upr"
    ).split()
)
ENTERED_GROUPS = frozenset(
    {
        "shpinst",
        "shppict",
        "shptxt",
        "do",
        "dptxbxtext",
        "ud",
        "nesttableprops",
        "fldrslt",
        "result",
        "annotation",
        "listtext",
        "pntext",
    }
)
"""Groups with text of the page in them, though a mark before some of them lets older readers leave them out."""
PART_GROUPS = {
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "header"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "footer"),
    "footnote": "footnotes",
    "annotation": "comments",
    "shptxt": "text box",
    "dptxbxtext": "text box",
}
