"""What scorers over the shared embedding have in common: their backbone, their version, scoring outside a campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from selector.domain import Column, Item, Score, TaskType, stable_hash
from selector.domain.embedding import Backbone, ContestContext, EmbeddingSettings, Head, View
from selector.sight.embedded import NAME as EMBEDDED

if TYPE_CHECKING:
    from selector.sight.embedding.vectors import RecentVectors


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
        from selector.sight.embedding.looking import Request, look
        from selector.sight.embedding.vectors import RecentVectors

        if self._recent is None:
            self._recent = RecentVectors()
        return look([Request(self, items)], self._recent, self._translations)[0] if items else []

    def _use(self, settings: EmbeddingSettings) -> None:
        from selector.sight.embedding.openclip import backbone_of

        own: dict[str, Any] = dict(self._own)
        if "weights_path" not in own and ("pretrained" in own or own.get("model") == EMBEDDED):
            own = {"weights_path": "", "config_path": "", **own}  # a tag of its own replaces the contest's files
        self._settings = replace(settings, **own)
        self.backbone: Backbone = backbone_of(self._settings)

    def _more_version(self) -> list[str]:
        """Of a head that reads texts: which of them it can read, and their translations."""
        reads = [] if self._settings.reads == "auto" else [f"reads-{self._settings.reads}"]
        return [*reads, *([f"t{stable_hash(dict(self._translations), 6)}"] if self._translations else [])]

    def _unscored(self, reason: str) -> dict[str, Score]:
        return {column.name: Score.unscored(reason) for column in self.columns}


def clipped(value: float, column: Column) -> Score:
    """A measure cut to the column's range."""
    return Score.of(min(column.high, max(column.low, value)))
