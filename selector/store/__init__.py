"""What happened, kept for good: an append-only database and content-addressed pictures."""

from selector.store._images import ImageFolder, Images, LostImage, UnreachableImages, is_image_id
from selector.store._opening_images import check_place, open_images
from selector.store.database import Database

__all__ = [
    "Database",
    "ImageFolder",
    "Images",
    "LostImage",
    "UnreachableImages",
    "check_place",
    "is_image_id",
    "open_images",
]
