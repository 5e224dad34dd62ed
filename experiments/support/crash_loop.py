"""The loop that the crash test disturbs: every verb once, on a contest of tiny pictures and two loopback servers.

All arguments are relative to a place that holds ``campaign/``, ``out/`` and ``tmp/``, with ``given/`` beside it, so
that a place can be copied and the same words mean the copy.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from experiments.support.crash_store import FileStore
from experiments.support.remote_campaign import KEY_ENV
from selector.config import parse_config, read_config, render_config
from selector.domain import encode_final

CAMPAIGN, OUT, TEMPORARY, GIVEN = "campaign", "out", "tmp", "given"
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
    """A step of the loop. ``stores``: what comes later needs it; the others only look, or write files for people."""

    name: str
    arguments: tuple[str, ...]
    stores: bool = True
    campaign: tuple[str, ...] = field(default=("-C", CAMPAIGN))

    def words(self, submission: str, store_url: str = "") -> list[str]:
        """The arguments of the command line; ``store_url``: where `init` makes the database, if not in the folder."""
        zips = f"{CAMPAIGN}/submissions/{submission}/{TEAM}_图片生成_result.zip"
        filled = {SUBMISSION: submission, ZIP: zips}
        store = ["--store", store_url] if store_url and self.arguments[0] == "init" else []
        return [*(filled.get(word, word) for word in self.arguments), *store, *self.campaign]


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
    Verb("score", ("score",)),
    Verb("translate", ("translate", "--by", "writer")),
    Verb("score --judge", ("score", "--judge", "toy", "--type", "tie")),
    Verb("judge", ("judge", f"../{GIVEN}/judged.csv", "--by", "table")),
    Verb("pick", ("pick",)),
    Verb("export", ("export", "--allow-fallbacks")),
    Verb("record --withdraw", ("record", SUBMISSION, "--withdraw", "--reason", "a try")),
    Verb("export again", ("export", "--allow-fallbacks")),
    Verb("record --submitted", ("record", SUBMISSION, "--submitted")),
    Verb("record --score", ("record", SUBMISSION, "--score", "3.25")),
    # Behind the exports: a manifest tells when people decided, and two runs do so at different moments.
    Verb("exclude", ("exclude", "--label", "painter", "--reason", "a try", "--by", "ann")),
    Verb("include", ("include", "--label", "painter", "--by", "ann")),
    Verb("note", ("note", "1", "look again", "--by", "ann")),
    Verb("plan", ("plan", "--remaining", "5", "--hold-below", "0")),
    Verb("plan --judge", ("plan", "--judge", "3", "--by", "other", "--out", f"{OUT}/judge.csv"), stores=False),
    Verb("plan --generate", ("plan", "--generate", "3", "--out", f"{OUT}/generate.csv"), stores=False),
    Verb("calibrate", ("calibrate",), stores=False),
    Verb("explain", ("explain", "1", "--picture", f"{OUT}/why.png"), stores=False),
    Verb("report", ("report",), stores=False),
    Verb("verify", ("verify", ZIP, "--allow-fallbacks"), stores=False),
    Verb("status", ("status",), stores=False),
    Verb("quota", ("quota",), stores=False),
    Verb("doctor", ("doctor",), stores=False),
)


def make_contest(given: Path) -> None:
    """The table, the input pictures, and finished images to import, in a new folder."""
    rng = np.random.default_rng(0)
    rows = ["index,task_type,prompt,ori_image,target_image"]
    for name in ("imgs", "finished"):
        (given / name).mkdir(parents=True)
    for task, kind, prompt, edits in TASKS:
        source = f"{int(task):030x}aa.jpg" if edits else ""
        rows.append(f'{task},{kind},"{prompt}",{source},')
        if edits:
            (given / "imgs" / source).write_bytes(_picture(rng))
        (given / "finished" / f"{task}_0.jpg").write_bytes(_picture(rng))
    (given / "task.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def configure(place: Path, service_url: str, chat_url: str, store_url: str = "", scores: str = "rows") -> None:
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
        "judges": {"toy": one_at_a_time, "writer": one_at_a_time},
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


def _picture(rng: np.random.Generator) -> bytes:
    blocks = rng.integers(40, 180, (SOURCE_PX[1] // 8, SOURCE_PX[0] // 8, 3)).astype(np.uint8)
    return encode_final(np.kron(blocks, np.ones((8, 8, 1), np.uint8)))
