"""Reads a backup, which may come from anywhere: names, sizes and hashes are checked before anything is written.

All is stored unpacked, so that no entry can be larger than the file: what claims otherwise is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from selector.domain import InputError, raise_shortage
from selector.domain.campaign_folder import CONFIG_NAME, DATABASE_NAME, IMAGES_NAME
from selector.domain.files import make_folder, replacing
from selector.domain.names import name_fault, same_file_key
from selector.domain.progress import Progress, silent

FORMAT = 1
CONTENTS = "backup.json"  # what is in it, with hashes; the last entry
_MOST_CONTENTS_BYTES = 256 * 1024 * 1024
_BLOCK_BYTES = 1 << 20
_MOST_TEXT = 1000  # characters of what is only shown
_IMAGE = re.compile(rf"{IMAGES_NAME}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})\.(jpg|png)")  # named by its content
_HASH, _ID = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{1,64}")
_DAMAGE = (zipfile.BadZipFile, struct.error, EOFError, ValueError, RuntimeError, LookupError, OverflowError)


class Archive:
    """An opened backup, whose names and sizes were checked.

    Attributes:
        campaign: its campaign's id.
        files: name of each file but images to its SHA-256.
        images: names of the images' files, by their content.
        images_from: where the images lay, "" of an older backup.
        digest: of the list of contents: equal for equal backups.

    Raises:
        InputError: no backup, a damaged one, or one that would write where it must not.
    """

    def __init__(self, path: Path) -> None:
        try:
            size = path.stat().st_size
            self._zip = zipfile.ZipFile(path)
        except (OSError, *_DAMAGE) as error:
            raise_shortage(error)
            why = getattr(error, "strerror", None) or _first_line(error)
            raise InputError(f"{path} cannot be read as a backup ({why}): give a file of `bestshot backup`") from error
        try:
            self._infos = _checked(self._zip.infolist(), size)
            contents = self._contents()
            self.campaign, self.files = str(contents["campaign"]), dict(contents["files"])
            self.at, self.images_from = (str(contents.get(key, ""))[:_MOST_TEXT] for key in ("at", "images_from"))
            self._check_contents(contents)
        except (OSError, *_DAMAGE) as error:
            self._zip.close()
            raise_shortage(error)
            raise InputError(f"{path} is a damaged backup ({_first_line(error)}): take another one") from error
        except BaseException:
            self._zip.close()
            raise

    def extract(self, name: str, target: Path) -> None:
        """Write an entry to ``target``; raises ``InputError`` where its content is not what it was."""
        make_folder(target.parent)
        with replacing(target, durable=False) as stream:
            self.check(name, stream)

    def check(self, name: str, into: IO[bytes] | None = None) -> None:
        """Read an entry and compare its hash, writing it ``into`` a stream on the way."""
        digest, image = hashlib.sha256(), _IMAGE.fullmatch(name)
        try:
            for block in self._blocks(name):
                digest.update(block)
                if into is not None:
                    into.write(block)
        except _DAMAGE as error:
            raise InputError(f"the backup is damaged ({name}: {_first_line(error)}): take another one") from error
        if digest.hexdigest() != (image[2] if image else self.files[name]):
            raise InputError(f"the backup is damaged ({name} has another content): take another one")

    def close(self) -> None:
        self._zip.close()

    def _blocks(self, name: str) -> Iterator[bytes]:
        with self._zip.open(self._infos[name]) as stream:
            while block := stream.read(_BLOCK_BYTES):
                yield block

    def _contents(self) -> Mapping[str, Any]:
        if CONTENTS not in self._infos or self._infos[CONTENTS].file_size > _MOST_CONTENTS_BYTES:
            raise InputError(f"this ZIP is no backup (it has no {CONTENTS}): give a file of `bestshot backup`")
        data = b"".join(self._blocks(CONTENTS))
        self.digest = hashlib.sha256(data).hexdigest()
        found = json.loads(data)
        if not isinstance(found, dict) or found.get("bestshot_backup") != FORMAT:
            raise InputError("this backup has a format that this bestshot does not know: upgrade bestshot")
        return found

    def _check_contents(self, contents: Mapping[str, Any]) -> None:
        self.images = [name for name in self._infos if _IMAGE.fullmatch(name)]
        there = self._infos.keys() - {CONTENTS, *self.images}
        if there != self.files.keys() or len(self.images) != contents["images"]:
            raise ValueError("its list of contents does not fit")
        if not {CONFIG_NAME, DATABASE_NAME} <= there or not _ID.fullmatch(self.campaign):
            raise ValueError("it holds no campaign")
        if not all(_HASH.fullmatch(str(digest)) for digest in self.files.values()):
            raise ValueError("its list of contents has no hashes")


def read_back(path: Path, progress: Progress = silent) -> None:
    """Read all of a backup and compare every hash; raises ``InputError`` where one differs."""
    with closing(Archive(path)) as archive:
        names = [*archive.files, *archive.images]
        for done, name in enumerate(names):
            progress("read back", done, len(names))
            archive.check(name)
        progress("read back", len(names), len(names))


def _checked(infos: list[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    keys = set()
    for info in infos:
        name = info.filename
        fault = name_fault(name, folders=True, written=True)
        if fault or info.orig_filename != name:
            raise InputError(
                f"the backup holds the name {name[:60]!r}, which {fault or 'is ambiguous'}: nothing was written"
            )
        if info.create_system == 3 and stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise InputError(
                f"the backup holds {name[:60]!r}, which is no file but a link or the like: nothing was written"
            )
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1 or info.file_size != info.compress_size:
            raise InputError(f"the backup holds {name[:60]!r} packed or encrypted: `bestshot backup` writes none such")
        if same_file_key(name) in keys:
            raise InputError(f"the backup holds {name[:60]!r} twice: nothing was written")
        keys.add(same_file_key(name))
        found[name] = info
    if sum(info.file_size for info in infos) > size:
        raise InputError("the backup claims to hold more than its own size: nothing was written")
    return found


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
