"""What happened, kept for good: an append-only database and content-addressed pictures."""

from selector.store._images import ImageFolder, Images
from selector.store._opening_images import check_place, open_images
from selector.store.database import Database

__all__ = ["Database", "ImageFolder", "Images", "check_place", "open_images"]
