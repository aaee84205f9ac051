"""How the elements of a web page look by its style sheets, as far as it decides whether their text is seen.

A small cascade (CSS Cascade 5) over an element tree, top down and linear: `sheets` reads rules, `matching` finds those
of an element, `cascade` decides between them, `looks` computes what they make of the element. Sheets that are linked to
are not fetched.
"""
