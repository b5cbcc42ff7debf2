"""How Sphinx builds the documentation; ``.ci/docs`` builds it with warnings as errors."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

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
    "records",
    "run_file",
]
# Every reference must lead somewhere, with these exceptions:
nitpicky = True
nitpick_ignore_regex = [
    # In docstrings single backticks also name arguments and what is private.
    ("py:obj", ".*"),
    # Types of Python, NumPy and click: the build has no network to fetch their inventories.
    ("py:(class|data|exc)", r"(?!stratoperf\.).*"),
    # In signatures: aliases, and types that users only get from others, without a page.
    ("py:class", r"stratoperf\..*\._?[A-Z]\w*"),
]

html_theme = "furo"
html_title = "stratoperf"
html_static_path = ["static"]
html_css_files = ["stratoperf.css"]
html_copy_source = False

# Single backticks are names, in the docstrings as in NumPy's.
default_role = "py:obj"
# Smart quotes would turn the hyphens of options into dashes.
smartquotes = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# Every page runs from its top in a folder of its own: never from a cache, which would not notice
# that stratoperf itself changed.
nb_execution_mode = "force"
nb_execution_in_temp = True
# A page that fails is a warning, with what its cell said.
nb_execution_show_tb = True
nb_execution_timeout = 240
# Results go to stdout; progress and notices go to stderr.
nb_output_stderr = "remove"
nb_merge_streams = True

_private = tempfile.TemporaryDirectory(prefix="stratoperf-docs-")
_startup = Path(_private.name) / "profile_default" / "startup"
_startup.mkdir(parents=True)
shutil.copy(HERE / "shell_cells.py", _startup)
os.environ |= {
    # The pages call the commands of the environment that builds them.
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    # Where they find what is generated.
    "STRATOPERF_DOCS": str(HERE),
    "COLUMNS": "88",
    "NO_COLOR": "1",
    # Nothing of the user's counts, and nothing is left in the user's home.
    "IPYTHONDIR": _private.name,
    "JUPYTER_CONFIG_DIR": _private.name,
    "JUPYTER_DATA_DIR": _private.name,
    "JUPYTER_RUNTIME_DIR": _private.name,
}
# What the gate writes for GitHub belongs to a job that builds the pages, not to an example in them.
for _name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(_name, None)
