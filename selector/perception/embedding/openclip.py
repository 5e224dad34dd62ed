"""The backbone: any model of open_clip, from a tag whose weights lie here or from a file of one's own.

Source: Ilharco et al., OpenCLIP; models by Radford et al. 2021 (MIT) and others, see ``bestshot weights list``.
Precision: on a CPU bfloat16 where it has instructions for it, about twice as fast; on a GPU bfloat16 (float16 on older
ones). Text towers stay in float32: they run once a prompt. One model a process, whoever asks for it.
"""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from selector.domain import InputError, MissingPart
from selector.domain.embedding import EmbeddingSettings
from selector.perception.embedding.device import best_device, best_precision
from selector.perception.embedding.texts import pieces
from selector.perception.embedding.views import VIEWS_VERSION
from selector.perception.model_files import content_tag, need_backbone

Floats = np.ndarray[Any, np.dtype[np.float32]]
Crops = np.ndarray[Any, np.dtype[np.uint8]]

EXTRA = "pip install 'bestshot[models]'"
TEXT_BATCH = 64
_MULTILINGUAL = ("xlm", "nllb", "multilingual", "i18n", "siglip2")
SAFE_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@lru_cache(maxsize=4)
def backbone_of(settings: EmbeddingSettings) -> OpenClip:
    """The one backbone of these settings in this process."""
    return OpenClip(settings)


class OpenClip:
    """Fulfils ``selector.domain.embedding.Backbone``."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        if settings.precision not in PRECISIONS:
            raise InputError(f"precision is one of {', '.join(PRECISIONS)}, got '{settings.precision}'")
        if settings.reads not in ("auto", "english", "all"):
            raise InputError(f"reads is auto, english or all, got '{settings.reads}'")
        self.settings = settings
        self._lock = threading.Lock()

    def check(self) -> None:
        for package in ("torch", "open_clip"):
            if importlib.util.find_spec(package) is None:
                raise MissingPart(f"an embedding needs {package}: {EXTRA}")
        self._file()

    @property
    def space(self) -> str:
        try:
            weights = content_tag(self._file())
        except MissingPart:
            weights = "absent"
        parts = (self.settings.model, weights, self.precision, f"v{VIEWS_VERSION}")
        return "-".join(part.replace("/", "-") for part in parts)

    @property
    def device(self) -> str:
        """cpu, cuda, cuda:1, mps, …"""
        return best_device() if self.settings.device == "auto" else self.settings.device

    @property
    def precision(self) -> str:
        """fp32, bf16 or fp16, as it runs on the chosen device."""
        return best_precision(self.device) if self.settings.precision == "auto" else self.settings.precision

    @property
    def concurrent(self) -> bool:
        return self.device != "cpu"

    @property
    def side_px(self) -> int:
        size = self._architecture["vision_cfg"].get("image_size", 224)
        return int(size[0] if isinstance(size, (list, tuple)) else size)

    @property
    def reads_all(self) -> bool:
        if self.settings.reads != "auto":
            return self.settings.reads == "all"
        name = f"{self.settings.model} {self._architecture['text_cfg'].get('hf_model_name', '')}".lower()
        return any(word in name for word in _MULTILINGUAL)

    def embed_crops(self, crops: Crops) -> Floats:
        import torch

        model = self._model
        parts = []
        with self._lock, torch.inference_mode():
            for start in range(0, len(crops), self.settings.batch):
                batch = torch.from_numpy(np.ascontiguousarray(crops[start : start + self.settings.batch]))
                parts.append(model.vectors(batch).float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, model.dim), np.float32)

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Pieces of a long text are embedded, normalised and averaged by their length in tokens."""
        import torch

        model = self._model
        split = [pieces(text, model.fits) for text in texts]
        flat = [piece for parts in split for piece in parts]
        with self._lock, torch.inference_mode():
            chunks = [model.text_vectors(flat[i : i + TEXT_BATCH]) for i in range(0, len(flat), TEXT_BATCH)]
        vectors = np.concatenate(chunks) if chunks else np.zeros((0, model.dim), np.float32)
        weights = np.array([model.tokens(piece) for piece in flat], np.float64)
        found, start = [], 0
        for parts in split:
            here = slice(start, start + len(parts))
            mean = np.average(_units(vectors[here]), axis=0, weights=weights[here])
            found.append(mean / np.linalg.norm(mean))
            start += len(parts)
        return np.array(found, np.float32).reshape(len(texts), model.dim)

    def _file(self) -> Path:
        if self.settings.weights_path:
            path = Path(self.settings.weights_path)
            if not path.is_file():
                raise MissingPart(f"there are no weights at {path}: mend weights_path in [embedding]")
            return path
        return need_backbone(self.settings.model, self.settings.pretrained)

    @cached_property
    def _architecture(self) -> dict[str, Any]:
        import open_clip

        self._register()
        found = open_clip.get_model_config(self._name)
        if found is None:
            raise InputError(
                f"open_clip has no model '{self.settings.model}': name one of open_clip.list_models(), "
                "or give config_path"
            )
        return dict(found)

    @property
    def _name(self) -> str:
        return Path(self.settings.config_path).stem if self.settings.config_path else self.settings.model

    def _register(self) -> None:
        if not self.settings.config_path:
            return
        import open_clip

        path = Path(self.settings.config_path)
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read the architecture {path} ({error}): mend config_path") from error
        open_clip.add_model_config(path)

    @cached_property
    def _model(self) -> _Loaded:
        self.check()
        with self._lock:
            self._register()
            return _Loaded(self.settings, self._name, self._file(), self.device, self.precision)


class _Loaded:
    """The model in memory."""

    def __init__(self, settings: EmbeddingSettings, name: str, weights: Path, device: str, precision: str) -> None:
        import open_clip
        import torch

        self._device = torch.device(device)
        self._dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
        trained = {} if settings.weights_path else open_clip.get_pretrained_cfg(name, settings.pretrained)
        model = _created(name, weights, bool(trained.get("quick_gelu", False))).eval().requires_grad_(False)
        self.dim = int(open_clip.get_model_config(name)["embed_dim"])
        self._tokenizer = open_clip.get_tokenizer(name)
        self._context = int(getattr(self._tokenizer, "context_length", None) or 77)
        shape = (1, 3, 1, 1)
        mean, std = (trained.get(key) or getattr(model.visual, f"image_{key}", None) for key in ("mean", "std"))
        self._mean = torch.tensor(mean or open_clip.OPENAI_DATASET_MEAN, device=self._device).view(shape) * 255
        self._std = torch.tensor(std or open_clip.OPENAI_DATASET_STD, device=self._device).view(shape) * 255
        self._model = model.to(self._device)
        self._visual = model.visual.to(self._dtype)  # the text tower stays in float32

    def vectors(self, crops: Any) -> Any:
        """(n, side, side, 3) uint8 tensor to (n, dim)."""
        pixels = crops.to(self._device, non_blocking=True).permute(0, 3, 1, 2).float()
        return self._visual(((pixels - self._mean) / self._std).to(self._dtype))

    def text_vectors(self, texts: Sequence[str]) -> Floats:
        tokens = self._tokenizer(list(texts)).to(self._device)
        return np.asarray(self._model.encode_text(tokens).float().cpu().numpy(), np.float32)

    def tokens(self, text: str) -> int:
        """Number of tokens of a text, its marks of start and end not counted."""
        if hasattr(self._tokenizer, "encode"):
            return max(1, len(self._tokenizer.encode(text)))
        return max(1, len(self._tokenizer.tokenizer(text)["input_ids"]) - 2)

    def fits(self, text: str) -> bool:
        return self.tokens(text) + 2 <= self._context


def _created(name: str, weights: Path, quick_gelu: bool) -> Any:
    """The model with every weight from the file, which may not run code.

    Raises:
        InputError: the file is no plain file of weights, or belongs to another model; what it lacks would be random.
    """
    import open_clip

    if weights.suffix not in SAFE_SUFFIXES:
        raise InputError(f"weights end in {', '.join(SAFE_SUFFIXES)}, got {weights.name}")
    try:
        return open_clip.create_model(
            name,
            pretrained=str(weights),
            precision="fp32",
            device="cpu",
            force_quick_gelu=quick_gelu,
            require_pretrained=True,
            weights_only=True,
            pretrained_hf=False,
        )
    except Exception as error:  # torch, safetensors and pickle each have their own
        what = " ".join(str(error).split())[:300]
        raise InputError(f"cannot load {weights.name} as the model {name}: {type(error).__name__}: {what}") from error


def _units(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)
