"""Readers of pictures, and of what stands in their files beside the pixels."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.hostile_inputs import Strategy, json_texts
from experiments.support.hostile_shared import (
    Lines,
    in_file,
    rgb,
)
from experiments.support.hostile_trial import Reader
from selector.domain import InputError, Picture, encode_final


@lru_cache(maxsize=1)
def _pictures() -> list[bytes]:
    """Each format and many modes, with orientation, profile, frames and transparency."""
    from PIL import Image, ImageCms

    made = []

    def save(image: Any, kind: str, **more: Any) -> None:
        stream = io.BytesIO()
        image.save(stream, kind, **more)
        made.append(stream.getvalue())

    plain = Image.fromarray(rgb())
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    save(plain, "JPEG", exif=exif.tobytes(), icc_profile=profile)
    save(plain.convert("CMYK"), "JPEG")
    save(plain, "JPEG", progressive=True, subsampling=2, comment=b"a comment")
    save(plain, "PNG", icc_profile=profile, exif=exif.tobytes())
    save(plain.convert("RGBA"), "PNG")
    save(plain.convert("P"), "PNG", transparency=3)
    save(plain.convert("L"), "PNG", transparency=7)
    save(plain.convert("1"), "PNG")
    save(Image.fromarray(rgb()[..., 0].astype(np.uint16) * 200), "PNG")
    save(plain, "PNG", save_all=True, append_images=[plain.rotate(90), plain])
    save(plain, "WEBP", exif=exif.tobytes(), icc_profile=profile)
    save(plain.convert("RGBA"), "WEBP", lossless=True, save_all=True, append_images=[plain.convert("RGBA")])
    save(plain.convert("P"), "GIF", save_all=True, append_images=[plain.convert("P")], comment=b"x", transparency=0)
    save(plain, "BMP")
    save(plain.convert("P"), "BMP")
    save(plain, "TIFF", compression="tiff_lzw", exif=exif)
    save(plain, "TIFF", compression="jpeg", save_all=True, append_images=[plain])
    save(Image.fromarray(rgb()[..., 0].astype(np.float32)), "TIFF")
    if "AVIF" in Image.SAVE:
        save(plain, "AVIF", exif=exif.tobytes())
    return made


def _read_picture(data: bytes, _folder: Path) -> Lines:
    from generators._metadata import without_texts

    without_texts(data)
    said = []
    looks: list[Callable[[Picture], Any]] = [lambda one: one.size, lambda one: one.rgb, lambda one: one.reduced(8)]
    for look in looks:
        try:
            look(Picture(data, "3.png"))
        except InputError as error:
            said.append(str(error))
    return said


_A1111 = """a cat, <lora:x:0.8>
Negative prompt: blurry, bad
Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 987654321, Size: 512x512, Model: dream shaper, Version: v1"""


_GRAPHS: list[Any] = [
    {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": ["9", 0],
                "steps": 25,
                "sampler_name": "euler",
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
            },
        },
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sdxl.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["8", 0], "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "ugly", "clip": ["4", 1]}},
        "8": {"class_type": "PrimitiveString", "inputs": {"value": "一只猫"}},
        "9": {"class_type": "PrimitiveInt", "inputs": {"value": 7}},
    },
    {
        "13": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {"noise": ["25", 0], "guider": ["22", 0], "sigmas": ["17", 0]},
        },
        "25": {"class_type": "RandomNoise", "inputs": {"noise_seed": 31}},
        "22": {"class_type": "BasicGuider", "inputs": {"model": ["12", 0], "conditioning": ["22", 0]}},
    },
]


_RECORDS: dict[str, list[Any]] = {
    "prompt": _GRAPHS,
    "workflow": [{"nodes": [], "links": []}],
    "parameters": [
        {"sui_image_params": {"prompt": "a fox", "seed": 5, "model": "m"}},
        {"prompt": "a lighthouse", "seed": "902133", "base_model": "xl", "sampler": "dpmpp"},
    ],
    "invokeai_metadata": [
        {"seed": 9, "positive_prompt": "a fox [bad]", "model": {"name": "flux"}, "scheduler": "euler", "steps": 30}
    ],
    "sd-metadata": [
        {"model_weights": "sd", "image": {"prompt": [{"prompt": "a fox", "weight": 1}], "seed": 8, "sampler": "k"}}
    ],
    "Comment": [
        {
            "prompt": "p",
            "uc": "bad",
            "seed": 1,
            "steps": 28,
            "sampler": "k",
            "v4_prompt": {"caption": {"base_caption": "b"}},
        },
        {"c": "a fox", "uc": "bad", "seed": 3, "model": "m", "steps": 9},
    ],
}


def _png_with(key: str, text: bytes, kind: bytes = b"iTXt") -> bytes:
    """A PNG with one text that need not be one."""
    import zlib

    name = key.encode("latin-1")
    body = {
        b"iTXt": name + b"\0\0\0\0\0" + text,
        b"tEXt": name + b"\0" + text,
        b"zTXt": name + b"\0\0" + zlib.compress(text),
    }[kind]
    chunk = len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    bare = encode_final(rgb(8, 8), "png")
    novel = b"tEXt" + b"Software\0NovelAI"
    more = (
        (len(novel) - 4).to_bytes(4, "big") + novel + zlib.crc32(novel).to_bytes(4, "big") if key == "Comment" else b""
    )
    return bare[:33] + more + chunk + bare[33:]


@lru_cache(maxsize=1)
def _told_pictures() -> list[bytes]:
    from PIL import Image

    made = [_png_with(key, json.dumps(one).encode()) for key, records in _RECORDS.items() for one in records]
    made += [_png_with("parameters", _A1111.encode(), kind) for kind in (b"iTXt", b"tEXt", b"zTXt")]
    made += [_png_with("dream", b'"a \\"red\\" fox" -s 50 -S 1234 -A k_lms')]
    xmp = (
        b'<x:xmpmeta><rdf:Description exif:UserComment="Steps: 5, Seed: 3, Sampler: a"/><dc:description><rdf:Alt>'
        b"<rdf:li xml:lang='x'>a fox</rdf:li></rdf:Alt></dc:description></x:xmpmeta>"
    )
    for kind in ("JPEG", "WEBP"):
        for comment in (b"UNICODE\0" + _A1111.encode("utf-16-be"), b"ASCII\0\0\0" + json.dumps(_GRAPHS[0]).encode()):
            exif = Image.Exif()
            exif.get_ifd(0x8769)[0x9286] = comment
            exif[0x010E] = "Workflow: {}"
            exif[0x010F] = 'prompt: {"1": {"class_type": "KSampler", "inputs": {"seed": 1}}}'
            stream = io.BytesIO()
            Image.new("RGB", (8, 8)).save(stream, kind, exif=exif.tobytes(), xmp=xmp)
            made.append(stream.getvalue())
    stream = io.BytesIO()
    Image.new("P", (8, 8)).save(
        stream, "GIF", comment=b"a fox --ar 3:2 --seed 5 Job ID: 00000000-0000-0000-0000-000000000000"
    )
    return [*made, stream.getvalue()]


def _records() -> Sequence[Strategy]:
    words = ["prompt", "seed", "steps", "model", "sampler", "inputs", "class_type", "KSampler", "negative", "text"]
    return [json_texts(records, words).map(partial(_png_with, key)) for key, records in _RECORDS.items()]


def _read_metadata(data: bytes, _folder: Path) -> Lines:
    from generators._metadata import read_metadata

    notes = read_metadata(data).as_notes()
    json.dumps(notes, allow_nan=False)
    return [str(notes["remark"])] if "remark" in notes else ()


def _read_output(path: Path) -> None:
    """The picture that a generator's program wrote."""
    from generators._program import read_picture

    read_picture(path, "it said so")


READERS: tuple[Reader, ...] = (
    Reader("pictures", _pictures, _read_picture, share=4, room=2),  # three looks at up to 50 million pixels
    Reader("picture metadata", _told_pictures, _read_metadata, _records, 3, told=1),
    Reader("generator's program", _pictures, in_file("out.png", _read_output), share=0.5),
)
