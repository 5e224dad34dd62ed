"""What image tools write into their files: seed, prompt, model, sampler, steps.

Read are the text of A1111 and its many followers (Forge, SD.Next, Fooocus, ArtBot, stable-diffusion.cpp), the graph of
ComfyUI, and what InvokeAI, SwarmUI, Fooocus, NovelAI, Draw Things, Easy Diffusion and Midjourney write, in chunks of
PNG, EXIF, XMP or a comment. A file often has a comment that tells of no generation (a screenshot, a camera): nothing is
a record but what names its values as such a tool does. NovelAI's hidden copy in the alpha channel is not looked for.

Metadata are input of strangers: they are bounded, and whatever is damaged becomes a remark, never an error.
(sd-parsers, which reads some of these as well, was tried: it knows neither bounds, nor WebP, nor JSON in
``parameters``.)
"""

from __future__ import annotations

from generators._metadata_formats import PARSERS
from generators._metadata_record import ImageMetadata
from generators._metadata_texts import texts_of, without_texts
from selector.domain import raise_shortage

__all__ = ["ImageMetadata", "read_metadata", "without_texts"]

MAX_TEXT_CHARACTERS = 2_000_000  # a large ComfyUI graph has 200,000


def read_metadata(data: bytes) -> ImageMetadata:
    """Metadata of an encoded picture; empty when there are none. Never raises for what a file holds."""
    try:
        texts = texts_of(data)
    except Exception as error:  # PIL raises many kinds for damaged or oversized chunks
        raise_shortage(error)
        return ImageMetadata(remark=f"metadata could not be read ({type(error).__name__})")
    long = {key: len(text) for key, text in texts.items() if len(text) > MAX_TEXT_CHARACTERS}
    remarks = [f"metadata '{key}' of {length} characters are too long to be read" for key, length in long.items()]
    texts = {key: text for key, text in texts.items() if key not in long}
    for key, parse in PARSERS.items():
        if key and key not in texts:
            continue
        try:
            if found := parse(texts):
                return found
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            remarks.append(f"metadata '{key}' are damaged ({type(error).__name__})")
    return ImageMetadata(remark=remarks[0] if remarks else None)
