"""A Jupyter server extension: the buttons Autograde, Generate Feedback and Validate run this engine, and nobody waits for it.

Jupyter loads extensions in the order of their names, and the first handler of an address answers: these, and not nbgrader's.
Should they not be loaded, nbgrader's own handlers come to the same grades by way of nbgrader_config.py, but hold up the whole
server meanwhile.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.utils import url_path_join

from autograder.native import buttons, validate_button


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    handlers = [*buttons.HANDLERS, *validate_button.HANDLERS]
    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(".*$", [(url_path_join(base, path), handler) for path, handler in handlers])
