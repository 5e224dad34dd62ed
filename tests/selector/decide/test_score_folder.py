"""Scores kept in columns through the verbs of a campaign, and a folder of Parquet tables that DuckDB joins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import HEADER, noise_jpeg
from sqlalchemy import func, select

from selector import Campaign
from selector.store import moving_scores, schema
from selector.store.score_shards import shards

duckdb = pytest.importorskip("duckdb")

Run = Callable[..., tuple[int, str, str]]


def campaign_in(folder: Path, clock: Any, scores: str) -> Campaign:
    """Tasks 3 and 5 with pictures of two tools."""
    files = {"in/a.jpg": 1, "flux/3.jpg": 2, "flux/5_a.jpg": 3, "flux/5_b.jpg": 4, "qwen/3.jpg": 5}
    for name, seed in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(noise_jpeg(seed))
    (folder / "task.csv").write_text(f"{HEADER}\n3,tie,brighter,a.jpg,\n5,tie,darker,a.jpg,\n", encoding="utf-8")
    config: dict[str, Any] = {"score": {"scorers": ["technical", "gate"]}, "store": {"scores": scores}}
    made = Campaign.init(folder / "c", folder / "task.csv", folder / "in", clock=clock, **config)
    made.import_folder(folder / "flux")
    made.import_folder(folder / "qwen")
    return made


@pytest.fixture
def campaign(tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """A campaign that keeps its scores in columns, from the first ones on."""
    monkeypatch.setattr(moving_scores, "GATHERED", 4)
    made = campaign_in(tmp_path, clock, "columns")
    made.score()
    table = tmp_path / "hps.csv"
    table.write_text("file,hps\n3.jpg,1.5\n5_a.jpg,-2\n", encoding="utf-8")
    made.import_scores(table, ["hps:-5:15:up:sc"])
    return made


def stored(campaign: Campaign) -> tuple[int, int]:
    """Rows of scores, and files of them."""
    with campaign._ws.db.read() as connection:
        rows = connection.execute(select(func.count()).select_from(schema.score)).scalar_one()
        return rows, len(shards(connection))


def test_a_campaign_in_columns_knows_and_picks_what_one_in_rows_does(
    campaign: Campaign, tmp_path: Path, clock: Any
) -> None:
    rows, files = stored(campaign)
    assert rows < 4 <= files + 1
    plain = campaign_in(tmp_path / "plain", clock, "rows")
    plain.score()
    plain.import_scores(tmp_path / "hps.csv", ["hps:-5:15:up:sc"])
    assert stored(plain)[1] == 0
    assert plain.scores().equals(campaign.scores())
    assert plain.scores(long=True).equals(campaign.scores(long=True))
    assert [(p.task_id, p.candidate_id, p.reason) for p in plain.pick()] == [
        (p.task_id, p.candidate_id, p.reason) for p in campaign.pick()
    ]
    assert (plain.status().scores, plain.status().unscored) == (campaign.status().scores, campaign.status().unscored)
    assert campaign.score().candidates == 0, "what is in files is not measured again"
    assert plain.move_scores().moved > 0
    assert stored(plain)[0] == 0
    assert plain.scores().equals(campaign.scores())
    assert plain.score().candidates == 0


def test_duckdb_joins_estimates_scores_and_picks_of_a_folder(campaign: Campaign, tmp_path: Path, run: Run) -> None:
    campaign.pick()
    folder = tmp_path / "tables"
    told = json.loads(run("scores", "-C", campaign.folder, "--out", folder, "--json")[1])
    assert (told["candidates"], told["tasks"], told["files"]) == (4, 2, 6)
    table = campaign.scores().set_index("candidate")
    found = duckdb.sql(
        f"""SELECT e.candidate_id, e.overall, t.sharpness, i.hps, p.reason IS NOT NULL AS picked, c.generator
        FROM '{folder}/candidates.parquet' c
        JOIN '{folder}/estimates.parquet' e USING (task_id, candidate_id)
        JOIN '{folder}/scores/scorer=technical/*.parquet' t USING (task_id, candidate_id)
        LEFT JOIN '{folder}/scores/scorer=imported/*.parquet' i USING (task_id, candidate_id)
        LEFT JOIN '{folder}/picks.parquet' p USING (task_id, candidate_id)"""
    ).fetchall()
    assert len(found) == 4
    for candidate, overall, sharpness, hps, picked, generator in found:
        row = table.loc[candidate]
        assert (overall, sharpness, picked, generator) == (
            row["overall"],
            row["technical.sharpness"],
            row["picked"],
            row["generator"],
        )
        assert hps == (row["imported.hps"] if row["imported.hps"] == row["imported.hps"] else None)
    everything = f"read_parquet('{folder}/scores/**/*.parquet', hive_partitioning = true, union_by_name = true)"
    scorers = {row[0] for row in duckdb.sql(f"SELECT DISTINCT scorer FROM {everything}").fetchall()}
    assert scorers == {"gate", "technical", "imported"}


def test_shards_have_the_same_schema_as_the_folder(campaign: Campaign, tmp_path: Path) -> None:
    campaign.move_scores()
    campaign.write_score_folder(tmp_path / "tables")
    described = "DESCRIBE FROM read_parquet('{}/*.parquet', hive_partitioning = false)"
    names = [
        {row[0]: row[1] for row in duckdb.sql(described.format(place)).fetchall()}
        for place in (campaign.folder / "scores" / "technical" / "*", tmp_path / "tables/scores/scorer=technical")
    ]
    assert names[0] == names[1]
    assert {"task_id": "VARCHAR", "version": "VARCHAR", "sharpness": "DOUBLE"}.items() <= names[0].items()
    assert names[0]["sharpness__reason"] == "VARCHAR"


def test_written_again_the_folder_holds_what_is_there_now(campaign: Campaign, tmp_path: Path, run: Run) -> None:
    stale = tmp_path / "tables/scores/scorer=gone/part-0.parquet"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"")
    (tmp_path / "tables/notes.txt").write_text("mine")
    campaign.write_score_folder(tmp_path / "tables", task_ids=["3"])
    assert not stale.exists()
    assert (tmp_path / "tables/notes.txt").exists()
    count = duckdb.sql(f"SELECT count(*), min(task_id) FROM '{tmp_path}/tables/estimates.parquet'").fetchall()
    assert count == [(2, "3")]
    code, _, told = run("scores", "-C", campaign.folder, "--out", tmp_path / "tables", "--long")
    assert (code, len(told.strip().splitlines())) == (2, 1)
    code, out, _ = run("scores", "-C", campaign.folder, "--move")
    assert code == 0, out
    assert "moved into files" in out
