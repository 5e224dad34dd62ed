"""spatial: whether the picture shows the prompt's things, with their own attributes, in their places and number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from scorers._embedded import EmbeddingScorer
from scorers._grounding import grid_evidence
from scorers._owlv2 import detect, owlv2_folder, owlv2_tag
from scorers._scene import NOTHING, checkable, questions_of, scene_scores
from selector.domain import (
    Axis,
    BestshotError,
    Column,
    InputError,
    Item,
    Score,
    Scorer,
    TaskInputs,
    TaskType,
    raise_shortage,
    reason_of,
    stable_hash,
)
from selector.domain.embedding import ContestContext, Seen, View
from selector.domain.reading import Scene
from selector.prompts.reading import read_by_rules, reading_of
from selector.sight.embedding.device import device_named
from selector.sight.embedding.texts import readable_form
from selector.weights import ABSENT

GROUNDINGS = ("grid", "owlv2")
_COUNTS = Column("counts", 0.0, 1.0, True, Axis.SC, "there are as many as the prompt says")
COLUMNS = (
    Column("objects", 0.0, 1.0, True, Axis.SC, "each thing that the prompt names is somewhere"),
    Column("attributes", 0.0, 1.0, True, Axis.SC, "colours and other attributes are on the right things"),
    Column("relations", 0.0, 1.0, True, Axis.SC, "things lie to each other as the prompt says"),
    Column("coherence", 0.0, 1.0, True, Axis.SC, "geometric mean of the others, as far as they apply"),
)


def spatial(
    grounding: str = "grid",
    model_path: str = "",
    model: str = "",
    pretrained: str = "",
    weights_path: str = "",
    config_path: str = "",
) -> GridSpatial | DetectorSpatial:
    """spatial: whether the picture shows the prompt's things, with their own attributes, in their places and number.

    Estimates: five degrees of truth of what the task's reading says (``selector.prompts.reading``):
        ``objects`` (each named thing is somewhere), ``attributes`` (a thing looks like its own attribute rather than
        like those of the other things), ``relations`` (left, right, above, below, on, under, beside; with a detector
        also in), ``counts`` (only with a detector, whose boxes can be counted), and ``coherence``, the geometric mean
        of those that apply, where an order of things that are not there does not hold.
    Range and direction: [0, 1], up. relations: 0.5 is no evidence for an order, be it that the things lie in none or
        that they are not surely there. They rank the candidates of one task.
    Axis: SC. Tasks: text to image.
    Input: the candidate and the prompt.
    Settings: ``grounding = "grid"`` (default) compares phrases with 13 overlapping crops at two scales through the
        shared embedding; ``grounding = "owlv2"`` asks a detector, from ``bestshot weights`` or from the folder
        ``model_path``.
    Model and licence: the backbone of ``[embedding]``; OWLv2 (Apache-2.0).
    Source: Radford et al. 2021 (CLIP); Minderer et al. 2023 (OWLv2); the checks are our own.
    Cost: 13 crops a candidate whose prompt says something to check, in the batch of all heads, else none; OWLv2 a pass
        at 960 px, seconds on a CPU.
    Fails: on what the reading leaves out; things smaller than a crop or side by side in one; perspective (what is
        behind is above). OWLv2 reads English. Not measured with published weights: none can be had here (see
        ``docs/spatial.md``).

    Args:
        grounding: "grid" or "owlv2".
        model_path: OWLv2's folder.
        model, pretrained, weights_path, config_path: a backbone of the grid's own, as for every head of the embedding.

    Raises:
        ValueError: there is no such grounding, or a setting belongs to the other one.

    Example:
        In ``campaign.toml``:

        [scorers.spatial]
        grounding = "owlv2"
    """
    own = {"model": model, "pretrained": pretrained, "weights_path": weights_path, "config_path": config_path}
    if grounding not in GROUNDINGS:
        raise ValueError(f"grounding must be {' or '.join(GROUNDINGS)}, got '{grounding}'")
    if grounding == "grid":
        if model_path:
            raise ValueError("model_path is OWLv2's folder: set grounding = 'owlv2' as well")
        return GridSpatial(**own)
    unfit = [key for key, value in own.items() if value]
    if unfit:
        raise ValueError(f"{unfit[0]} is a setting of grounding = 'grid'; OWLv2's folder is model_path")
    return DetectorSpatial(model_path)


class GridSpatial(EmbeddingScorer):
    """``spatial`` with ``grounding = "grid"``: phrases against 13 crops, by the shared embedding; see ``spatial``."""

    name = "spatial"
    task_types = frozenset({TaskType.T2I})
    columns = COLUMNS
    view = View.GRID
    revision = "3"
    reads_words = True
    tolerance = 1e-3  # cosines are multiplied by 100, and so is what they are off by; none was seen on a CPU

    def idle(self, inputs: TaskInputs) -> str | None:
        """A prompt that cannot be read or checked costs no crops."""
        scene, why = self._scene(inputs)
        return why or (None if scene and checkable(scene) else NOTHING)

    def texts(self, inputs: TaskInputs) -> tuple[str, ...]:
        """The phrases of the prompt's scene."""
        scene, why = self._scene(inputs)
        return questions_of(scene).phrases if scene and not why and checkable(scene) else ()

    def read(self, item: Item, seen: Seen) -> Mapping[str, Score]:
        """The scores of one candidate."""
        scene, why = self._scene(item.inputs)
        why = why or next((reason for reason in seen.unreadable if reason), None)
        if why or not scene or not checkable(scene):
            return self._unscored(why or NOTHING)
        questions = questions_of(scene)
        scores = scene_scores(scene, questions, grid_evidence(questions.phrases, seen.boxes, seen.cosines))
        return {column.name: scores[column.name] for column in self.columns}

    def _scene(self, inputs: TaskInputs) -> tuple[Scene | None, str | None]:
        return scene_for(inputs, self.backbone.reads_all, self._translations)


class DetectorSpatial(Scorer):
    """``spatial`` with ``grounding = "owlv2"``: phrases as boxes of a detector, also counted; see ``spatial``."""

    name = "spatial"
    task_types = frozenset({TaskType.T2I})
    columns = (*COLUMNS, _COUNTS)
    reads_words = True
    settings_in_version = True  # by the content of the model's files

    def __init__(self, model_path: str = "") -> None:
        self._model_path = model_path
        self._translations: Mapping[str, str] = {}
        self._device = "auto"

    def meet(self, contest: ContestContext) -> None:
        """Take the contest's device and translations: OWLv2 reads English."""
        self._translations, self._device = contest.translations, contest.embedding.device

    @property
    def on_gpu(self) -> bool:
        """Whether the device of ``[embedding]`` is none of the cores."""
        return device_named(self._device) != "cpu"

    @property
    def version(self) -> str:
        """Revision, SHA-256 of the model's files, and the translations."""
        try:
            tag = self._tag
        except BestshotError as error:  # check() says what is wrong
            raise_shortage(error)
            tag = ABSENT
        return "-".join(["3-owlv2", tag, *([stable_hash(dict(self._translations), 6)] if self._translations else [])])

    def check(self) -> None:
        """Raise ``MissingPart`` when the model or its packages are not here."""
        owlv2_folder(self._model_path)

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Scores of each item, in order."""
        return [self._scores(item) for item in items]

    def _scores(self, item: Item) -> Mapping[str, Score]:
        scene, why = scene_for(item.inputs, False, self._translations)
        if why or not scene or not checkable(scene):
            return {column.name: Score.unscored(why or NOTHING) for column in self.columns}
        questions = questions_of(scene)
        try:
            rgb = item.picture.rgb
        except InputError as error:
            return {column.name: Score.unscored(reason_of(error)) for column in self.columns}
        return scene_scores(scene, questions, detect(self._folder, self._tag, rgb, questions.phrases, self._device))

    @cached_property
    def _folder(self) -> Path:
        return owlv2_folder(self._model_path)

    @cached_property
    def _tag(self) -> str:
        return owlv2_tag(self._folder)


def scene_for(inputs: TaskInputs, reads_all: bool, translations: Mapping[str, str]) -> tuple[Scene | None, str | None]:
    """The scene of a task in a language that a model reads, or why there is none.

    Where only English is read: the reading's own English, else what rules read in the translation of the whole prompt.
    """
    reading = reading_of(inputs)
    scene = reading.scene if reads_all else reading.scene and reading.scene.in_english
    if scene is None and (not reading.tag or reading.scene):
        text, why = readable_form(inputs.task.prompt, reads_all, translations)
        if why:
            return None, why
        reading = read_by_rules(inputs.task.type, text)
        scene = reading.scene
    return scene, None if scene else reading.why_unread
