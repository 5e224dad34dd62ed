"""The two contracts that plug-ins fulfil: classes to inherit, with a default for everything but the work itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from selector.domain.types import Column, Item, Made, Recipe, Score, TaskInputs, TaskType

if TYPE_CHECKING:
    from selector.domain.embedding import ContestContext

# Facts may be attributes of the class, set by the constructor, or properties. Only a read-only property leaves a type
# checker content with all three, and only no property at all lets a constructor set them: hence TYPE_CHECKING below.


class Generator(ABC):
    """Makes candidates. Settings are keyword arguments of the constructor, which stays cheap: it loads no model.

    Facts to state:
        name: of the plug-in, as in ``campaign.toml``.
        version: raised when the same recipe no longer gives the same picture.
        task_types: of the tasks that it can do.

    Facts with a default:
        best_first (True): the first recipe is the best guess. False where the order says nothing, such as file names.
        last_resort (False): what it makes is no answer to a task, and picked only where there is nothing else.
        free_settings (none): names of settings that change no picture, such as how many a pass makes.
        settings_in_version (none): names of settings that ``version`` has seen to, say by the content of a file.
        prompt_form (""): the wording that its model likes, one of docs/prompts.md; "": the usual of the task.
        prompt_characters (0): after how many characters it cuts a prompt; 0: never.
        lane (""): generators of one lane never run at the same time, such as models that share a GPU; "": any do.
        hint (""): what ``doctor`` adds for these settings, though they can run.
        usual_service (None): the ``selector.net.Service`` that it works at unless a campaign names another one.
        reads_words (False): what it makes follows from ``TaskInputs.reading``, so another reading is another build.
        on_step (None): set by a run to be told (steps done, steps in all) of an image that takes minutes.

    Example:
        >>> from selector.domain import Declined, Generator, Made, Recipe, TaskType
        >>> class Negative(Generator):
        ...     name, version, task_types = "negative", "1", frozenset({TaskType.TIE})
        ...     def recipes(self, inputs, n, seed):
        ...         if inputs.task.type not in self.task_types or "negative" not in inputs.task.prompt:
        ...             raise Declined("it only makes negatives of pictures")
        ...         return [Recipe("negative", seed)][:n]
        ...     def generate(self, inputs, recipe):
        ...         return Made(255 - inputs.source.rgb)
        >>> Negative().best_first, Negative().prompt_characters
        (True, 0)
    """

    if TYPE_CHECKING:

        @property
        def name(self) -> str: ...
        @property
        def version(self) -> str: ...
        @property
        def task_types(self) -> frozenset[TaskType]: ...
        @property
        def hint(self) -> str: ...
    else:
        hint = ""
        __slots__ = ()  # for `structural`: an old plug-in may have none

    best_first: bool = True
    last_resort: bool = False
    free_settings: ClassVar[Sequence[str]] = ()
    settings_in_version: ClassVar[Sequence[str]] = ()
    prompt_form: str = ""
    prompt_characters: int = 0
    lane: str = ""
    usual_service: ClassVar[Any] = None
    reads_words: ClassVar[bool] = False
    on_step: Callable[[int, int], None] | None = None

    @classmethod
    def service_for(cls, settings: Mapping[str, Any]) -> Any:
        """The service with these settings, of a campaign: ``usual_service``, by default, whatever they are."""
        del settings
        return cls.usual_service

    @abstractmethod
    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """At most ``n`` different recipes, best guess first, the same for the same arguments in every process.

        A longer list starts with the shorter one, so raising ``n`` adds candidates and redoes nothing. Raises
        ``Declined`` when the task is none that this generator can do.
        """

    @abstractmethod
    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """Make one candidate; the same recipe gives the same pixels. Raises ``Declined``, ``GenerationFailed`` or
        ``MissingPart``. Must be safe to call from several threads."""

    def check(self) -> None:
        """Raise ``MissingPart`` with the cure when the generator cannot run here; load nothing heavy. It can, here."""

    def try_out(self) -> None:
        """Raise as ``check`` does what only loading can tell; ``doctor`` alone calls it. Nothing, by default."""

    def where(self) -> str:
        """What it would run on ("cuda, bf16"), for ``doctor``; "", by default: nothing to say."""
        return ""

    def cancel(self) -> None:
        """End what ``generate`` is waiting for: the run was interrupted. Nothing, by default."""


class Scorer(ABC):
    """Turns candidates into raw scores. Settings are keyword arguments of the constructor, which stays cheap.

    Facts to state:
        name: of the plug-in, as in ``campaign.toml``.
        version: weights and preprocessing included; scores of two versions are never mixed.
        task_types: of the tasks whose candidates it scores.
        columns: what it measures, each a ``Column`` with its closed range, direction and axis.

    Facts with a default:
        settings_in_version (none): names of settings that ``version`` has seen to, or True for all.
        tolerance (0.0): largest difference that another batch, thread or process may make, as a share of a column's
            range, 0 to below 1.
        reads_words (False): scores follow from ``TaskInputs.reading``, so another reading is another version.
        hint (""): what ``doctor`` adds for these settings, though they can run.
        on_gpu (False): its model computes on a GPU here, so that each process of an engine gets one of its own.

    Example:
        >>> from selector.domain import Axis, Column, Score, Scorer, TaskType
        >>> class Level(Scorer):
        ...     name, version, task_types = "level", "1", frozenset(TaskType)
        ...     columns = (Column("mean", 0.0, 255.0, True, Axis.PQ, "mean level of all pixels"),)
        ...     def score(self, items):
        ...         return [{"mean": Score.of(item.picture.rgb.mean())} for item in items]
        >>> Level().tolerance
        0.0
    """

    if TYPE_CHECKING:

        @property
        def name(self) -> str: ...
        @property
        def version(self) -> str: ...
        @property
        def task_types(self) -> frozenset[TaskType]: ...
        @property
        def columns(self) -> tuple[Column, ...]: ...
        @property
        def hint(self) -> str: ...
        @property
        def on_gpu(self) -> bool: ...
    else:
        hint, on_gpu = "", False
        __slots__ = ()  # for `structural`: an old plug-in may have none

    settings_in_version: ClassVar[Sequence[str] | bool] = ()
    tolerance: ClassVar[float] = 0.0
    reads_words: bool = False

    @abstractmethod
    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """One mapping from column name to ``Score`` for each item, in the order of ``items``, every column present.

        What cannot be measured is ``Score.unscored(reason)``; the scorer does not raise for a single bad item.
        Must be safe to call from several threads.
        """

    def check(self) -> None:
        """Raise ``MissingPart`` with the cure when the scorer cannot run here; load nothing heavy. It can, here."""

    def try_out(self) -> None:
        """Raise as ``check`` does what only loading can tell; ``doctor`` alone calls it. Nothing, by default."""

    def where(self) -> str:
        """What it would run on, for ``doctor``; "", by default: nothing to say."""
        return ""

    def meet(self, contest: ContestContext) -> None:
        """Take what is needed of the contest. Called once, before ``version`` is read or anything is scored.

        What changes scores must change ``version``. Nothing is taken, by default.
        """

    def close(self) -> None:
        """End what runs beside it, such as a program: the run is over, or was interrupted. Nothing, by default."""
