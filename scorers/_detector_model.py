"""An image classifier in Hugging Face's format, from a local folder: which of its labels mean *fake*, and loading it.

Only what is on the disk is read: no network, no code from the model's folder, no pickle.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from scorers._transformers_files import load_model
from selector.domain import InputError, MissingPart
from selector.domain.json_text import parse_json
from selector.domain.words import near_or_all
from selector.weights import all_models, need
from selector.weights.safe_load import check_named_files

CONFIG, PREPROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
FAKE_WORDS = frozenset({"fake", "ai", "artificial", "generated", "deepfake", "synthetic"})
_NEGATIONS = frozenset({"not", "non", "no"})
_UNNAMED = {0: "LABEL_0", 1: "LABEL_1"}  # as transformers reads a configuration without labels
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # "AiArtData", "not_fake", "AI-generated"


def local_folder(folder: str, model: str) -> Path:
    """The folder of a model: the user's own, or that of a name that ``bestshot weights`` or the hub's cache knows.

    Raises:
        MissingPart: it is not on this disk; the message says how to bring it here.
    """
    if folder:
        if not Path(folder).is_dir():
            raise MissingPart(f"hf_detector finds no folder {folder}: mend [scorers.hf_detector] folder")
        return Path(folder)
    if not model:
        raise MissingPart("hf_detector needs a detector: set [scorers.hf_detector] folder or model in campaign.toml")
    return _known_folder(model)


def _known_folder(model: str) -> Path:
    if model in {known.name for known in all_models()}:
        return need(model)
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingPart("hf_detector needs transformers: pip install 'bestshot[models]'")
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config = try_to_load_from_cache(model, CONFIG)
    except HFValidationError as error:
        raise InputError(
            f"hf_detector: '{model}' is no name of a model on the hub: for a local one set folder"
        ) from error
    if not isinstance(config, str):
        raise MissingPart(
            f"hf_detector finds no copy of {model} in the hub's cache: hf download {model}, or set folder instead"
        )
    return Path(config).parent


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of a model, whole or in parts.

    Raises:
        MissingPart: a file of the model is not in the folder. InputError: its weights are a pickle, or lie elsewhere.
    """
    for name in (CONFIG, PREPROCESSOR):
        if not (folder / name).is_file():
            raise MissingPart(f"hf_detector finds no {name} in {folder}: is this a model folder of transformers?")
    found = sorted(folder.glob("model*.safetensors"))
    if found:
        check_named_files(folder)
        return found
    if list(folder.glob("*.bin")):
        raise InputError(f"{folder} has its weights as a pickle, which is not loaded: convert them to {WEIGHTS}")
    raise MissingPart(f"hf_detector finds no {WEIGHTS} in {folder}: copy or download the whole model")


def fake_labels(folder: Path, wanted: Sequence[str]) -> tuple[int, ...]:
    """Numbers of the labels that mean *fake*: those that are named, or else those that say so in English.

    Raises:
        InputError: a named label is not there, none or all of them say so, or the model is no classifier.
    """
    labels = _labels(folder)
    if wanted:
        by_name = {label.casefold(): number for number, label in labels.items()}
        for name in wanted:
            if name.casefold() not in by_name:
                raise InputError(f"hf_detector: the model has no label '{name}'{near_or_all(name, labels.values())}")
        found = {by_name[name.casefold()] for name in wanted}
    else:
        found = {number for number, label in labels.items() if says_fake(label)}
    if not found or len(found) == len(labels):
        raise InputError(
            f"hf_detector cannot tell which labels mean fake: set fake_labels to some, not all, of "
            f"{', '.join(labels.values())}"
        )
    return tuple(sorted(found))


def says_fake(label: str) -> bool:
    """Whether a label is a name for made pictures: "FAKE", "AiArtData", "ai_gen", but not "not_fake".

    >>> [says_fake(label) for label in ("Deepfake", "AI-generated", "Real", "non-AI", "painted")]
    [True, True, False, False, False]
    """
    words = {word.casefold() for word in _WORD.findall(label)}
    return bool(words & FAKE_WORDS) and not words & _NEGATIONS


def _labels(folder: Path) -> dict[int, str]:
    config = folder / CONFIG
    try:
        facts = parse_json(config.read_text(encoding="utf-8"))
        labels = {int(number): str(label) for number, label in facts.get("id2label", _UNNAMED).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{config}: not a configuration of transformers ({error})") from error
    if len(labels) < 2 or facts.get("problem_type") not in (None, "single_label_classification"):
        raise InputError(f"{config}: hf_detector needs a classifier that gives one of two labels or more")
    return labels


@dataclass(frozen=True)
class Detector:
    """A loaded classifier; not safe to call from two threads at once."""

    model: Any
    processor: Any
    device: str

    def prepared(self, rgb: Any) -> Any:
        """One picture (H, W, 3) uint8 as the model takes it, (1, 3, h, w): alone, whatever else is in the batch."""
        from PIL import Image

        return self.processor(images=[Image.fromarray(rgb)], return_tensors="pt")["pixel_values"]

    def probabilities(self, pixels: Any) -> Any:
        """Softmax (n, labels) float64 of prepared pictures (n, 3, h, w), as a NumPy array."""
        import torch

        with torch.inference_mode():
            logits = self.model(pixel_values=pixels.to(self.device)).logits
            return torch.softmax(logits.double().cpu(), dim=-1).numpy()


def detector(folder: Path, key: str, device: str) -> Detector:
    """The loaded model on a device; ``key`` changes with its files. A failure is remembered: it costs its time once.

    Raises:
        InputError: it is no image classifier, its files do not fit, or weights are missing (a head without training).
    """
    loaded = _loaded(folder, key, device)
    if isinstance(loaded, str):
        raise InputError(loaded)
    return loaded


@lru_cache(maxsize=1)
def _loaded(folder: Path, key: str, device: str) -> Detector | str:
    del key
    cls = "AutoModelForImageClassification"
    loaded = load_model(folder, cls, device, "an image classifier", "an untrained head")
    return loaded if isinstance(loaded, str) else Detector(loaded[0], loaded[1], device)
