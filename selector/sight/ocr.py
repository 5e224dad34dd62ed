"""Reads the text shown in a picture: lines, their words and the characters of each word, with quads in px.

Model: PP-OCR (detector, direction classifier, recogniser; Chinese and English) as ONNX files inside the wheel of
``rapidocr`` (Apache-2.0), so nothing is fetched. About 0.5 s a picture on two cores; results are kept by picture id.
It fails on text under about 8 px high, on vertical Chinese and on strongly curved text. Boxes follow the line's
rotation and are a few px off: pad them before use.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from selector.domain import MissingPart, Picture
from selector.sight.memory import RecentResults
from selector.sight.text_boxes import height_px

MOST_TALL, MOST_WIDE = 8, 100  # times the other side: a strip costs half a minute, a line of pixels breaks the reader
SMALL_SIDE_PX = 400  # the recogniser sees the original pixels: small pictures are read at twice their size
_reader_lock = threading.Lock()  # the engine stores its options on itself while it runs
_lines: RecentResults[tuple[TextLine, ...]] = RecentResults(256)


@dataclass(frozen=True, eq=False)
class TextLine:
    """A line of text, a word of it, or a character of a word.

    ``box`` is (4, 2) float64 px, clockwise from the text's own top left. ``words`` of a line are its runs without
    spaces, ``words`` of a word are its characters; either may be empty when the reader gave no positions.
    """

    text: str
    score: float
    box: np.ndarray[Any, np.dtype[np.float64]]
    words: tuple[TextLine, ...] = ()

    @property
    def height_px(self) -> float:
        """Mean length of the two sides that cross the direction of reading."""
        return height_px(self.box)


def check_reader(who_reads: str) -> None:
    """Raise ``MissingPart`` when the reader is not installed; ``who_reads``: "ocr_text reads pictures"."""
    if importlib.util.find_spec("rapidocr") is None:
        raise MissingPart(f"{who_reads} with the package 'rapidocr': pip install rapidocr onnxruntime")


def read_text(picture: Picture, min_score: float = 0.5) -> tuple[TextLine, ...]:
    """Lines of text from top to bottom; ``()`` when nothing is found.

    Raises:
        InputError: when the picture cannot be decoded.
        MissingPart: when ``rapidocr`` is not installed.
    """
    lines = _lines.get(picture.id, lambda: _read(picture.rgb))
    return tuple(line for line in lines if line.score >= min_score)


def span_box(line: TextLine, start: int, end: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Quad (4, 2) px of the characters ``line.text[start:end]``, from character boxes or, without them, by share."""
    if start <= 0 and end >= len(line.text):
        return line.box
    chars = [char for word in line.words for char in word.words]
    before = len("".join(line.text[:start].split()))
    count = len("".join(line.text[start:end].split()))
    if count and before + count <= len(chars):
        first, last = chars[before].box, chars[before + count - 1].box
        return np.stack([first[0], last[1], last[2], first[3]])
    left, right = start / len(line.text), end / len(line.text)
    top_left, top_right, bottom_right, bottom_left = line.box
    top, bottom = top_right - top_left, bottom_right - bottom_left
    corners = (top_left + left * top, top_left + right * top, bottom_left + right * bottom, bottom_left + left * bottom)
    return np.stack(corners)


@lru_cache(maxsize=1)
def _engine() -> Any:
    """The one reader of this process; call with the lock held."""
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise MissingPart("reading text needs the package 'rapidocr': pip install rapidocr onnxruntime") from error
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    params: dict[str, Any] = {"Global.log_level": "critical"}
    if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdigit():  # onnxruntime alone does not heed it, and its
        params["EngineConfig.onnxruntime.intra_op_num_threads"] = int(threads)  # threads spin while they wait
    return RapidOCR(params=params)


def _read(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> tuple[TextLine, ...]:
    import cv2

    scale = 2.0 if min(rgb.shape[:2]) < SMALL_SIDE_PX else 1.0
    bgr = rgb[:, :, ::-1]
    if scale != 1.0:
        bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    with _reader_lock:
        found = _engine()(_padded(bgr), return_word_box=True, return_single_char_box=True, text_score=0.0)
    texts = getattr(found, "txts", None)
    boxes = getattr(found, "boxes", None)
    if texts is None or boxes is None:
        return ()
    chars = found.word_results if len(found.word_results or ()) == len(texts) else ((),) * len(texts)
    lines = [
        _line(str(text), float(score), np.asarray(box, dtype=np.float64) / scale, char_boxes, scale)
        for text, score, box, char_boxes in zip(texts, found.scores, boxes, chars, strict=True)
    ]
    return tuple(sorted(lines, key=lambda line: (float(line.box[:, 1].mean()), float(line.box[:, 0].mean()))))


def _padded(bgr: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Strips get a margin of their median colour at the right or the bottom, which moves no box."""
    height, width = bgr.shape[:2]
    right, bottom = max(0, -(-height // MOST_TALL) - width), max(0, -(-width // MOST_WIDE) - height)
    if not right and not bottom:
        return np.ascontiguousarray(bgr)
    padded = np.empty((height + bottom, width + right, 3), np.uint8)
    padded[:] = np.median(bgr, axis=(0, 1))
    padded[:height, :width] = bgr
    return padded


def _line(text: str, score: float, box: np.ndarray[Any, Any], char_boxes: Any, scale: float) -> TextLine:
    """Group the characters into words; the reader leaves out spaces, so their number tells whether all are there."""
    placed = [
        TextLine(str(char), float(char_score), np.asarray(quad, dtype=np.float64) / scale)
        for char, char_score, quad in (entry for entry in char_boxes if len(entry) == 3 and entry[2] is not None)
    ]
    runs = text.split()
    if "".join(char.text for char in placed) != "".join(runs):
        return TextLine(text, score, box)
    words, position = [], 0
    for run in runs:
        own = tuple(placed[position : position + len(run)])
        position += len(run)
        quad = np.stack([own[0].box[0], own[-1].box[1], own[-1].box[2], own[0].box[3]])
        words.append(TextLine(run, min(char.score for char in own), quad, own))
    return TextLine(text, score, box, tuple(words))
