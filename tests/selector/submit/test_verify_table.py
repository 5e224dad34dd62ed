"""A ZIP is verified with the contest's files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from selector import Campaign
from selector.domain import InputError
from selector.submit.verify import verify_against_table


def test_an_export_is_valid_by_the_table_alone_and_a_cut_one_is_not(campaign: Campaign, tmp_path: Path) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()
    path = campaign.export().zip_path
    table = tmp_path / "task.csv"
    assert verify_against_table(path, table).valid
    path.write_bytes(path.read_bytes()[:-100])
    assert not verify_against_table(path, table).valid


def test_a_table_of_another_contest_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "task.csv").write_text("index,task_type,prompt,ori_image,target_image\n1,t2i,a,,\n", encoding="utf-8")
    with pytest.raises(InputError, match="are missing; rename 'index' to 'key'"):
        verify_against_table(tmp_path / "x.zip", tmp_path / "task.csv", "mini-png")
