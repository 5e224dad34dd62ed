"""Scores of other tools: matched by what a row says, stored whole or not at all, and scores like all others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import HEADER, noise_jpeg

from selector import Campaign
from selector.domain import InputError
from selector.store.candidates import load_candidates
from selector.store.scores import scores_of

Run = Callable[..., tuple[int, str, str]]
UP = "hps:-5:15:up:sc"


@pytest.fixture
def imported(tmp_path: Path, clock: Any) -> Campaign:
    """Tasks 3 and 5 with candidates of two tools: flux/3.jpg, flux/5_a.jpg, flux/5_b.jpg and qwen/3.jpg."""
    files = {"in/a.jpg": 1, "flux/3.jpg": 2, "flux/5_a.jpg": 3, "flux/5_b.jpg": 4, "qwen/3.jpg": 5}
    for name, seed in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(noise_jpeg(seed))
    (tmp_path / "task.csv").write_text(f"{HEADER}\n3,tie,brighter,a.jpg,\n5,tie,darker,a.jpg,\n", encoding="utf-8")
    score = {"scorers": ["technical", "gate"]}
    campaign = Campaign.init(tmp_path / "c", tmp_path / "task.csv", tmp_path / "in", clock=clock, score=score)
    assert campaign.import_folder(tmp_path / "flux").made == 3
    assert campaign.import_folder(tmp_path / "qwen").made == 1
    return campaign


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def call(text: str, name: str = "scores.csv") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return call


def ids(campaign: Campaign) -> dict[str, str]:
    """ "3 flux" to the candidate's id."""
    from selector.store.imported import made_as

    with campaign._ws.db.read() as connection:
        made = made_as(connection)
    return {f"{m.generator.removeprefix('folder:')}/{m.file}": m.candidate_id for m in made}


def stored(campaign: Campaign) -> dict[str, float | None]:
    """File to its present value of the column hps."""
    versions, names = campaign._context().versions, {v: k for k, v in ids(campaign).items()}
    found: dict[str, float | None] = {}
    with campaign._ws.db.read() as connection:
        for task in ("3", "5"):
            for candidate_id, scores in scores_of(connection, versions, task).items():
                if "imported.hps" in scores:
                    found[names[candidate_id]] = scores["imported.hps"].value
    return found


def test_candidates_are_named_by_id_file_or_generator_and_all_that_a_row_says_must_fit(
    imported: Campaign, write: Callable[..., Path]
) -> None:
    one = ids(imported)["qwen/3.jpg"]
    text = f"""task,candidate,file,generator,hps
3,{one[:8].upper()},,,1
,,/data/runs/flux/3.jpg,,2
5,,5_a.jpg,flux,3
,,5_b.jpg,folder:flux,4.5
"""
    summary = imported.import_scores(write(text), [UP])
    assert (summary.new, summary.matched, summary.unmatched) == (4, 4, ())
    assert stored(imported) == {"qwen/3.jpg": 1, "flux/3.jpg": 2, "flux/5_a.jpg": 3, "flux/5_b.jpg": 4.5}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("3,,,flux,2", ""),
        ("5,,,flux,2", "row 2: 2 candidates fit task 5, generator flux: add a column candidate or file"),
        (",,3.jpg,,2", "row 2: 2 candidates fit file 3.jpg: add a column candidate or generator"),
        (",,old/3.jpg,,2", "row 2: 'old/3.jpg' lies in none of flux, qwen: give the path from there"),
        (",,9.jpg,,2", "row 2: no candidate was imported, stored or exported as '9.jpg'"),
        (',,"9\n8.jpg",,2', "row 2: no candidate was imported, stored or exported as '9\\n8.jpg'"),
        ("5,,qwen/3.jpg,,2", "row 2: no candidate fits all of task 5, file qwen/3.jpg"),
        ("9,,3.jpg,,2", "row 2: there is no task '9' in this campaign"),
        (",,,sdxl,2", "row 2: no candidate was made by 'sdxl'; known: folder:flux, folder:qwen"),
        (",abcdef123,,,2", "row 2: no candidate's id begins with 'abcdef123': ids are the file names in images/"),
        (",abc,,,2", "row 2: a candidate is named by at least 4 characters of its id, got 'abc'"),
        ("3,,,,2", "row 2: its cells name no candidate"),
    ],
)
def test_a_row_that_names_no_candidate_alone_is_listed_with_the_reason(
    imported: Campaign, write: Callable[..., Path], row: str, reason: str
) -> None:
    text = f"task,candidate,file,generator,hps\n,,qwen/3.jpg,,1\n{row}\n"
    summary = imported.import_scores(write(text), [UP])
    assert summary.unmatched == ((reason,) if reason else ())
    assert summary.new == (1 if reason else 2)


def test_a_stored_file_is_known_by_its_id_and_an_exported_one_by_its_place(
    imported: Campaign, write: Callable[..., Path]
) -> None:
    imported.score()
    imported.pick()
    exported = imported.export()
    picked = {p.task_id: p.candidate_id for p in imported.pick()}
    stored_as = imported._ws.images.path(picked["3"])
    text = f"image_path,hps\n{stored_as},1\nimgs/5.jpg,2\n"
    summary = imported.import_scores(write(text), [UP])
    names = {v: k for k, v in ids(imported).items()}
    assert stored(imported) == {names[picked["3"]]: 1, names[picked["5"]]: 2}
    again = imported.import_scores(write(f"file,hps\n{exported.submission.id}/imgs/5.jpg,2\nelsewhere/imgs/5.jpg,2\n"))
    assert (again.known, len(again.unmatched), summary.unmatched) == (1, 1, ())


def test_the_same_again_is_known_a_change_is_a_newer_version_and_the_rest_stays(
    imported: Campaign, write: Callable[..., Path]
) -> None:
    first = write("file,hps,ms\nqwen/3.jpg,1,7\nflux/3.jpg,2,8\n", "first.csv")
    assert imported.import_scores(first, [UP]).version == "1"
    before = imported._context().versions["imported"]
    again = imported.import_scores(first)
    assert (again.new, again.changed, again.known, again.version) == (0, 0, 2, "1")
    assert imported._context().versions["imported"] == before
    changed = imported.import_scores(write("file,hps\nqwen/3.jpg,1.5\nflux/5_a.jpg,3\n"))
    assert (changed.new, changed.changed, changed.known, changed.version) == (1, 1, 0, "2")
    assert stored(imported) == {"qwen/3.jpg": 1.5, "flux/3.jpg": 2, "flux/5_a.jpg": 3}
    added = imported.import_scores(first, ["ms:0:100:down:pq"])
    assert (added.new, added.changed, added.version) == (2, 1, "3"), "hps of qwen/3.jpg is what it was at first"


def test_a_task_with_values_for_some_candidates_is_warned_of(
    imported: Campaign, write: Callable[..., Path], run: Run
) -> None:
    table = write("file,hps,ms\nqwen/3.jpg,1,7\nflux/3.jpg,2,\n5_a.jpg,,8\n")
    told = run("import-scores", table, "-C", imported.folder, "--column", UP, "--column", "ms:0:100:down:pq")[1]
    assert "warning: 2 candidates of 2 tasks without imported.ms: where others of the task have it" in told
    assert "without imported.hps" not in told
    rest = imported.import_scores(write("file,ms\nflux/3.jpg,3\n5_b.jpg,4\n"))
    assert rest.lacking == {}


def test_a_wider_range_is_a_newer_version_and_one_that_loses_values_is_refused(
    imported: Campaign, write: Callable[..., Path]
) -> None:
    imported.import_scores(write("file,hps\nqwen/3.jpg,14\n"), [UP])
    table = write("file,hps\nflux/3.jpg,20\n")
    assert imported.import_scores(table, ["hps:-5:25:up:sc"], redeclare=True).version == "2"
    assert stored(imported) == {"qwen/3.jpg": 14, "flux/3.jpg": 20}
    with pytest.raises(InputError, match=r"has 14 from an earlier import: declare a range that holds it"):
        imported.import_scores(write("file,hps\nflux/3.jpg,2\n"), ["hps:0:10:up:sc"], redeclare=True)
    assert stored(imported) == {"qwen/3.jpg": 14, "flux/3.jpg": 20}


@pytest.mark.parametrize(
    ("text", "columns", "fault"),
    [
        (
            "file,hps\nqwen/3.jpg,1\n",
            [],
            r"say what its scores mean, as in --column 'hps:LOW:HIGH:up:pq' \(it holds 1 to 1\)",
        ),
        ("file,note\nqwen/3.jpg,fine\n", [], "it has no column of numbers"),
        ("file,hps\nqwen/3.jpg,1\n", ["hsp:0:1:up:sc"], r"has no column 'hsp' \(did you mean 'hps'\?\)"),
        ("file,hps\nqwen/3.jpg,1\nflux/3.jpg,16\n", [UP], "declared as -5 to 15, but row 2 has 16"),
        ("file,hps\nqwen/3.jpg,1\nflux/3.jpg,n.a.\n", [UP], "holds numbers, but 'n.a.' in row 2"),
        ("file,hps\nqwen/3.jpg,inf\n", [UP], "is infinite in row 1"),
        ("file,hps\nqwen/3.jpg,\n", [UP], "holds no number"),
        ("hps\n1\n", [UP], "names no candidates: it needs a column candidate"),
        ("task,hps\n3,1\n", [UP], "names no candidates"),
        ("file,path,hps\na,b,1\n", [UP], "'file' and 'path', which say the same"),
        ("file,hps\nqwen/3.jpg,1\nqwen/3.jpg,2\n", [UP], "rows 1 and 2 have other scores of the same candidate"),
        ("file,hps\nx.jpg,1\n", [UP], r"no row names a candidate of this campaign; row 1: no candidate was imported"),
        ("file,hps\nqwen/3.jpg,1\n", ["hps:0:1:up:gate"], "cannot be a gate"),
        ("file,hps\nqwen/3.jpg,1\n", ["hps:0:1:up:xy"], "axis must be one of sc, pq; got 'xy'"),
        ("file,hps\nqwen/3.jpg,true\n", [UP], "has true in row 1, which is no number"),
        ("file,hps\nqwen/3.jpg,1\nflux/3.jpg,False\n", [UP], "has false in row 2, which is no number"),
        ("file,hps\nqwen/3.jpg,1\nflux/3.jpg,\nqwen/3.jpg,2\n", [UP], "rows 1 and 3 have other scores"),
        ("file,hps\nqwen/3.jpg,1\n", ["hps:0:1:better:sc"], "better must be one of up, down; got 'better'"),
        ("file,hps\nqwen/3.jpg,1\n", ["hps"], r"told as NAME:LOW:HIGH:up\|down:sc\|pq"),
        ("file,hps\nqwen/3.jpg,1\n", ["hps:a:1:up:sc"], "LOW and HIGH .* must be numbers"),
        ("file,hps\nqwen/3.jpg,1\n", [UP, UP], "declared twice"),
        ("file,hps\nqwen/3.jpg,1\n", [UP, "file:0:1:up:sc"], "names candidates, so it cannot be a score"),
        ("file,hps\n", [UP], "holds no row"),
        ('file,hps\nqwen/3.jpg,"0,31"\n', [UP], "holds no number; '0,31' has a decimal comma: write 0.31"),
        ("task,generator,hps\n３,qwen,1\n", [UP], "no task '３' .* is in full-width characters: type '3'"),
    ],
)
def test_a_wrong_table_is_told_and_nothing_is_stored(
    imported: Campaign, write: Callable[..., Path], text: str, columns: list[str], fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        imported.import_scores(write(text), columns)
    assert "imported" not in imported._context().versions
    assert stored(imported) == {}


@pytest.mark.parametrize("again", ["hps:-5:15:down:sc", "hps:-5:15:up:pq", "hps:-5:25:up:sc"])
def test_a_column_keeps_its_meaning_unless_one_asks_for_another(
    imported: Campaign, write: Callable[..., Path], run: Run, again: str
) -> None:
    """A slip in --column turned round what all values that were stored mean."""
    table = write("file,hps\nqwen/3.jpg,1\n")
    imported.import_scores(table, [UP])
    before = imported._context().versions["imported"]
    said = f"was declared as -5:15:up:sc by an earlier import, and now as {again.removeprefix('hps:')}: leave out"
    with pytest.raises(InputError, match=said):
        imported.import_scores(table, [again])
    assert imported._context().versions["imported"] == before
    assert imported.import_scores(table, [UP]).version == "1"
    code, out, _ = run("import-scores", table, "-C", imported.folder, "--column", again, "--redeclare", "--json")
    assert (code, json.loads(out)["version"]) == (0, "2")
    assert stored(imported) == {"qwen/3.jpg": 1}


def test_rows_of_one_candidate_that_do_not_differ_count_together(
    imported: Campaign, write: Callable[..., Path], run: Run
) -> None:
    table = write("file,hps,ms\nqwen/3.jpg,1,\nqwen/3.jpg,1,7\nflux/3.jpg,,8\nflux/3.jpg,2,\n")
    code, out, _ = run("import-scores", table, "-C", imported.folder, "--column", UP, "--column", "ms:0:100:down:pq")
    assert code == 0
    assert out.splitlines()[0] == "4 new values, 0 changed, 0 known already, of 4 candidate rows"
    assert out.splitlines()[3:] == ["rows of a candidate that an earlier row names: 2", "empty cells: 3"]
    again = imported.import_scores(write("file,hps\nqwen/3.jpg,1\nqwen/3.jpg,1\n"))
    assert (again.known, again.repeated, again.empty) == (1, 1, 0)


def test_true_in_json_is_no_score(imported: Campaign, write: Callable[..., Path]) -> None:
    rows = [{"file": "qwen/3.jpg", "hps": True}, {"file": "flux/3.jpg", "hps": 1.5}]
    with pytest.raises(InputError, match="has true in row 1, which is no number: write 1 or 0"):
        imported.import_scores(write(json.dumps(rows), "scores.json"), [UP])


def test_decimal_commas_and_full_width_digits_are_read(imported: Campaign, write: Callable[..., Path]) -> None:
    imported.import_scores(write("sep=;\nfile;hps\nqwen/3.jpg;0,31\nflux/3.jpg;１，５\n"), [UP])
    assert {value for value in stored(imported).values() if value is not None} == {0.31, 1.5}


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_every_kind_of_file_says_the_same(imported: Campaign, write: Callable[..., Path], suffix: str) -> None:
    rows: list[Mapping[str, Any]] = [
        {"task": "3", "generator": "qwen", "hps": 1.25},
        {"task": "3", "generator": "flux"},
    ]
    path = write("", f"scores.{suffix}")
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
        import pandas as pd

        pd.DataFrame(rows).to_parquet(path)
    elif suffix == "json":
        path.write_text(json.dumps(rows))
    elif suffix == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        separator = "," if suffix == "csv" else "\t"
        path.write_text(
            "\n".join(map(separator.join, (["task", "generator", "hps"], ["3", "qwen", "1.25"], ["3", "flux", ""])))
        )
    summary = imported.import_scores(path, [UP])
    assert (summary.new, summary.empty, stored(imported)) == (1, 1, {"qwen/3.jpg": 1.25})


def test_later_verbs_count_an_imported_score(imported: Campaign, write: Callable[..., Path], run: Run) -> None:
    table = write("file,hps\nflux/3.jpg,-5\nqwen/3.jpg,15\nflux/5_a.jpg,-5\nflux/5_b.jpg,15\n")
    imported.score()
    imported.close()
    folder = imported.folder
    code, out, _ = run("import-scores", table, "-C", folder, "--column", UP, "--json")
    assert code == 0 and json.loads(out)["new"] == 4
    config = folder / "campaign.toml"
    config.write_text(config.read_text().replace("scores = {}", 'scores = { "imported.hps" = 0.9 }'))
    assert json.loads(run("score", "-C", folder, "--json")[1])["candidates"] == 0
    picked = {p["task_id"]: p["candidate_id"] for p in json.loads(run("pick", "-C", folder, "--json")[1])}
    known = ids(Campaign(folder))
    assert picked == {"3": known["qwen/3.jpg"], "5": known["flux/5_b.jpg"]}
    assert "imported.hps" in run("explain", "3", "-C", folder, "--json")[1]
    assert "imported.hps" in run("calibrate", "-C", folder, "--json")[1]
    assert run("status", "-C", folder)[0] == run("report", "-C", folder)[0] == run("plan", "-C", folder)[0] == 0


def test_in_words_it_says_what_was_taken_and_what_was_not(
    imported: Campaign, write: Callable[..., Path], run: Run
) -> None:
    text = "file,hps,seed_used\nqwen/3.jpg,1,5\nflux/3.jpg,,6\nnone.jpg,1,7\n"
    code, out, _ = run("import-scores", write(text), "-C", imported.folder, "--column", UP)
    assert code == 0
    assert out.splitlines() == [
        "1 new value, 0 changed, 0 known already, of 2 candidate rows",
        "  imported.hps: hps, -5 to 15, higher is better",
        "empty cells: 1",
        "columns passed over: seed_used",
        "1 row names no candidate:",
        "  row 3: no candidate was imported, stored or exported as 'none.jpg'",
        "warning: 1 candidate of 1 task without imported.hps: where others of the task have it, each counts as the "
        "worst of them; give it for all of a task, or for none",
    ]


def test_a_candidate_of_two_tasks_needs_the_task(
    imported: Campaign, tmp_path: Path, write: Callable[..., Path]
) -> None:
    twin = tmp_path / "twin"
    twin.mkdir()
    for name in ("3.jpg", "5.jpg"):
        (twin / name).write_bytes(noise_jpeg(9))
    imported.import_folder(twin)
    one = ids(imported)["twin/3.jpg"]
    summary = imported.import_scores(write(f"task,candidate,hps\n,{one},1\n5,{one},2\n"), [UP])
    assert summary.unmatched == (f"row 1: 2 candidates fit candidate {one[:60]}: add a column task or file",)
    with imported._ws.db.read() as connection:
        assert {c.task_id for c in load_candidates(connection) if c.id == one} == {"3", "5"}
