"""The texts that lie in a picture's file beside its pixels: PNG chunks, EXIF, XMP, comments of JPEG and GIF."""

from __future__ import annotations

import html
import re
from typing import Any

from selector.domain.picture import open_image

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_EXIF_IFD, _USER_COMMENT, _SOFTWARE = 0x8769, 0x9286, 0x0131
_DESCRIPTIONS = (0x010E, 0x010F, 0x0110)  # ImageDescription, Make, Model: ComfyUI's nodes write their graphs there
_GRAPH = re.compile(r"\s*(prompt|workflow)\s*:\s*(?=\{)", re.IGNORECASE)
_XMP = re.compile(
    r"<(exif:UserComment|dc:description)>\s*<rdf:Alt>\s*<rdf:li[^<>]*>([^<]*)</rdf:li>|(exif:UserComment)=\"([^\"]*)\""
)


def texts_of(data: bytes) -> dict[str, str]:
    """Texts by their key in lower case; those without one as `usercomment`, `description`, `comment` and `software`.

    What a ComfyUI node wrote into EXIF stands under `prompt` and `workflow`, as in its PNG files. Raises whatever PIL
    raises for a damaged file, and ``InputError``.
    """
    with open_image(data, "picture") as image:
        if image.format == "PNG":
            image.load()  # chunks may follow the pixels
        found = {**image.info, **getattr(image, "text", {})}
        exif = image.getexif()
        below = exif.get_ifd(_EXIF_IFD)
    texts = {str(key).lower(): value for key, value in found.items() if isinstance(value, str)}
    comment = found.get("comment")
    if isinstance(comment, bytes):
        texts["comment"] = comment.decode("utf-8", "replace")
    xmp = found.get("xmp") or texts.pop("xml:com.adobe.xmp", "")
    for key, text in (*_of_exif({**exif, **below}), *_of_xmp(xmp)):
        if text:
            texts.setdefault(key, text)
    return texts


def without_texts(data: bytes) -> bytes:
    """A PNG without its text chunks, pixels untouched; other bytes as they are. Oversized texts stop decoders."""
    if not data.startswith(_PNG_SIGNATURE):
        return data
    kept, at = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in _TEXT_CHUNKS:
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _of_exif(tags: dict[int, Any]) -> list[tuple[str, str]]:
    """Fooocus writes the user comment beside the camera's tags, not among EXIF's own; both are looked at."""
    comment = tags.get(_USER_COMMENT)
    texts = [("usercomment", _user_comment(comment) if isinstance(comment, bytes | str) else "")]
    texts.append(("software", _plain(tags.get(_SOFTWARE))))
    for text in (_plain(tags.get(tag)) for tag in _DESCRIPTIONS):
        graph = _GRAPH.match(text)
        texts.append((graph[1].lower(), text[graph.end() :]) if graph else ("description", text))
    return texts


def _of_xmp(xmp: bytes | str) -> list[tuple[str, str]]:
    text = xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else xmp
    keys = {"exif:UserComment": "usercomment", "dc:description": "description"}
    return [(keys[one[1] or one[3]], html.unescape(one[2] or one[4] or "")) for one in _XMP.finditer(text)]


def _plain(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""


def _user_comment(comment: bytes | str) -> str:
    """Decode EXIF UserComment: eight bytes of encoding, then the text; UTF-16 of either byte order in practice."""
    if isinstance(comment, str):
        return comment.removeprefix("UNICODE\0").removeprefix("ASCII\0\0\0")
    code, body = comment[:8], comment[8:]
    if not code.startswith(b"UNICODE"):
        return (body if code.rstrip(b"\0") in (b"ASCII", b"") else comment).decode("utf-8", "replace").strip("\0")
    # Mostly Latin text tells the byte order: its high bytes are zero.
    little = body[1::2].count(0) > body[0::2].count(0)
    return body.decode("utf-16-le" if little else "utf-16-be", "replace").strip("\0\ufeff")
