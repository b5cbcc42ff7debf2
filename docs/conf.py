"""How Sphinx builds the documentation; ``.ci/docs`` builds it with warnings as errors."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "stratoperf"
author = "the stratoperf developers"
project_copyright = "the stratoperf developers; Apache-2.0"
version = release = importlib.metadata.version("stratoperf")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    # Those of the folder beside this file.
    "benchmark_catalogue",
    "executed_blocks",
    "public_api",
    "run_file",
]
# Every reference in a page must lead somewhere. Docstrings name what is private, too.
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    # Types in signatures, of other packages or without a page of their own.
    ("py:(class|data|exc)", r"(?!stratoperf\.).*"),
    ("py:class", r"stratoperf\..*\._?[A-Z]\w*"),
]

html_theme = "furo"
html_title = "stratoperf"
html_static_path = ["static"]
html_css_files = ["stratoperf.css"]
html_copy_source = False

# Single backticks are names, in the docstrings as in NumPy's.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Every page runs from its top in a folder of its own: never from a cache, which would not notice
# that stratoperf itself changed.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120
# Results go to stdout; progress and notices go to stderr.
nb_output_stderr = "remove"
nb_merge_streams = True

_private = tempfile.TemporaryDirectory(prefix="stratoperf-docs-")
os.environ |= {
    # The pages call the commands of the environment that builds them.
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "COLUMNS": "100",
    "NO_COLOR": "1",
    # Nothing of the user's counts, and nothing is left in the user's home.
    "IPYTHONDIR": _private.name,
    "JUPYTER_CONFIG_DIR": _private.name,
    "JUPYTER_DATA_DIR": _private.name,
    "JUPYTER_RUNTIME_DIR": _private.name,
}
