"""What scorers over one shared embedding need: the backbone's contract, the ways of looking, and what was seen.

A *backbone* turns crops and texts into vectors of one space (Radford et al. 2021, CLIP). A *head* is a scorer that
reads those vectors. Heads of one backbone share its passes: the runs embed a picture once a view, and multiply its
vectors once with the directions of all heads.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from selector.domain.contracts import Scorer
from selector.domain.picture import Picture
from selector.domain.types import Item, Score, Task, TaskInputs

if TYPE_CHECKING:
    import numpy as np

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"
Crops: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"


class View(str, Enum):
    """Which crops of a picture go through a backbone; ``selector.sight.embedding.views`` cuts them."""

    WHOLE = "whole"  # one: the shorter side scaled to the backbone's, then the centre
    NATIVE = "native"  # five at native resolution: the corners and the centre
    GRID = "grid"  # overlapping ones at two scales, for things that must be found somewhere


class Backbone(Protocol):
    """A model that embeds crops and texts into one space. Loads itself at first use; safe to call from threads."""

    @property
    def space(self) -> str:
        """Model, weights, preprocessing and precision: vectors of two spaces are never compared or mixed."""

    @property
    def side_px(self) -> int:
        """Side of the square crops that it takes."""

    @property
    def reads_all(self) -> bool:
        """Whether it reads other scripts than the Latin one."""

    @property
    def on_cpu(self) -> bool:
        """Whether the model runs on the cores that decode pictures, too."""

    @property
    def on_torch(self) -> bool:
        """Whether torch is here to run it, and to cut its crops; else Pillow cuts them."""

    @property
    def batch(self) -> int:
        """Crops in one forward pass."""

    def check(self) -> None:
        """Raise ``MissingPart`` with the cure when it cannot run here; load nothing heavy."""

    def embed_crops(self, crops: Crops) -> Floats:
        """(n, side, side, 3) uint8 to (n, dim), not normalised."""

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """One vector of length 1 a text, (n, dim), however long the text is."""


@dataclass(frozen=True)
class Seen:
    """What a backbone saw of one candidate in one view, as a head reads it.

    ``vectors`` (crops, dim) as the backbone gives them; ``boxes`` (crops, 4) left, top, right, bottom as shares of
    width and height; ``own`` (crops, k) their products with the head's own directions; ``cosines`` (crops, t) with the
    head's texts, NaN where the backbone cannot read a text; ``unreadable``: why, by text, None where it can;
    ``source_vectors`` (crops, dim) of the task's source picture in the same view, where the head asks for it, and
    ``no_source``: why there are none. ``all_texts`` and ``text_rows``: unit vectors of the pass, and the head's rows.

    Example:
        >>> import numpy as np
        >>> none, whole = np.zeros((0, 2), np.float32), np.array([[0, 0, 1, 1]], np.float32)
        >>> seen = Seen(np.array([[0, 2]], np.float32), whole, none, none, none, ())
        >>> seen.lengths.tolist(), seen.units.tolist()
        ([2.0], [[0.0, 1.0]])
    """

    vectors: Floats
    boxes: Floats
    own: Floats
    cosines: Floats
    all_texts: Floats
    text_rows: Sequence[int]
    unreadable: tuple[str | None, ...] = ()
    source_vectors: Floats | None = None
    no_source: str | None = None  # why there are no source vectors

    @property
    def text_vectors(self) -> Floats:
        """(t, dim) of the head's texts, at length 1; of an unreadable one some other text's."""
        import numpy as np

        return np.asarray(self.all_texts[np.maximum(np.asarray(self.text_rows, int), 0)], np.float32)

    @property
    def lengths(self) -> Floats:
        """(crops,) Euclidean lengths of the vectors."""
        import numpy as np

        return np.asarray(np.linalg.norm(self.vectors, axis=1), np.float32)

    @property
    def units(self) -> Floats:
        """(crops, dim) the vectors at length 1."""
        import numpy as np

        return np.asarray(self.vectors / np.maximum(self.lengths, 1e-12)[:, None], np.float32)


class Head(Scorer):
    """A scorer that reads an embedding; heads of one backbone share its passes. To write: ``read``, and ``score``.

    ``score`` serves outside of a campaign, whose runs call ``read`` with what one pass saw for all heads.

    Facts to state beside a scorer's:
        backbone: the model whose vectors it reads, usually that of ``ContestContext.embedding``.

    Facts with a default:
        view (``View.WHOLE``): which crops of a picture it reads.
        with_source (False): whether it also reads the task's source picture.

    Example:
        >>> from selector.domain.embedding import Head, View
        >>> Head.view is View.WHOLE, sorted(Head.__abstractmethods__)
        (True, ['read', 'score'])
    """

    __slots__ = ()  # for `structural`: an old plug-in may have none

    backbone: Backbone
    view: View = View.WHOLE
    with_source: ClassVar[bool] = False

    @abstractmethod
    def read(self, item: Item, seen: Seen) -> Mapping[str, Score]:
        """The scores of one candidate."""

    def idle(self, inputs: TaskInputs) -> str | None:  # noqa: ARG002
        """Why no candidate of this task need be looked at, and stays unscored; None, by default: they must."""
        return None

    def texts(self, inputs: TaskInputs) -> tuple[str, ...]:  # noqa: ARG002
        """The texts of a task that its candidates are compared with; none, by default."""
        return ()

    def directions(self) -> Floats:
        """(dim, k) directions of the head's own; (0, 0), by default: it has none."""
        import numpy as np

        return np.zeros((0, 0), np.float32)

    def own_pictures(self) -> tuple[Sequence[str], Callable[[str], Picture]]:
        """Ids of pictures to be embedded beside the candidates, and what reads one; none, by default."""
        return (), _no_picture

    def keep_in(self, vectors: Any) -> None:
        """Take the store in which the vectors of ``own_pictures`` (whole view) will be, before anything is read."""


def _no_picture(key: str) -> Picture:
    raise KeyError(key)


@dataclass(frozen=True)
class EmbeddingSettings:
    """Which backbone, and how it runs; ``[embedding]`` in ``campaign.toml``. Paths are absolute by now.

    Example:
        >>> EmbeddingSettings(pretrained="", weights_path="/models/clip.safetensors").batch
        32
    """

    model: str = "ViT-L-14"
    pretrained: str = "openai"
    weights_path: str = ""  # an own file of weights instead of the tag
    config_path: str = ""  # an own architecture, as open_clip writes them
    reads: str = "auto"  # "english", "all", or by the model's name
    device: str = "auto"
    precision: str = "auto"
    batch: int = 32


@dataclass(frozen=True)
class ContestContext:
    """What a scorer may know of the contest beyond the item before it.

    ``translations``: English of prompts in other languages, by prompt. ``input_ids``: SHA-256 of the input pictures by
    name, as the campaign pins them; empty outside a campaign.

    Example:
        >>> contest = ContestContext((), Path("inputs"), EmbeddingSettings(), {"一只猫": "a cat"})
        >>> contest.embedding.model, contest.translations["一只猫"]
        ('ViT-L-14', 'a cat')
    """

    tasks: tuple[Task, ...]
    inputs_folder: Path
    embedding: EmbeddingSettings
    translations: Mapping[str, str]
    input_ids: Mapping[str, str] = field(default_factory=dict)


NeedsContest = Scorer  # the name of a contract of its own, before every scorer could be told of the contest
