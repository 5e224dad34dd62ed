"""A model's answer about words is paid for: killed at any instant, a run asks again only for what had not arrived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from prompt_model import PromptModel, prompt_model

from selector import Campaign
from selector.llm.prompting import PromptWish, prepare_prompts
from selector.store.replies import money_spent

TEXTS = tuple("把图片变亮一点" + "吧" * i for i in range(24))
ON_ITS_WAY_SECONDS = 0.5  # between the server's last byte and the row, on a busy machine


@pytest.fixture
def model() -> Iterator[PromptModel]:
    with prompt_model() as server:
        server.latency_seconds = 0.1
        yield server


@pytest.fixture
def folder(tmp_path: Path, model: PromptModel, contest_files: Callable[[Sequence[str]], tuple[Path, Path]]) -> Path:
    judge = {"base_url": model.url, "model": "m", "concurrency": 8, "price_in": 1000.0, "price_out": 0.0}
    generate = {"tie": {"retouch": {"n": 1, "prompts": ["rewritten"]}}, "prompt_writer": "writer"}
    made = Campaign.init(tmp_path / "campaign", *contest_files(TEXTS), judges={"writer": judge}, generate=generate)
    made.close()
    return made.folder


def translate(campaign: Campaign) -> Any:
    return campaign.translate("writer")


def write(campaign: Campaign) -> Any:
    return prepare_prompts(campaign._ws, [PromptWish(task, "rewritten") for task in campaign.tasks])


@pytest.mark.parametrize(("verb", "finish"), [("translate --by writer", translate), ("generate", write)])
def test_only_what_had_not_arrived_at_a_kill_is_asked_for_again(
    folder: Path, model: PromptModel, verb: str, finish: Callable[[Campaign], Any]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "selector.cli", *verb.split(), "-C", str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while len(model.answered) < 8 and process.poll() is None:
        time.sleep(0.005)
    model.latency_seconds = 5.0  # eight more are on their way, and stay there
    time.sleep(2 * ON_ITS_WAY_SECONDS)
    process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    process.wait()
    model.latency_seconds = 0.0
    arrived = {text for text, moment in model.answered.items() if moment < killed - ON_ITS_WAY_SECONDS}
    with Campaign(folder) as campaign:
        done = finish(campaign)
        with campaign._ws.db.read() as connection:
            spent = money_spent(connection, "writer")
    times = Counter(model.texts)
    assert len(arrived) >= 8 and done.stopped is None and set(times) == set(TEXTS)
    assert {text for text in arrived if times[text] > 1} == set()
    assert len(TEXTS) <= spent <= sum(times.values()), "each stored answer counts in the budget, 1 each"
