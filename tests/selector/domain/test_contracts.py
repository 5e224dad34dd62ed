"""Contracts are classes with defaults; a plug-in of before, which inherits none, is adopted as what it fulfils."""

# ruff: noqa: ARG002  what a contract hands over need not be used

from __future__ import annotations

import copy
import dataclasses
import enum
import importlib
import inspect
import multiprocessing
import pickle
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import FunctionType
from typing import Any, Protocol

import numpy as np
import pytest

from selector.domain import (
    Axis,
    BatchGenerator,
    Column,
    GenerationFailed,
    Generator,
    InputError,
    Item,
    Made,
    Recipe,
    RemoteGenerator,
    Score,
    Scorer,
    TaskInputs,
    TaskType,
)
from selector.domain.embedding import Head, View
from selector.domain.structural import adopted


class Old:
    """A generator as docs/plug-ins.md taught it before there were classes to inherit."""

    name, version, task_types = "old", "1", frozenset({TaskType.T2I})

    def check(self) -> None:
        """Needs nothing."""

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        return [Recipe("grey", seed + i) for i in range(n)]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        return Made(np.zeros((8, 8, 3), np.uint8))


class OldScorer:
    name, version, task_types = "old", "1", frozenset({TaskType.T2I})
    columns = (Column("mean", 0.0, 255.0, True, Axis.PQ, "mean level"),)

    def check(self) -> None:
        """Needs nothing."""

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        return [{"mean": Score.of(1.0)} for _ in items]


def fresh(cls: type, **members: Any) -> Any:
    """An object of a class with these members."""
    return type(cls.__name__, (cls,), members)()


def hooks(contract: Any) -> list[str]:
    return [name for name in dir(contract) if not name.startswith("_") and name not in contract.__abstractmethods__]


def test_an_old_generator_becomes_one_with_every_default() -> None:
    old = fresh(Old)
    assert not isinstance(old, Generator)
    assert adopted(old, Generator) is old
    assert isinstance(old, Generator) and not isinstance(old, (BatchGenerator, RemoteGenerator))
    assert all(hasattr(old, hook) for hook in hooks(Generator))
    facts = (old.best_first, old.last_resort, old.prompt_form, old.prompt_characters, old.lane, old.where(), old.hint)
    assert facts == (True, False, "", 0, "", "", "")


def test_an_old_scorer_becomes_one_and_may_be_told_of_the_contest() -> None:
    old = adopted(fresh(OldScorer), Scorer)
    assert isinstance(old, Scorer) and not isinstance(old, Head)
    assert (old.tolerance, old.settings_in_version, old.meet(None), old.try_out()) == (0.0, (), None, None)


def test_what_an_old_class_says_itself_stays() -> None:
    told: list[object] = []
    old = adopted(fresh(OldScorer, tolerance=0.1, meet=lambda _, contest: told.append(contest)), Scorer)
    old.meet("the contest")
    assert (old.tolerance, told) == (0.1, ["the contest"])
    unsorted = adopted(fresh(Old, best_first=False, prompt_form="tags", cancel=lambda _: "ended"), Generator)
    assert (unsorted.best_first, unsorted.prompt_form, unsorted.cancel()) == (False, "tags", "ended")


def test_what_only_one_object_of_an_old_class_has_is_its_own() -> None:
    class Choosy(Old):
        def __init__(self, form: str = "") -> None:
            if form:
                self.prompt_form = form

    assert adopted(Choosy("tags"), Generator).prompt_form == "tags"
    assert adopted(Choosy(), Generator).prompt_form == ""


BATCH = {"lane": "gpu", "batches": lambda _, r: [r], "generate_batch": lambda *_: []}
REMOTE = {
    "account": None,
    "price": 0.1,
    "batches": lambda _, r: [r],
    **dict.fromkeys(("submit", "poll", "fetch"), lambda *_: None),
}


@pytest.mark.parametrize(("members", "contract"), [(BATCH, BatchGenerator), (REMOTE, RemoteGenerator)])
def test_old_batches_and_jobs_are_known_and_their_order_is_no_ranking(members: dict[str, Any], contract: type) -> None:
    old = adopted(fresh(Old, **members), Generator)
    assert isinstance(old, contract) and isinstance(old, Generator)
    assert old.best_first is False
    assert adopted(fresh(Old, **members, best_first=True), Generator).best_first is True


def test_an_old_head_is_one() -> None:
    members = {"view": View.GRID, "backbone": None, **dict.fromkeys(("idle", "texts", "directions", "read"), print)}
    old = adopted(fresh(OldScorer, **members), Scorer)
    assert isinstance(old, Head)
    assert (old.view, old.with_source, old.own_pictures()[0]) == (View.GRID, False, ())


def test_old_classes_that_take_no_new_attributes_are_adopted() -> None:
    frozen = adopted(dataclasses.make_dataclass("Frozen", [("a", int, 1)], bases=(Old,), frozen=True)(), Generator)
    slots = adopted(type("Slots", (Old,), {"__slots__": ()})(), Generator)
    assert frozen.on_step is None and slots.on_step is None
    assert isinstance(frozen, Generator) and isinstance(slots, Generator)


def test_a_wrapper_that_looks_names_up_keeps_its_answers() -> None:
    class Wrapper:
        def __init__(self, inner: object) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

    wrapper = adopted(Wrapper(fresh(Old, prompt_form="tags")), Generator)
    assert isinstance(wrapper, Generator)
    assert (wrapper.prompt_form, wrapper.prompt_characters) == ("tags", 0)


def test_a_version_that_may_not_be_asked_for_yet_is_not_asked_for() -> None:
    @property
    def version(_: object) -> str:
        raise RuntimeError("it has not met its contest")

    assert isinstance(adopted(fresh(OldScorer, version=version), Scorer), Scorer)


def test_what_lacks_a_method_is_no_generator_and_fails_where_it_is_used() -> None:
    half = type("Half", (), {"name": "half", "version": "1"})()
    assert not isinstance(adopted(half, Generator), Generator)


def test_the_class_itself_stays_as_it_was() -> None:
    cls = type("Mine", (Old,), {})
    adopted(cls(), Generator)
    assert not issubclass(cls, Generator) and not hasattr(cls, "prompt_form")
    adopted(type("Batches", (cls,), BATCH)(), Generator)
    assert adopted(cls(), Generator).best_first and not isinstance(adopted(cls(), Generator), BatchGenerator)


def test_a_class_that_cannot_be_adopted_is_told_what_to_inherit() -> None:
    odd = type("Odd", (type,), {})("Strange", (Old,), {})()
    with pytest.raises(InputError, match=r"Strange must inherit selector\.domain\.Generator"):
        adopted(odd, Generator)


class Pooled(OldScorer):
    """At the level of a module, as pickle asks; it spreads its work over processes by its own methods."""

    def __init__(self, level: float = 1.0) -> None:
        self.level = level

    def one(self, item: float) -> float:
        return item * self.level

    @classmethod
    def ours(cls, item: float) -> float:
        return item + 1


class Around:
    def __init__(self, inner: object) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> object:
        if name == "inner":  # not there yet while it is unpickled
            raise AttributeError(name)
        return getattr(self.inner, name)


@pytest.mark.parametrize("protocol", [*range(pickle.HIGHEST_PROTOCOL + 1)])
def test_an_adopted_object_can_be_pickled_and_stays_adopted(protocol: int) -> None:
    old = adopted(Pooled(2.0), Scorer)
    assert type(adopted(Pooled(), Scorer)) is type(old)
    one, ours = pickle.loads(pickle.dumps((old.one, old.ours), protocol))
    assert (one(3.0), ours(3.0)) == (6.0, 4.0)
    assert isinstance(one.__self__, Scorer) and type(copy.deepcopy(old)) is type(old)
    wrapper = adopted(Around(adopted(Pooled(3.0), Scorer)), Scorer)
    again = pickle.loads(pickle.dumps(wrapper, protocol))
    assert (again.one(2.0), again.name, again.tolerance) == (6.0, wrapper.name, 0.0)


class Sized(Protocol):
    side: int


def test_a_class_with_a_metaclass_of_an_abstract_kind_is_adopted_too() -> None:
    assert isinstance(adopted(type("Stated", (Old, Sized), {})(), Generator), Generator)


def test_an_adopted_scorer_may_spread_its_work_over_processes() -> None:
    old = adopted(Pooled(2.0), Scorer)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(old.one, [1.0, 2.0])) == [2.0, 4.0]


def test_a_wrapper_answers_what_its_inner_one_says_now() -> None:
    inner = fresh(Old, prompt_form="tags")
    wrapper, other = adopted(Around(inner), Generator), adopted(Around(fresh(Old, prompt_form="words")), Generator)
    assert (wrapper.prompt_form, other.prompt_form) == ("tags", "words")
    wrapper.prompt_form = "own"
    assert (wrapper.prompt_form, other.prompt_form) == ("own", "words")


def test_a_class_that_refuses_to_be_inherited_is_told_what_to_inherit() -> None:
    class Last(Old):
        def __init_subclass__(cls) -> None:
            raise RuntimeError("nobody inherits this\nnor that")

    hint = r"Last must inherit selector\.domain\.Generator \(nobody inherits this\)$"
    with pytest.raises(InputError, match=hint):
        adopted(Last(), Generator)


def test_at_most_three_methods_are_to_be_written() -> None:
    assert Generator.__abstractmethods__ == {"recipes", "generate"}
    assert BatchGenerator.__abstractmethods__ == {"recipes", "generate_batch"}
    assert Scorer.__abstractmethods__ == {"score"}
    assert Head.__abstractmethods__ == {"score", "read"}
    assert RemoteGenerator.__abstractmethods__ - Generator.__abstractmethods__ == {"submit", "poll", "fetch"}


@pytest.mark.parametrize("contract", [Generator, BatchGenerator, RemoteGenerator, Scorer, Head])
def test_every_fact_and_hook_of_a_contract_is_documented(contract: Any) -> None:
    written = " ".join(cls.__doc__ or "" for cls in contract.__mro__)
    for name in hooks(contract):
        member = inspect.getattr_static(contract, name)
        assert inspect.getdoc(member) if isinstance(member, (FunctionType, classmethod)) else f"{name} (" in written, (
            name
        )


def test_a_batch_of_one_makes_what_generate_makes_or_raises() -> None:
    class Greys(BatchGenerator):
        name, version, task_types = "greys", "1", frozenset({TaskType.T2I})

        def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
            return [Recipe("grey", seed)]

        def generate_batch(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Sequence[Made | GenerationFailed]:
            return [Made(b"x") if recipe.seed else GenerationFailed("no seed") for recipe in recipes]

    inputs: Any = None
    assert Greys().generate(inputs, Recipe("grey", 1)).image == b"x"
    with pytest.raises(GenerationFailed, match="no seed"):
        Greys().generate(inputs, Recipe("grey", 0))


@pytest.mark.parametrize("module", ["contracts", "remote", "embedding"])
def test_every_public_class_says_what_it_is_and_shows_its_use(module: str) -> None:
    found = vars(importlib.import_module(f"selector.domain.{module}"))
    own = [thing for thing in found.values() if inspect.isclass(thing) and thing.__module__.endswith(f".{module}")]
    for cls in own:
        assert cls.__doc__, cls
        shows = ">>>" in cls.__doc__ or issubclass(cls, (Exception, enum.Enum)) or cls.__name__ == "Backbone"
        assert shows, f"{cls.__name__} has no example"
