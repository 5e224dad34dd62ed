"""Where a campaign's images lie: a folder of its own, one that is shared, or an address."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from selector.domain import InputError, MissingPart
from selector.store._images import ImageFolder, Images

_EXTRAS = {"s3": "s3fs", "s3a": "s3fs"}  # protocol to the package that speaks it, of the extra `s3`
_PACKAGES = {"gs": "gcsfs", "gcs": "gcsfs"} | dict.fromkeys(("az", "abfs", "abfss", "adl"), "adlfs") | {"oss": "ossfs"}
_FILES = ("file", "local")
_ONE_SLASH = re.compile(r"[a-z][a-z0-9+.]+:/(?!/)")  # two letters and more: C:/ is a drive
CACHE = "cache/images"
_SPEAKER = "fsspec"


def open_images(place: str, folder: Path, suffix: str, cache_mb: int, owner: str = "") -> Images:
    """The images of ``[store] images``; nothing is asked yet.

    Args:
        place: a folder, relative to ``folder.parent``, or an ``fsspec`` address; "" for ``folder`` itself.
        folder: the campaign's own. Where the place is another one, it may still hold what was made before; what is
            kept of an address lies in ``cache/images`` beside it, and may go.
        suffix: of the files.
        cache_mb: most megabytes of the cache.
        owner: see ``Images``.

    Raises:
        InputError: no address that can be used, one with a password or key in it, or no such folder.
        MissingPart: its package.
    """
    if not place:
        return ImageFolder(folder, suffix)
    check_place(place)
    protocol, _, rest = place.partition("://")
    if not rest:
        return ImageFolder(folder.parent / place, suffix, owner, folder)
    if protocol in _FILES:
        return ImageFolder(_folder_of(place), suffix, owner, folder)
    from selector.store._object_images import ObjectImages

    return ObjectImages(place, folder.parent / CACHE, suffix, cache_mb, owner, folder)


def check_place(place: str) -> None:
    """Raise as ``open_images`` does, without repeating what may hold a key."""
    protocol, is_address, _ = place.partition("://")
    if not is_address:
        if _ONE_SLASH.match(place):
            raise InputError("`images` in [store] has one slash too few: an address is s3://bucket/prefix")
        check_folder(Path(place))
        return
    try:
        url = urlsplit(place)
    except ValueError as error:
        raise InputError("`images` in [store] is no address, such as s3://bucket/prefix") from error
    if "::" in place or "@" in url.netloc or url.query or url.fragment:
        raise InputError(
            "`images` in [store] must be an address alone, such as s3://bucket/prefix: keys come from the environment"
        )
    if not (url.netloc or url.path.strip("/")):
        raise InputError("`images` in [store] names no bucket: give it as s3://bucket/prefix")
    package = _EXTRAS.get(protocol)
    if package is not None and find_spec(package) is None:
        raise MissingPart(f"images at {protocol}:// need {package}: pip install 'bestshot[s3]'")
    if package is None and protocol not in _FILES and not _is_known(protocol):
        raise InputError(f"`images` in [store]: {protocol}:// is no address that fsspec knows; s3://bucket/prefix is")
    if protocol in _FILES:
        check_folder(_folder_of(place))
    elif package is None:
        _check_package(protocol)


def check_folder(folder: Path) -> None:
    """Raise where a folder with a whole path is not there: a share that is not mounted would be made empty."""
    if folder.is_absolute() and not folder.is_dir():
        raise InputError(f"`images` in [store]: there is no folder {folder}: make it, mount it, or mend the path")


def _folder_of(address: str) -> Path:
    return Path(unquote(urlsplit(address).path))


def _check_package(protocol: str) -> None:
    from fsspec import get_filesystem_class

    try:
        get_filesystem_class(protocol)
    except ImportError as error:
        package = _PACKAGES.get(protocol)
        if package:
            raise MissingPart(f"images at {protocol}:// need {package}: pip install {package}") from error
        what = " ".join(str(error).split())[:160]
        raise MissingPart(f"images at {protocol}:// need a package that is not here: {what}") from error


def _is_known(protocol: str) -> bool:
    try:
        from fsspec import available_protocols
    except ImportError as error:
        raise MissingPart(f"images at {protocol}:// need {_SPEAKER}: pip install 'bestshot[s3]'") from error
    return protocol in available_protocols()
