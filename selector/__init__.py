"""bestshot: picks the best of N generated images for every task of a contest that is judged by VIEScore."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from selector._moved import serve_old_names

__version__ = "0.1.0"
__all__ = ["Calibrator", "Campaign", "Study", "__version__"]

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.learn.calibrator import Calibrator
    from selector.learn.study import Study

_PLACES = {
    "Calibrator": "selector.learn.calibrator",
    "Campaign": "selector.campaign",
    "Study": "selector.learn.study",
}

serve_old_names()
logging.getLogger("bestshot").addHandler(logging.NullHandler())  # silent, unless the program or its caller listens


def __getattr__(name: str) -> Any:
    # Lazy, because `bestshot --help` and `import scorers` must not pay for SQLAlchemy and pydantic.
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'selector' has no attribute {name!r}")
