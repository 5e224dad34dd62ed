"""What happened, kept for good: an append-only database and content-addressed pictures."""

from selector.store.database import Database
from selector.store.images import ImageFolder

__all__ = ["Database", "ImageFolder"]
