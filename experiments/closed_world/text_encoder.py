"""The text encoder learns to read before any picture is drawn: from the caption's last state to the scene.

A caption leaves no doubt who is where, whichever way round and in whichever language it is said. Learned by the loss of
the pictures alone this takes hours; learned from words alone it takes minutes. Both models then start with it. The
questions are asked by sides (what is on the left?) and not by turns (what comes first?): that is how a picture is
looked at, and a place can take its answer without knowing of the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.closed_world.training import Chance, Loss, Plan
from selector.demo.closed_world.scene import (
    BACKGROUNDS,
    COLOURS,
    LANGUAGES,
    MOST,
    SHAPES,
    SIZES,
    Group,
    Scene,
    caption,
    scene_at,
)

LENGTH = 40  # tokens of a prompt, both ends included; the longest caption has 31
_START, _END = "<|startoftext|>", "<|endoftext|>"
_LAST = "</w>"  # marks the piece that ends a word
WIDTH = 128
BATCH = 192
PLAN = Plan("text_encoder", steps=2400, rate=1e-3, warm_up=200, average=0.99, look_every=400)
# What a caption says of the left, the right, the top and the bottom, and of the background; the last answer: nothing.
_OF_SIDE = (MOST + 1, len(COLOURS) + 1, len(SHAPES) + 1, len(SIZES) + 1)
QUESTIONS = (*(4 * _OF_SIDE), len(BACKGROUNDS) + 1)
SERIES = 1_000_000_000  # captions are of scenes from here on, which no picture shows


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


class TextEncoderWithHeads(nn.Module):
    """The text encoder with an answer to each question on top, which is thrown away after the training."""

    def __init__(self, text_encoder: Any) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.answers = nn.Linear(WIDTH, sum(QUESTIONS))

    def forward(self, ids: torch.Tensor) -> list[torch.Tensor]:
        """The logits of each question, (n, answers)."""
        pooled = self.text_encoder(ids).pooler_output
        return list(self.answers(pooled).split(QUESTIONS, dim=1))


def build(tokenizer: Any) -> Any:
    """An untrained ``CLIPTextModel``."""
    from transformers import CLIPTextConfig, CLIPTextModel

    ids = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            num_hidden_layers=4,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            hidden_act="gelu",
            **ids,
        )
    )


def loss_of(text_encoder: TextEncoderWithHeads, tokenizer: Any) -> Loss:
    """Cross-entropy of the answers, summed over the questions."""

    def loss_at(step: int, chance: Chance) -> torch.Tensor:
        device = next(text_encoder.parameters()).device
        texts, wanted = read_batch(SERIES + step * BATCH, BATCH, chance.numpy)
        answers = text_encoder(token_ids(tokenizer, texts).to(device))
        losses = [nn.functional.cross_entropy(a.float(), w.to(device)) for a, w in zip(answers, wanted.T, strict=True)]
        return torch.stack(losses).sum()

    return loss_at


@torch.no_grad()
def answered_rightly(text_encoder: TextEncoderWithHeads, tokenizer: Any, n: int = 2000) -> float:
    """The share of new captions of which every answer is right."""
    texts, wanted = read_batch(2 * SERIES, n, np.random.default_rng(3))
    device = next(text_encoder.parameters()).device
    answers = text_encoder(token_ids(tokenizer, texts).to(device))
    right = [a.argmax(1).cpu() == w for a, w in zip(answers, wanted.T, strict=True)]
    return float(torch.stack(right).all(0).float().mean())


def read_batch(first: int, n: int, rng: np.random.Generator) -> tuple[list[str], torch.Tensor]:
    """Captions, and their answers (n, questions)."""
    scenes = [scene_at(i) for i in range(first, first + n)]
    texts = [caption(scene, rng, LANGUAGES[int(rng.integers(len(LANGUAGES)))]) for scene in scenes]
    return texts, torch.tensor([_answers(scene) for scene in scenes])


def _answers(scene: Scene) -> list[int]:
    """One group is on all sides; of two the sides of the other axis are not told."""
    first, last = _of_group(scene, scene.groups[0]), _of_group(scene, scene.groups[-1])
    untold = [answers - 1 for answers in _OF_SIDE]
    sides = {"x": [first, last, untold, untold], "y": [untold, untold, first, last]}[scene.axis]
    if len(scene.groups) == 1:
        sides = 4 * [first]
    ground = BACKGROUNDS.index(scene.background) if scene.says_background else len(BACKGROUNDS)
    return [answer for side in sides for answer in side] + [ground]


def _of_group(scene: Scene, group: Group) -> list[int]:
    size = SIZES.index(group.size) if scene.says_size else len(SIZES)
    return [group.count - 1, COLOURS.index(group.colour), SHAPES.index(group.shape), size]
