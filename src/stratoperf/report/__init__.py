"""How results are shown to people: units, text, HTML and figures."""
