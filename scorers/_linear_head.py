"""Published heads that are linear in an embedding: found by name, loaded as plain tensors, kept in the process."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from scorers._embedded import EmbeddingScorer
from selector.domain import InputError, MissingPart
from selector.weights import content_tag, load_state, need

Floats = np.ndarray[Any, np.dtype[np.float32]]


TRAINED_ON = ("ViT-L-14", "openai")


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
    state = {key: np.asarray(value.float().numpy(), np.float64) for key, value in load_state(path).items()}
    weights = [value for key, value in state.items() if key.endswith("weight")]
    offsets = [value for key, value in state.items() if key.endswith("bias")]
    if not _is_stack(weights, offsets):
        raise InputError(f"{path.name} holds no stack of linear layers that ends in one number")
    product, offset = np.eye(weights[0].shape[1]), np.zeros(weights[0].shape[1])
    for weight, bias in zip(weights, offsets, strict=True):
        product, offset = weight @ product, weight @ offset + bias
    return np.asarray(product[0], np.float32), float(offset[0])


def _is_stack(weights: list[Any], offsets: list[Any]) -> bool:
    if not weights or len(weights) != len(offsets) or any(w.ndim != 2 for w in weights) or weights[-1].shape[0] != 1:
        return False
    joined = all(a.shape[0] == b.shape[1] for a, b in pairwise(weights))
    return joined and all(w.shape[0] == b.size for w, b in zip(weights, offsets, strict=True))
