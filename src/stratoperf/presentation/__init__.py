"""How results look in each medium: HTML, Markdown, JUnit, plain text and figures.

This stands above all that measures and compares. `stratoperf.media` attaches it to the types that
show themselves.
"""
