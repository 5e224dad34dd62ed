"""hf_detector: how sure a detector of generated pictures is, any image classifier in Hugging Face's format."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from scorers._detector_model import (
    CONFIG,
    PREPROCESSOR,
    detector,
    fake_labels,
    local_folder,
    weight_files,
)
from selector.domain import (
    Axis,
    BestshotError,
    Column,
    InputError,
    Item,
    Score,
    Scorer,
    TaskType,
    raise_shortage,
    reason_of,
    stable_hash,
)
from selector.domain.embedding import ContestContext
from selector.sight.embedding.device import device_named, need_packages
from selector.weights import ABSENT, content_tag

_one_at_a_time = threading.Lock()  # loading and the forward pass: a model keeps buffers, and memory for two is scarce


class HFDetector(Scorer):
    """hf_detector: how sure a detector of generated pictures is, any image classifier in Hugging Face's format.

    Estimates: the probability that the picture was generated: the softmax over the model's labels, summed over those
        that mean *fake*.
    Range and direction: fake_probability [0, 1], down. Axis: PQ. Tasks: all.
    Input: the candidate, resized and normalised as the model's own ``preprocessor_config.json`` says (with Pillow).
    Model and licence: none comes with the program.
    Settings: ``folder``, the model's folder (``config.json``, ``preprocessor_config.json``, ``model.safetensors``); or
        ``model``, a name of ``bestshot weights`` or of a model that is in the hub's cache already (``hf download
        NAME``); ``fake_labels``, where the labels' names do not say it (they do when one holds fake, ai, artificial,
        generated, deepfake or synthetic). Nothing is ever fetched here, no pickle loaded, no code of the model's folder
        run, and weights that are missing are an error instead of random numbers.
    Source: ``AutoModelForImageClassification`` of transformers. Needs the extra ``models``.
    Cost: one forward pass for a batch of candidates, on the device of ``[embedding]``; a ViT-B takes 60 to 80 ms an
        image on two cores; float32.
    Fails: a detector knows the generators that it was trained on, and JPEG and resizing move it: its numbers only rank
        the candidates of one task. Two detectors often disagree. Not run here with published weights (no hub can be
        reached), but with models of the same format that tests build.

    Example:
        In ``campaign.toml``:

        [scorers.hf_detector]
        folder = "models/my-detector"
        fake_labels = ["generated"]
    """

    name = "hf_detector"
    settings_in_version = True  # by what they do: the same model in another folder gives the same scores
    tolerance = 1e-4
    task_types = frozenset(TaskType)
    columns = (Column("fake_probability", 0.0, 1.0, False, Axis.PQ, "how generated the picture looks to the detector"),)

    def __init__(self, folder: str = "", model: str = "", fake_labels: Sequence[str] = ()) -> None:
        if folder and model:
            raise ValueError("set folder or model, not both")
        if isinstance(fake_labels, str):
            raise ValueError(f"fake_labels must be a list of labels, got {fake_labels!r}")
        self._folder_setting, self._model_setting = folder, model
        self._wanted = tuple(fake_labels)
        self._device = "auto"

    def meet(self, contest: ContestContext) -> None:
        """Take the device of ``[embedding]``."""
        self._device = contest.embedding.device

    @property
    def on_gpu(self) -> bool:
        """Whether the device of ``[embedding]`` is none of the cores."""
        return device_named(self._device) != "cpu"

    @cached_property
    def version(self) -> str:
        """SHA-256 of configuration and weights, and which labels are summed."""
        try:
            return f"1-{self._files_tag}-{stable_hash(list(self._labels), 6)}"
        except BestshotError as error:  # check() says what is wrong
            raise_shortage(error)
            return f"1-{ABSENT}"

    def check(self) -> None:
        """Raise ``MissingPart`` without the model or its packages, ``InputError`` for labels that say nothing."""
        need_packages("hf_detector needs", "torch", "transformers")
        weight_files(self._folder)
        _ = self._labels

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Scores of each item, in order; pictures that the model takes at the same size go through it together."""
        if not items:
            return []
        with _one_at_a_time:
            loaded = detector(self._folder, self._files_tag, device_named(self._device))
        prepared: list[Any] = []
        for item in items:
            try:
                prepared.append(loaded.prepared(item.picture.rgb))
            except InputError as error:
                prepared.append(reason_of(error))
        return [{"fake_probability": score} for score in self._scores(loaded, prepared)]

    def _scores(self, loaded: Any, prepared: Sequence[Any]) -> list[Score]:
        import torch

        found = [Score.unscored(one) if isinstance(one, str) else None for one in prepared]
        sizes = sorted({tuple(one.shape) for one in prepared if not isinstance(one, str)})
        for size in sizes:  # one size for almost every model; some keep the proportions of the picture
            places = [i for i, one in enumerate(prepared) if not isinstance(one, str) and tuple(one.shape) == size]
            with _one_at_a_time:
                rows = loaded.probabilities(torch.cat([prepared[i] for i in places]))
            for i, row in zip(places, rows, strict=True):
                found[i] = _summed(row[list(self._labels)])
        return [score for score in found if score is not None]

    @cached_property
    def _folder(self) -> Path:
        return local_folder(self._folder_setting, self._model_setting)

    @cached_property
    def _labels(self) -> tuple[int, ...]:
        return fake_labels(self._folder, self._wanted)

    @cached_property
    def _files_tag(self) -> str:
        files = [self._folder / CONFIG, self._folder / PREPROCESSOR, *weight_files(self._folder)]
        return stable_hash([[file.name, content_tag(file)] for file in files], 8)


def _summed(shares: Any) -> Score:
    total = float(shares.sum())
    if total != total:
        return Score.unscored("the model gave no finite answer")
    return Score.of(min(1.0, max(0.0, total)))
