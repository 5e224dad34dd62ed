"""Readers of tables: tasks, scores, judgements, readings, translations, plans; CSV, JSON, Parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.support.hostile_inputs import Strategy, json_texts, tables
from experiments.support.hostile_shared import (
    CELLS,
    IDS,
    MINI,
    TASKS,
    TIANCHI,
    in_file,
    strategy,
    texts_of,
)
from experiments.support.hostile_trial import Reader
from selector.domain import InputError, TaskType


def _read_tasks(path: Path, profile: Any) -> None:
    from selector.contest.task_table import read_task_table

    read_task_table(path, profile, path.parent)


def _read_judgements(path: Path) -> list[str]:
    from selector.decide._judgement_table import read_axes, read_judgement_table, read_pass_number

    said, kinds = [], {task.id: [task.type] for task in TASKS}
    for row in read_judgement_table(path, TIANCHI)[0]:
        for kind in kinds.get(row.task, TaskType):
            try:
                read_pass_number(row.number)
                read_axes(row.cells, kind, TIANCHI)
            except InputError as error:
                said.append(f"{row.place}: {error}")
    return said


def _read_scores(path: Path) -> list[str]:
    from selector.measure._names_in_tables import Candidates, Exported
    from selector.measure._score_table import column_from, read_score_table
    from selector.store.imported import MadeAs

    table = read_score_table(path, [column_from("hps:-30:30:up:pq")], [column_from("fid:0:100:down:sc")])
    keys = [("3", IDS[0]), ("7", IDS[1])]
    made = [MadeAs("3", IDS[0], "folder:a", "", 5, "3.png"), MadeAs("7", IDS[1], "wanx", "v", None, "")]
    known = Candidates(keys, ["3", "7"], made, [Exported(keys[0], "1a2b3c4d", "imgs/3.jpg", True)])
    said = []
    for row in table.rows:
        try:
            known.named(row.names)
        except InputError as error:
            said.append(f"row {row.number}: {error}")
    return said


_SELECT = b"task,candidate,generator,judge,aesthetic\na,1,x,7,0.5\na,2,y,4,0.7\nb,3,x,5,0.1\nb,4,y,6,0.9\n"


def _select(path: Path) -> None:
    from selector.tables import read_contest

    read_contest(path, {"judge": "judge"}).picks()


def _select_with(path: Path, option: str) -> None:
    given: dict[str, Any] = {option: path}
    from selector.tables import read_contest

    scores = path.parent / "scores.csv"
    scores.write_bytes(_SELECT)
    (path.parent / "picks.csv").write_bytes(b"task,candidate\na,1\nb,3\n")
    read_contest(scores, {"judge": "judge"}, **given).picks()


def _parquet(rows: dict[str, list[Any]]) -> bytes:
    import pandas as pd

    stream = io.BytesIO()
    pd.DataFrame(rows).to_parquet(stream, engine="pyarrow", index=False)
    return stream.getvalue()


def _score_parquets() -> list[bytes]:
    rows: dict[str, list[Any]] = {"candidate": IDS, "task": ["3", "7"], "hps": [1.5, -2.0], "note": ["a", None]}
    return [_parquet(rows), _parquet({**rows, "fid": [3, 4], "task": [3, 7]})]


def _readings() -> list[bytes]:
    from selector.llm._reading_table import table_text
    from selector.prompts.reading import read_by_rules

    return [table_text([(task, read_by_rules(task.type, task.prompt)) for task in TASKS[:3]]).encode()]


def _read_readings(path: Path) -> None:
    from selector.llm._reading_table import corrections, table_text
    from selector.prompts.reading import read_by_rules

    found = corrections(path, TASKS[:3], {}, {})
    rows = [(task, found.changed.get(task.id) or read_by_rules(task.type, task.prompt)) for task in TASKS[:3]]
    table_text(rows)
    for _, reading in rows:
        _ = reading.tag


def _reading_columns() -> Sequence[Strategy]:
    from selector.llm._reading_table import COLUMNS

    cells = [
        "2 cup (colour red)", "cup; car", "cup left of car", '"OPEN"', "杯子 = cup", "replace", "add", "delete",
        "#1 on #2", 'below "A"', "top right", "words: there", "rules", "table", "a = b = c", '"a\\', "“x”", "(((",
        "cup (colour red, (x))", '"";""', "99999999999 cup",
    ]  # fmt: skip
    return [tables(COLUMNS, [*CELLS, *cells])]


def _read_translations(path: Path) -> None:
    from selector.workspace.plug_ins import read_translations

    read_translations(path)


def _read_plan(path: Path) -> None:
    from selector.config import parse_config
    from selector.generate.plan_table import read_plan

    read_plan(path, TASKS, parse_config({"profile": "mini-png", "generate": {"t2i": {"blank": 2}}}))


def _score_files() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from selector.store.score_files import score_table

    columns = {"v": ([1.0, float("nan")], [None, "too small"]), "w": ([2.0, 3.0], None)}
    stream = pa.BufferOutputStream()
    pq.write_table(score_table(["3", "7"], IDS, "1", columns), stream, compression="zstd")
    return [stream.getvalue().to_pybytes()]


def _read_score_file(path: Path) -> None:
    from selector.store.score_files import KEYS, ScoreFiles, counts_of
    from selector.store.score_shards import file_rows

    table = ScoreFiles(path.parent).read(path.name, [*KEYS, "v", "v__reason"], ["3", "7"])
    counts_of(table)
    file_rows("scorer", table)


_TABLE = (
    "index,task_type,prompt,ori_image,target_image\n3,t2i,一只橘猫坐在窗台上,,\n"
    '7,tie,"Make it brighter, please",a.jpg,\n'
    "11,vttie,把“营业中”改成“休息中”,b.jpg,\n15,deepfake,,c.jpg,d.jpg\n"
)


_JUDGED = "task,candidate,sc,pq,pass,prompt_following,cosine\n3,1a2b3c4d,7,8,1,,\n15,1a2b3c4e,,8.5,,,0.5\n"


_SCORED = f"task,candidate,hps,note\n3,{IDS[0]},1.5,a\n7,{IDS[1]},-2,\n"


_SCORE_ROWS = [[{"task": "3", "candidate": IDS[0], "hps": 1.5, "seed": 5}, {"task": "3", "file": "3.png", "hps": None}]]


_SCORE_COLUMNS = ["task", "candidate", "file", "generator", "variant", "seed", "hps", "fid", "imported.fid"]


_SCORE_CELLS = [*CELLS, *IDS, "3.png", "imgs/3.jpg", "folder:a", "wanx"]


READERS: tuple[Reader, ...] = (
    Reader(
        "task table",
        texts_of(_TABLE, "sep=;\n" + _TABLE.replace(",", ";")),
        in_file("task.csv", partial(_read_tasks, profile=TIANCHI)),
        strategy(tables, TIANCHI.columns, CELLS),
        2,
    ),
    Reader(
        "task table, ids of text",
        texts_of("key,kind,text,photo\na,draw,a cat,\nb,change,brighter,a.jpg\n"),
        in_file("task.csv", partial(_read_tasks, profile=MINI)),
        strategy(tables, MINI.columns, [*CELLS, "draw", "change"]),
    ),
    Reader(
        "judgements",
        texts_of(_JUDGED),
        in_file("j.csv", _read_judgements),
        strategy(tables, ["task", "candidate", "sc", "pq", "pass", "cosine", "prompt_following", "naturalness"], CELLS),
        2,
    ),
    Reader(
        "scores, CSV",
        texts_of(_SCORED),
        in_file("s.csv", _read_scores),
        strategy(tables, _SCORE_COLUMNS, _SCORE_CELLS),
    ),
    Reader(
        "scores, JSON",
        texts_of(json.dumps(_SCORE_ROWS[0])),
        in_file("s.json", _read_scores),
        strategy(json_texts, _SCORE_ROWS, _SCORE_COLUMNS),
    ),
    Reader(
        "scores, JSON lines",
        texts_of("\n".join(map(json.dumps, _SCORE_ROWS[0]))),
        in_file("s.jsonl", _read_scores),
        strategy(json_texts, _SCORE_ROWS[0], _SCORE_COLUMNS, lines=True),
    ),
    Reader("scores, Parquet", _score_parquets, in_file("s.parquet", _read_scores)),
    Reader("files of scores", _score_files, in_file("part-0.parquet", _read_score_file)),
    Reader(
        "select: scores",
        lambda: [_SELECT],
        in_file("s.csv", _select),
        strategy(
            tables, ["task", "candidate", "generator", "judge", "aesthetic"], ["a", "b", "1", "2", "x", "7", "0.5"]
        ),
        0.3,
    ),
    Reader(
        "select: totals",
        texts_of("total,picks,label\n5.5,picks.csv,a\n,picks.csv,b\n"),
        in_file("t.csv", partial(_select_with, option="totals")),
        strategy(tables, ["total", "picks", "label"], ["5.5", "picks.csv", "", "scores.csv", "."]),
        0.3,
    ),
    Reader(
        "select: judgements",
        texts_of("task,candidate,judge,sc,pq\na,1,gpt,7,8\n"),
        in_file("j.csv", partial(_select_with, option="judged")),
        strategy(tables, ["task", "candidate", "judge", "overall", "sc", "pq"], ["a", "b", "1", "3", "7", "gpt"]),
        0.3,
    ),
    Reader("readings", _readings, in_file("readings.csv", _read_readings), _reading_columns, 2),
    Reader(
        "translations",
        texts_of("text,english\n一只猫,a cat\n"),
        in_file("t.csv", _read_translations),
        strategy(tables, ["text", "english"], ["一只猫", "a cat"]),
    ),
    Reader(
        "plan of candidates",
        texts_of("task,generator,candidates,has,points\n3,blank,2,0,0.5\n"),
        in_file("plan.csv", _read_plan),
        strategy(tables, ["task", "generator", "candidates", "has", "points"], [*CELLS, "blank", "folder:a"]),
    ),
)
