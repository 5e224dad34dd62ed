"""Bases of the scorers over the shared embedding: backbone, version, scoring outside a campaign, linear heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from selector.domain import Column, InputError, Item, MissingPart, Score, TaskType, stable_hash
from selector.domain.embedding import Backbone, ContestContext, EmbeddingSettings, Floats, Head, View
from selector.sight.embedded import NAME as EMBEDDED
from selector.sight.embedding import openclip
from selector.sight.embedding.looking import Request, look
from selector.sight.embedding.vectors import RecentVectors
from selector.weights import content_tag, load_state, need, why_unreadable

TRAINED_ON = ("ViT-L-14", "openai")  # the backbone of the published linear heads


class EmbeddingScorer(Head):
    """Base of every head; see ``selector.domain.embedding.Head``. A subclass states the facts and writes ``read``.

    Args:
        model, pretrained, weights_path, config_path: a backbone of its own; by default that of ``[embedding]``.
    """

    name: ClassVar[str]
    columns: tuple[Column, ...]
    task_types: frozenset[TaskType]
    revision: ClassVar[str] = "1"  # raise it when the same vectors no longer give the same scores
    settings_in_version: ClassVar[tuple[str, ...]] = ("model", "pretrained", "weights_path", "config_path")  # the space
    view: View = View.WHOLE
    with_source: ClassVar[bool] = False
    tolerance: ClassVar[float] = 1e-4  # of scores in other batch sizes; seen on a CPU: 4e-6, see docs/embedding.md

    def __init__(self, model: str = "", pretrained: str = "", weights_path: str = "", config_path: str = "") -> None:
        own = {"model": model, "pretrained": pretrained, "weights_path": weights_path, "config_path": config_path}
        self._own = {key: value for key, value in own.items() if value}
        self._translations: Mapping[str, str] = {}
        self._recent: RecentVectors | None = None
        self._use(EmbeddingSettings())

    def meet(self, contest: ContestContext) -> None:
        """Take the contest's backbone and translations; a subclass may take more."""
        self._translations = contest.translations
        self._use(contest.embedding)

    @property
    def version(self) -> str:
        """Revision, backbone, and what else of the head changes its scores."""
        return "-".join([self.revision, self.backbone.space, *self._more_version()])

    def check(self) -> None:
        """Raise ``MissingPart`` when the backbone or the head's weights are not here."""
        self.backbone.check()

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Scores of each item; outside a campaign, whose runs share the passes among all heads."""
        if self._recent is None:
            self._recent = RecentVectors()
        return look([Request(self, items)], self._recent, self._translations)[0] if items else []

    def _use(self, settings: EmbeddingSettings) -> None:
        own: dict[str, Any] = dict(self._own)
        if "weights_path" not in own and ("pretrained" in own or own.get("model") == EMBEDDED):
            own = {"weights_path": "", "config_path": "", **own}  # a tag of its own replaces the contest's files
        self._settings = replace(settings, **own)
        self.backbone: Backbone = openclip.backbone_of(self._settings)

    def _more_version(self) -> list[str]:
        """Of a head that reads texts: which of them it can read, and their translations."""
        reads = [] if self._settings.reads == "auto" else [f"reads-{self._settings.reads}"]
        return [*reads, *([f"t{stable_hash(dict(self._translations), 6)}"] if self._translations else [])]

    def _unscored(self, reason: str) -> dict[str, Score]:
        return {column.name: Score.unscored(reason) for column in self.columns}


def clipped(value: float, column: Column) -> Score:
    """A measure cut to the column's range."""
    return Score.of(min(column.high, max(column.low, value)))


class LinearHead(EmbeddingScorer):
    """A head with one direction and an offset, from a file of weights.

    Args:
        head_path: another file than the catalogue's.
        model, pretrained, weights_path, config_path: see ``EmbeddingScorer``.
    """

    head: ClassVar[str]  # its name in the catalogue of weights
    settings_in_version = (*EmbeddingScorer.settings_in_version, "head_path")  # by the content of the file

    def __init__(
        self, head_path: str = "", model: str = "", pretrained: str = "", weights_path: str = "", config_path: str = ""
    ) -> None:
        super().__init__(model, pretrained, weights_path, config_path)
        self._head_path = head_path

    def check(self) -> None:
        """Raise ``MissingPart`` when the backbone or the head's weights are not here."""
        self._check_backbone()  # first: what does not fit need not be fetched
        super().check()
        if not self._file().is_file():
            raise MissingPart(f"there are no weights at {self._file()}: mend head_path of [scorers.{self.name}]")

    def directions(self) -> Floats:
        """(dim, 1)."""
        return affine_map(self._file())[0][:, None]

    @property
    def offset(self) -> float:
        return affine_map(self._file())[1]

    def _check_backbone(self) -> None:
        """The number of dimensions cannot tell: many backbones have 768.

        A head of one's own is trusted, and so is an architecture of one's own, and weights of the right architecture.
        """
        own = self._settings
        named = own.model.removesuffix("-quickgelu"), "weights of your own" if own.weights_path else own.pretrained
        fits = named[0] == TRAINED_ON[0] if own.weights_path else named == TRAINED_ON
        if not fits and not own.config_path and not self._head_path:
            raise MissingPart(
                f"this head was trained on {' '.join(TRAINED_ON)}, not on {' '.join(named)}: "
                f'under [scorers.{self.name}] set model = "{TRAINED_ON[0]}" and pretrained = "{TRAINED_ON[1]}"'
            )

    def _file(self) -> Path:
        return Path(self._head_path) if self._head_path else need(self.head)

    def _more_version(self) -> list[str]:
        try:
            return [content_tag(self._file())]
        except (MissingPart, OSError):
            return ["absent"]


@lru_cache(maxsize=8)
def affine_map(path: Path) -> tuple[Floats, float]:
    """The affine map, (dim,) and offset, that a stack of linear layers without activations is.

    Layers are taken in the order of the file; the product is taken in float64, once.

    Raises:
        InputError: the file holds something else.
    """
    try:
        loaded = load_state(path)
        if any(value.is_complex() for value in loaded.values()):
            raise ValueError("complex numbers")
        state = {key: np.asarray(value.float().numpy(), np.float64) for key, value in loaded.items()}
    except Exception as error:  # numbers of a type that nothing computes with
        why = why_unreadable(error, path)
        raise InputError(f"{path.name} holds numbers that are not read here ({why}): take another file") from error
    weights = [value for key, value in state.items() if key.endswith("weight")]
    offsets = [value for key, value in state.items() if key.endswith("bias")]
    if not _is_stack(weights, offsets) or not all(np.isfinite(value).all() for value in state.values()):
        raise InputError(f"{path.name} holds no stack of linear layers that ends in one number: take another file")
    product, offset = np.eye(weights[0].shape[1]), np.zeros(weights[0].shape[1])
    for weight, bias in zip(weights, offsets, strict=True):
        product, offset = weight @ product, weight @ offset + bias
    return np.asarray(product[0], np.float32), float(offset[0])


def _is_stack(weights: list[Any], offsets: list[Any]) -> bool:
    if not weights or len(weights) != len(offsets) or any(w.ndim != 2 for w in weights) or weights[-1].shape[0] != 1:
        return False
    joined = all(a.shape[0] == b.shape[1] for a, b in pairwise(weights))
    return joined and all(w.shape[0] == b.size for w, b in zip(weights, offsets, strict=True))
