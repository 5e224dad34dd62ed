"""What happened, kept for good: an append-only database and content-addressed pictures."""

from selector.store._images import ImageFolder
from selector.store.database import Database

__all__ = ["Database", "ImageFolder"]
