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
SKIPPED_GROUPS = frozenset(
    (  # noqa: SIM905 (read more easily than a list of strings)
        "info pict object objdata themedata colorschememapping datastore listtable listoverridetable rsidtbl xmlnstbl "
        "generator filetbl latentstyles revtbl nonshppict nonesttables xe tc tcn rxe objalias objsect bkmkstart "
        "bkmkend atnid atnauthor atntime atndate atnref atnparent ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn "
        "pgptbl sp wgrffmtfilter mmathPr upr"
    ).split()
)
ENTERED_GROUPS = frozenset(
    {
        "shpinst",
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
