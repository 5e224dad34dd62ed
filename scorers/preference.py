"""preference: which of several pictures of one prompt people would choose, by a CLIP trained on such choices."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from scorers.clip_similarity import ClipSimilarity
from selector.domain import Axis, Column, TaskType
from selector.domain.embedding import Backbone, EmbeddingSettings
from selector.sight.embedding import openclip
from selector.sight.embedding.transformers_clip import TransformersClip
from selector.weights import find, need, weights_folder

FOLDERS = {"hpsv2.1": False, "pickscore": True}  # whether the published form is a folder of transformers


class Preference(ClipSimilarity):
    """preference: which of several pictures of one prompt people would choose, by a CLIP trained on such choices.

    Estimates: cosine of the picture's and the prompt's vectors in a model that was fitted to people's choices between
        two pictures of the same prompt: HPS v2.1 (Wu et al. 2023) or PickScore (Kirstain et al., NeurIPS 2023).
    Range and direction: [-1, 1], up; usual values are 0.15 to 0.35. **It compares only pictures of the same prompt**:
        the models never learned to order pictures of two.
    Axis: SC (it is partly taste, too). Tasks: text to image.
    Input: the candidate, seen whole, and the prompt.
    Settings: ``model`` = "hpsv2.1" (default) or "pickscore", as ``bestshot weights`` has them; or ``model_path``: a
        checkpoint of open_clip's ViT-H-14 (another with ``architecture`` or ``config_path``), or a folder of
        transformers' ``CLIPModel`` with safetensors. Device, precision and batch are those of ``[embedding]``.
    Model and licence: HPS v2.1 Apache-2.0; PickScore's card names none. Each is a ViT-H/14 of its own: 2 and 4 GB.
    Cost: a forward pass of a ViT-H/14 a candidate, shared with no other scorer: some 3 s on two cores in float32.
    Fails: likes saturated, dramatic pictures; English prompts only. Of a picture that is not square the ends are cut
        off, where HPS pads. Not run here with the published weights, but with small models of both formats that tests
        build.
    Source: the papers named above.

    Args:
        model: "hpsv2.1" or "pickscore".
        model_path: a checkpoint or folder instead.
        architecture: of the checkpoint, by open_clip's name.
        config_path: or as a description of open_clip's.

    Example:
        ``bestshot weights get pickscore`` brings the model. In ``campaign.toml``:

        [scorers.preference]
        model = "pickscore"
    """

    name = "preference"
    settings_in_version = ("model", "model_path", "architecture", "config_path")  # by the content of the weights
    task_types = frozenset({TaskType.T2I})
    columns = (Column("similarity", -1.0, 1.0, True, Axis.SC, "cosine by a model of people's choices, per prompt"),)

    def __init__(
        self, model: str = "hpsv2.1", model_path: str = "", architecture: str = "ViT-H-14", config_path: str = ""
    ) -> None:
        if model not in FOLDERS:
            raise ValueError(f"model must be {' or '.join(FOLDERS)}, got '{model}'; any other goes by model_path")
        self._model, self._model_path = model, model_path
        self._architecture, self._config_path = architecture, config_path
        super().__init__()

    def check(self) -> None:
        """Raise ``MissingPart`` when the model is not here."""
        need(self._model, self._model_path)
        self.backbone.check()

    def _use(self, settings: EmbeddingSettings) -> None:
        """A backbone of its own: of the contest's settings only how it runs. The known models read English."""
        place = Path(self._model_path) if self._model_path else find(self._model) or weights_folder() / self._model
        self._settings = replace(
            settings,
            model=self._architecture,
            pretrained="",
            weights_path=str(place),
            config_path=self._config_path,
            reads="english",
        )
        is_folder = place.is_dir() if self._model_path else FOLDERS[self._model]
        self.backbone = _backbone(self._settings, is_folder)


@lru_cache(maxsize=2)
def _backbone(settings: EmbeddingSettings, is_folder: bool) -> Backbone:
    if is_folder:
        return TransformersClip(Path(settings.weights_path), settings)
    return openclip.backbone_of(settings)
