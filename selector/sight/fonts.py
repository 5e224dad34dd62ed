"""Fonts to draw text with: a configured folder first, then those inside installed packages, then the system's.

Packages: matplotlib (DejaVu, STIX, Computer Modern) and ``pylopdf-fonts-zh-cn`` (Noto Sans SC, Noto Serif SC), found by
their spec without importing them; system fonts by ``fc-list`` of fontconfig where it is installed. The order depends
only on the fonts that are there. A font is used for a text only when its character map holds every character, so that
no empty box is ever drawn. Licences: DejaVu (Bitstream Vera), STIX and Noto (OFL), Computer Modern (BaKoMa).
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from selector.domain import InputError, MissingPart, raise_shortage

_PACKAGES = (("pylopdf_fonts_zh_cn", ""), ("matplotlib", "mpl-data/fonts/ttf"))
_SUFFIXES = {".ttf", ".otf", ".ttc"}
# Their maps put mathematical pieces or placeholder boxes on ordinary characters.
_NOT_FOR_TEXT = (
    "lastresort",
    "stixsiz",
    "stixnonuni",
    "cmex10",
    "cmsy10",
    "cmmi10",
    "display",
    "emoji",
    "symbol",
    "icon",
)
_FC_LIST_SECONDS = 20.0
_MOST_SYSTEM_FONTS = 400
_CURE = (
    "put a .ttf or .otf file that has them into the configured fonts folder, or install one "
    "(for Chinese: pip install pylopdf-fonts-zh-cn)"
)


@dataclass(frozen=True)
class Font:
    """A font file. ``name`` is "Family Style" as the file states it, ``index`` the face inside a collection."""

    name: str
    path: str
    index: int = 0


@lru_cache(maxsize=8)
def all_fonts(folder: str | None = None, exclude: tuple[str, ...] = ()) -> tuple[Font, ...]:
    """Every font for text, each name once: those of ``folder``, of packages, of the system.

    ``exclude`` holds parts of names or file names, of any case, of fonts that are to be left out.

    Raises:
        InputError: when ``folder`` is given and is no folder.
    """
    if folder is not None and not Path(folder).is_dir():
        raise InputError(
            f"fonts folder: expected a folder of .ttf or .otf files, '{folder}' is none; create it or unset it"
        )
    unwanted = tuple(part.casefold() for part in (*_NOT_FOR_TEXT, *exclude))
    fonts: dict[str, Font] = {}
    for path in (*_in_folder(folder), *_in_packages(), *_of_system()):
        font = _open(path)
        if font is None or any(part in f"{font.name} {path.name}".casefold() for part in unwanted):
            continue
        fonts.setdefault(font.name, font)
    return tuple(fonts.values())


def fonts_for(text: str, folder: str | None = None, exclude: tuple[str, ...] = ()) -> tuple[Font, ...]:
    """Fonts that have every character of ``text``, in the order of ``all_fonts``.

    Raises:
        MissingPart: when there is none; the message names the characters and the cure.
    """
    fonts = all_fonts(folder, exclude)
    able = tuple(font for font in fonts if covers(font, text))
    if able:
        return able
    shown = "".join(dict.fromkeys(text))[:12]
    raise MissingPart(f"no font here has all characters of '{shown}' ({len(fonts)} fonts looked at): {_CURE}")


def fonts_tag(folder: str | None = None, exclude: tuple[str, ...] = ()) -> str:
    """Eight hex digits that change with the fonts that are here, by name and order: what is drawn depends on them.

    Raises:
        InputError: when ``folder`` is given and is no folder.
    """
    names = "\n".join(font.name for font in all_fonts(folder, exclude))
    return hashlib.sha256(names.encode()).hexdigest()[:8]


def covers(font: Font, text: str) -> bool:
    """Whether the font has a glyph for every character; line breaks do not count."""
    return {ord(char) for char in text if char not in "\r\n"} <= _characters(font)


@lru_cache(maxsize=512)
def _characters(font: Font) -> frozenset[int]:
    """Code points of the font's best Unicode map; fontTools comes with matplotlib."""
    from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]

    try:
        with TTFont(font.path, lazy=True, fontNumber=font.index) as opened:
            return frozenset(opened.getBestCmap() or ())
    except (TTLibError, OSError, KeyError, AssertionError) as error:
        raise_shortage(error)
        return frozenset()


def _open(path: Path) -> Font | None:
    from PIL import ImageFont

    try:
        family, style = ImageFont.truetype(str(path), 16, layout_engine=ImageFont.Layout.BASIC).getname()
    except (OSError, ValueError) as error:
        raise_shortage(error)
        return None
    return Font(f"{family or path.stem} {style or 'Regular'}", str(path))


def _in_folder(folder: str | Path | None) -> list[Path]:
    if folder is None:
        return []
    return sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in _SUFFIXES)


def _in_packages() -> Iterable[Path]:
    for package, inside in _PACKAGES:
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            yield from _in_folder(Path(root) / inside)


def _of_system() -> list[Path]:
    """Files that fontconfig lists; none where it is not installed (its own fonts folders are then not searched)."""
    program = shutil.which("fc-list")
    if program is None:
        return []
    try:
        listed = subprocess.run(
            [program, "--format", "%{file}\n"], capture_output=True, text=True, timeout=_FC_LIST_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise_shortage(error)
        return []
    paths = sorted({Path(line.strip()) for line in listed.splitlines() if line.strip()})
    return [path for path in paths if path.suffix.lower() in _SUFFIXES][:_MOST_SYSTEM_FONTS]
