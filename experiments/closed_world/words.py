"""The tokenizer of the text-to-image model: CLIP's byte-level one with pieces learned from the captions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from selector.demo.closed_world.captions import caption
from selector.demo.closed_world.scene import scene_at

LENGTH = 40  # tokens of a prompt, both ends included; the longest caption has 31
_START, _END = "<|startoftext|>", "<|endoftext|>"
_LAST = "</w>"  # marks the piece that ends a word


def make_tokenizer(folder: Path, captions: int = 20_000) -> Any:
    """Learn the pieces and write a folder from which ``CLIPTokenizer`` loads.

    English words are learned whole. Chinese is read a character at a time: it has no spaces, and pieces that run over
    the borders of its words would have to be learned in every neighbourhood.
    """
    letters = _byte_letters()
    ends = [letter + _LAST for letter in letters.values()]
    merges = [*_english_merges(captions), *_chinese_merges(captions, letters)]
    pieces = list(dict.fromkeys([*letters.values(), *ends, *("".join(pair) for pair in merges), _START, _END]))
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokens = {"bos_token": _START, "eos_token": _END, "pad_token": _END, "unk_token": _END}
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, **tokens}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return load_tokenizer(folder)


def load_tokenizer(folder: Path) -> Any:
    """The ``CLIPTokenizer`` of the folder."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder)


def token_ids(tokenizer: Any, texts: list[str]) -> Any:
    """(n, LENGTH) token ids, as the pipeline makes them."""
    return tokenizer(texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids


def _english_merges(captions: int) -> list[tuple[str, str]]:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    learner = Tokenizer(models.BPE(end_of_word_suffix=_LAST))
    learner.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=1000, end_of_word_suffix=_LAST, show_progress=False)
    learner.train_from_iterator(_captions("en", captions), trainer)
    return [(first, second) for first, second in json.loads(learner.to_str())["model"]["merges"]]


def _chinese_merges(captions: int, letters: dict[int, str]) -> list[tuple[str, str]]:
    """Three bytes a character, which may stand at the end of what CLIP takes for a word, or not."""
    merges: dict[tuple[str, str], None] = {}
    for character in sorted(set("".join(_captions("zh", captions)))):
        one, two, three = (letters[byte] for byte in character.encode())
        merges |= dict.fromkeys([(one, two), (one + two, three), (one + two, three + _LAST)])
    return list(merges)


def _captions(language: str, n: int) -> Iterator[str]:
    for i in range(n):
        yield caption(scene_at(i), np.random.default_rng([7, i]), language)


def _byte_letters() -> dict[int, str]:
    """The printable letter that byte-level BPE has for each byte: itself, or one from 256 on."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("\u00a1"), ord("\u00ac") + 1), *range(ord("\u00ae"), 256)}
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte if byte in printable else 256 + others.index(byte)) for byte in range(256)}
