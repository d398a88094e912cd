"""How the documentation is built: `make docs`, by Sphinx, from the Markdown pages here."""

from chaoskit import __version__

project = "chaoskit"
release = version = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Break a real Kubernetes cluster, and judge what it did.",
    "fixed_sidebar": True,
    "show_powered_by": False,
}
html_copy_source = False
myst_heading_anchors = 3
