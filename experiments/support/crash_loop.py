"""The loop that the crash test disturbs: every verb once, on a contest of tiny pictures and two loopback servers.

All arguments are relative to a place that holds ``campaign/``, ``out/`` and ``tmp/``, with ``given/`` beside it, so
that a place can be copied and the same words mean the copy.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from experiments.support.crash_store import FileStore
from experiments.support.reading_server import MODEL as READER
from experiments.support.remote_campaign import KEY_ENV
from experiments.support.servers import old_campaign
from selector.config import parse_config, read_config, render_config
from selector.domain import encode_final

CAMPAIGN, OUT, TEMPORARY, GIVEN = "campaign", "out", "tmp", "given"
OTHER, OLDER, RESTORED, BACKUP = "other", "older", "restored", "backup.zip"
OLDEST = 4  # format of the database of an older campaign
SIGNALS = ("KILL", "TERM", "INT")
SUBMISSION, ZIP = "SUBMISSION", "ZIP"  # in arguments: the id of the one submission, the path of its ZIP
TEAM, MODEL = "crash", "toy-judge"
TASKS = (
    ("1", "tie", "make the picture brighter", True),
    ("2", "tie", "Make the image black and white.", True),
    ("3", "t2i", "一只白色的猫在窗台上", False),
    ("4", "t2i", "红色的房子和一棵树", False),
    ("5", "t2i", "雨中的街道，夜晚", False),
    ("6", "t2i", "山上的一座古老的寺庙", False),
)
SOURCE_PX = (96, 64)


@dataclass(frozen=True)
class Verb:
    """A step of the loop.

    Args:
        stores: what comes later needs it; the others, which come last, only look, or write files for people.
        before: what happens to the place before the step.
        done: what it says when there is nothing to do again, and ends with 2.
        signals: that end it before its work is done.
    """

    name: str
    arguments: tuple[str, ...]
    stores: bool = True
    campaign: tuple[str, ...] = field(default=("-C", CAMPAIGN))
    before: Callable[[Path], None] | None = None
    done: str = ""
    signals: tuple[str, ...] = SIGNALS

    def words(self, submission: str, store_url: str = "") -> list[str]:
        """The arguments of the command line; ``store_url``: where `init` makes the database, if not in the folder."""
        zips = f"{CAMPAIGN}/submissions/{submission}/{TEAM}_图片生成_result.zip"
        filled = {SUBMISSION: submission, ZIP: zips}
        store = ["--store", store_url] if store_url and self == INIT else []
        return [*(filled.get(word, word) for word in self.arguments), *store, *self.campaign]


def _lose_scores(place: Path) -> None:
    """The file by column of one scorer is gone, as from a disk that failed."""
    for path in (place / CAMPAIGN / "scores" / "technical").rglob("*.parquet"):
        path.unlink()


INIT = Verb(
    "init",
    ("init", CAMPAIGN, "--tasks", f"../{GIVEN}/task.csv", "--images", f"../{GIVEN}/imgs", "--team", TEAM),
    campaign=(),
)
LOOP = (
    INIT,
    Verb("generate", ("generate", "--type", "tie")),
    Verb("generate at a service", ("generate", "--type", "t2i")),
    Verb("import", ("import", f"../{GIVEN}/finished", "--label", "painter")),
    Verb("read", ("read",)),
    Verb("read --by", ("read", "--by", "reader", "--type", "t2i")),
    Verb("score", ("score",)),
    Verb("translate", ("translate", "--by", "writer")),
    Verb("score --judge", ("score", "--judge", "toy", "--type", "tie")),
    Verb("judge", ("judge", f"../{GIVEN}/judged.csv", "--by", "table")),
    Verb("import-scores", ("import-scores", f"../{GIVEN}/judged.csv", "--column", "pq:0:10:up:pq")),
    Verb("pick", ("pick",)),
    Verb("export", ("export", "--allow-fallbacks")),
    Verb("record --withdraw", ("record", SUBMISSION, "--withdraw", "--reason", "a try")),
    Verb("export again", ("export", "--allow-fallbacks")),
    Verb("record --submitted", ("record", SUBMISSION, "--submitted")),
    Verb("record --score", ("record", SUBMISSION, "--score", "3.25")),
    Verb("exclude", ("exclude", "--label", "painter", "--reason", "a try", "--by", "ann")),
    Verb("include", ("include", "--label", "painter", "--by", "ann")),
    Verb("note", ("note", "1", "look again", "--by", "ann")),
    Verb("plan", ("plan", "--remaining", "5", "--hold-below", "0")),
    Verb("plan --generate", ("plan", "--generate", "3", "--out", f"{OUT}/generate.csv")),
    Verb("generate --plan", ("generate", "--plan", f"{OUT}/generate.csv")),
    Verb("merge", ("merge", f"../{GIVEN}/{OTHER}")),
    Verb("scores --move", ("scores", "--move")),
    Verb("scores --forget-lost", ("scores", "--forget-lost"), before=_lose_scores),
    Verb("score again", ("score",)),
    Verb("review", ("review", "--no-browser", "--by", "ann"), signals=("KILL",)),  # it ends by the others as it should
    Verb("next --do", ("next", "--do", "--allow-fallbacks")),
    Verb("backup", ("backup", f"{OUT}/{BACKUP}", "--images"), done="is there already"),
    Verb(
        "init --from", ("init", RESTORED, "--from", f"../{GIVEN}/{BACKUP}"), campaign=(), done="is a campaign already"
    ),
    Verb("of an older format", ("status",), campaign=("-C", OLDER)),
    Verb("prune", ("prune", "--keep", "1", "--delete", "--reason", "a try", "--by", "ann")),
    Verb("plan --judge", ("plan", "--judge", "3", "--by", "other", "--out", f"{OUT}/judge.csv"), stores=False),
    Verb("calibrate", ("calibrate",), stores=False),
    Verb("explain", ("explain", "1", "--picture", f"{OUT}/why.png"), stores=False),
    Verb("report", ("report",), stores=False),
    Verb("verify", ("verify", ZIP, "--allow-fallbacks"), stores=False),
    Verb("status", ("status",), stores=False),
    Verb("quota", ("quota",), stores=False),
    Verb("doctor", ("doctor",), stores=False),
    Verb("scores --out", ("scores", "--out", f"{OUT}/scores.csv"), stores=False),
    Verb("select", ("select", f"../{GIVEN}/judged.csv", "--out", f"{OUT}/picks.csv"), stores=False, campaign=()),
)


def make_contest(given: Path, tasks: Sequence[tuple[str, str, str, bool]] = TASKS) -> None:
    """The table, the input pictures, and finished images to import, in a new folder."""
    rng = np.random.default_rng(0)
    rows = ["index,task_type,prompt,ori_image,target_image"]
    for name in ("imgs", "finished", "colleague", TEMPORARY):
        (given / name).mkdir(parents=True)
    for task, kind, prompt, edits in tasks:
        source = f"{int(task):030x}aa.jpg" if edits else ""
        rows.append(f'{task},{kind},"{prompt}",{source},')
        if edits:
            (given / "imgs" / source).write_bytes(picture(rng))
        for name in ("finished", "colleague"):
            (given / name / f"{task}_0.jpg").write_bytes(picture(rng))
    (given / "task.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def make_older(place: Path) -> None:
    """A campaign that an older bestshot wrote, in a place that is there."""
    (place / OLDER).mkdir()
    old_campaign(place / OLDER, OLDEST)


def configure(
    place: Path, service_url: str, chat_url: str, reading_url: str, store_url: str = "", scores: str = "rows"
) -> None:
    """Set what the loop needs in the campaign's configuration, with the addresses of the servers."""
    path = place / CAMPAIGN / "campaign.toml"
    made = read_config(path).model_dump(exclude_unset=True)  # what `init` wrote
    one_at_a_time = {"base_url": chat_url, "model": MODEL, "concurrency": 1}
    account = {"base_url": service_url, "key_env": KEY_ENV, "running": 2, "submits_per_second": 0, "downloads": 2}
    config = {
        **made,
        "store": {**made.get("store", {}), "url": store_url, "scores": scores},
        "generate": {
            "t2i": {"first": {"n": 2, "prompts": ["as_is", "translated"]}},
            "tie": {"retouch": 2},
            "prompt_writer": "writer",
        },
        "generators": {"first": {"kind": "dashscope", "service": "first", "size": "512*512"}},
        "services": {"first": account},
        "judges": {
            "toy": one_at_a_time,
            "writer": one_at_a_time,
            "reader": {**one_at_a_time, "base_url": reading_url, "model": READER},
        },
        "score": {"scorers": ["artefacts", "gate", "preservation", "technical"]},
    }
    path.write_text(render_config(parse_config(config)), encoding="utf-8")


def write_judgements(place: Path, store: FileStore) -> None:
    """A table of scores for every candidate that is there, as a judge would hand it in."""
    with store.opened(place) as connection:
        found = sorted(connection.execute("SELECT task_id, id FROM candidate"))
    with (place.parent / GIVEN / "judged.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["task", "candidate", "sc", "pq"])
        rows.writerows([task, name, int(name[0], 16) / 2, int(name[1], 16) / 2] for task, name in found)


def picture(rng: np.random.Generator) -> bytes:
    """A small one of coarse blocks, as a JPEG of ``SOURCE_PX``."""
    blocks = rng.integers(40, 180, (SOURCE_PX[1] // 8, SOURCE_PX[0] // 8, 3)).astype(np.uint8)
    return encode_final(np.kron(blocks, np.ones((8, 8, 1), np.uint8)))
