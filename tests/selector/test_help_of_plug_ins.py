"""``help()`` of every scorer and generator says what it does, by the class alone."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

from selector.registry import BUILTIN_GENERATORS, BUILTIN_SCORERS, create_scorer

PLUG_INS = sorted({**BUILTIN_SCORERS, **BUILTIN_GENERATORS}.items())


def help_of(place: str) -> str:
    module, _, name = place.partition(":")
    return inspect.getdoc(getattr(importlib.import_module(module), name)) or ""


@pytest.mark.parametrize(("name", "place"), PLUG_INS)
def test_a_class_states_its_name_licence_cost_failures_and_an_example(name: str, place: str) -> None:
    text = help_of(place)
    assert text.startswith(f"{name}: ")
    assert re.search(r"^(Models?|Licence|Model and licence|Model, licence, cost)\b", text, re.MULTILINE)
    assert re.search(r"\b[Cc]ost: ", text)
    assert re.search(r"\b(Fails|Weak)\b", text)
    _, _, example = text.partition("\nExample:\n")
    assert ">>> " in example or re.search(rf"\[(scorers|generators)\.{name}\]", example)


@pytest.mark.parametrize("place", sorted(BUILTIN_SCORERS.values()))
def test_a_scorer_states_range_direction_axis_input_and_source(place: str) -> None:
    text = help_of(place)
    for label in ("Range and direction", "Axis", "Input", "Source"):
        assert re.search(rf"(^|\. ){label}: ", text, re.MULTILINE), label


@pytest.mark.parametrize("name", sorted(set(BUILTIN_SCORERS) - {"pyiqa"}))  # its ranges are those of each metric
def test_the_ranges_that_a_scorer_states_are_those_of_its_columns(name: str) -> None:
    text = help_of(BUILTIN_SCORERS[name]).replace("{0, 1}", "[0, 1]")
    for column in create_scorer(name).columns:
        assert f"[{column.low:g}, {column.high:g}]" in text, column.name


@pytest.mark.parametrize("place", [place for _, place in PLUG_INS])
def test_the_modules_docstring_repeats_nothing(place: str) -> None:
    module = importlib.import_module(place.partition(":")[0])
    assert len((module.__doc__ or "").splitlines()) == 1
