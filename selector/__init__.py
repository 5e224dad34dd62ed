"""bestshot: picks the best of N generated images for every task of a contest that is judged by VIEScore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Campaign", "__version__"]

if TYPE_CHECKING:
    from selector.campaign import Campaign


def __getattr__(name: str) -> Any:
    # Lazy, because `bestshot --help` and `import scorers` must not pay for SQLAlchemy and pydantic.
    if name == "Campaign":
        from selector.campaign import Campaign

        return Campaign
    raise AttributeError(f"module 'selector' has no attribute {name!r}")
