"""Figures as SVG, drawn without a plotting library: the same ones in a report and in a notebook."""
