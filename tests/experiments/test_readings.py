"""What counts as read, exact and right; the command on a set of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments import readings
from experiments.readings import by_rules, evaluate
from experiments.support import reading_server
from selector.domain.reading import Attribute, Place, Reading, Relation, Scene, TextEdit, Thing


def line(things: list[dict[str, Any]], relations: list[list[Any]]) -> dict[str, Any]:
    return {"prompt": "", "things": things, "relations": relations}


def told(things: list[Thing], *relations: Relation) -> Reading:
    return Reading(scene=Scene(tuple(things), relations, "en"))


CUP = {"noun": "cup", "count": 2, "attributes": ["gray"]}
BOX = {"noun": "box", "count": 1, "attributes": []}
READ_CUP = Thing("cup", (Attribute("colour", "grey", "grey"), Attribute("size", "big", "big")), 2, "big grey cup")
READ_BOX = Thing("box", (), None, "box")


@pytest.mark.parametrize(
    ("kind", "wanted", "right"),
    [("left", [1, "right of", 0], True), ("under", [0, "below", 1], True), ("below", [1, "above", 0], True),
     ("beside", [1, "beside", 0], True), ("on", [0, "above", 1], False), ("left", [1, "left of", 0], False)],
)  # fmt: skip
def test_a_relation_is_right_in_all_words_that_say_it(kind: Any, wanted: list[Any], right: bool) -> None:
    result = evaluate(lambda _: told([READ_CUP, READ_BOX], Relation(0, kind, 1)), [line([CUP, BOX], [wanted])])
    assert result["by_kind"]["relation"] == [1, int(right)]
    assert result["exact"] == right


def test_claims_are_counts_colours_and_relations_and_a_missing_one_is_not_wrong() -> None:
    result = evaluate(lambda _: told([READ_CUP]), [line([CUP, BOX], [])])
    assert result == {
        "n": 1, "exact": 0, "unread": 0, "claims": 2, "claims_right": 2,
        "by_kind": {"thing": [1, 1], "count": [1, 1], "colour": [1, 1]},
    }  # fmt: skip
    wrong = evaluate(lambda _: told([Thing("cup", (), 3, "cups")]), [line([CUP], [])])
    assert (wrong["claims"], wrong["claims_right"]) == (1, 0)


def test_nothing_claimed_is_unread_and_of_two_alike_the_likelier_is_meant() -> None:
    assert evaluate(lambda _: Reading(), [line([CUP], [])])["unread"] == 1
    red = CUP | {"attributes": ["red"], "count": 1}
    result = evaluate(lambda _: told([READ_CUP]), [line([red, CUP], [])])
    assert result["claims_right"] == 2


def test_text_edits_are_compared_part_by_part() -> None:
    wanted = {"instruction": "", "action": "add", "old": "", "new": "Now", "place": 'below "Menu"'}
    edit = TextEdit("add", None, "Now", Place("Menu", True, "below"))
    assert evaluate(lambda _: Reading(text_edit=edit), [wanted])["exact"] == 1
    other = evaluate(lambda _: Reading(text_edit=TextEdit("add", None, "now")), [wanted])
    assert (other["claims"], other["claims_right"], other["exact"]) == (2, 1, 0)


def test_command_reads_sets_and_writes_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.jsonl"
    lines = [
        {"prompt": "two green cups", "things": [{"noun": "cup", "count": 2, "attributes": ["green"]}], "relations": []},
        {"prompt": "绿色的茶杯", "things": [{"noun": "茶杯", "count": 1, "attributes": ["green"]}], "relations": []},
        {"instruction": "Replace 'A1' with 'B2'", "action": "replace", "old": "A1", "new": "B2"},
    ]
    file.write_text("\n".join(json.dumps(one) for one in lines), encoding="utf-8")
    assert readings.main(["--set", str(file), "--json", str(tmp_path / "out.json")]) == 0
    result = json.loads((tmp_path / "out.json").read_text())["results"][str(file)]
    assert (result["n"], result["exact"], result["unread"], result["claims"]) == (3, 3, 0, 6)
    assert "claims right 1.000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("top left", Place("poster", False, None, "top left", "in the upper left corner of the poster")),
        ('below "Menu"', Place("Menu", True, "below", None, "underneath the word 'Menu'")),
        ("below the title 'Menu'", Place("Menu", True, "below")),
        ("to the left of the door", Place("door", False, "left")),
        ("in the exact center", Place("", False, None, "centre")),
        ("on top of the box", Place("box", False, "on")),
        ("next to “Menu”", Place("Menu", True)),
        ("at the top, below the logo", Place(words="at the top, below the logo")),
    ],
)
def test_a_place_is_right_in_all_words_that_say_it(wanted: str, place: Place) -> None:
    line = {"instruction": "", "action": "add", "old": None, "new": "Now", "place": wanted}
    for said, right in ((place, True), (Place("Menu", True, "above"), False), (Place("", False, None, "right"), False)):
        result = evaluate(lambda _, said=said: Reading(text_edit=TextEdit("add", None, "Now", said)), [line])
        assert (result["by_kind"]["place"], result["exact"]) == ([1, int(right)], int(right))


def test_a_place_that_the_set_leaves_open_is_not_counted() -> None:
    edit = TextEdit("replace", "A", "B", Place("door", False, "on"))
    for line in ({"place": None}, {"place": ""}, {}):
        wanted = {"instruction": "", "action": "replace", "old": "A", "new": "B", **line}
        result = evaluate(lambda _: Reading(text_edit=edit), [wanted])
        assert "place" not in result["by_kind"] and result["exact"] == 1


def test_the_chain_of_a_model_loses_nothing_and_lets_no_fault_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_server, "FAULTS", (reading_server.REFUSAL, reading_server.NOT_THERE))
    scenes = [
        {"prompt": f"{count}只红色的{noun}在长椅上", "relations": [[0, "on", 1]], "things": [
            {"noun": noun, "count": count, "attributes": ["red"]}, {"noun": "长椅", "count": 1, "attributes": []}]}
        for noun in ("风筝", "茶壶", "帽子", "书包") for count in (2, 3, 5)
    ]  # fmt: skip
    text = {"instruction": "Paint 'NOW' below 'MENU'", "action": "add", "old": None, "new": "NOW"}
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(map(json.dumps, [*scenes, text | {"place": 'below "MENU"'}])), encoding="utf-8")
    assert readings.main(["--model", "--set", str(file), "--json", str(tmp_path / "out.json")]) == 0
    told = json.loads((tmp_path / "out.json").read_text())
    assert set(told["results"][str(file)]) == {"n", "exact", "unread", "claims", "claims_right", "by_kind"}
    result = told["by_model"][str(file)]
    assert (result["n"], result["exact"]) == (13, 13)
    runs = {(run["fault"], run["where"]): run for run in result["runs"]}
    assert all(run["wrong"] == 0 and run["read"] + run["to_rules"] == 13 for run in runs.values())
    refused = runs[reading_server.REFUSAL, reading_server.ALL]
    assert refused["stopped"] and (refused["read"], refused["asked"]) == (0, 10)
    assert runs[reading_server.REFUSAL, reading_server.ALWAYS]["to_rules"] == 5
    assert runs[reading_server.NOT_THERE, reading_server.ONCE]["read"] == 13
    assert "by a model that knows the wanted answers" in capsys.readouterr().out


def test_a_wrong_set_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.jsonl"
    file.write_text('{"prompt": "a cup"}\n')
    assert readings.main(["--set", str(file)]) == 2
    assert "line 1: expected 'prompt' and 'things'" in capsys.readouterr().err


def test_own_set_has_few_wrong_claims() -> None:
    result = evaluate(by_rules, readings.lines_of(readings.OWN))
    assert result["claims_right"] >= 0.97 * result["claims"]


def test_shared_set_is_nearly_exact() -> None:
    if not readings.SHARED.exists():
        pytest.skip(f"{readings.SHARED} is not here")
    result = evaluate(by_rules, readings.lines_of(readings.SHARED))
    assert result["claims_right"] == result["claims"]
    assert result["exact"] >= 0.9 * result["n"]
