"""The cases of the golden record: what is played, from fixed tables, seeds and a fixed clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from experiments.support.golden_contests import MIXES, TEAM, play_mix
from experiments.support.golden_record import PROCESSOR, Table, table
from experiments.support.golden_tables import PIXELS, Tables
from experiments.support.remote_campaign import KEY, KEY_ENV
from experiments.support.servers import Behaviour, DashScopeServer
from selector import Campaign
from selector.demo.contest import make_demo_contest
from selector.demo.play.game import Clock
from selector.demo.run import WITHOUT_WEIGHTS
from selector.sight.fonts import all_fonts

Play: TypeAlias = Callable[[Path, int], dict[str, Table]]

_DEMO_PACKAGES = (
    *PIXELS,
    PROCESSOR,
    "dlib-bin",
    "face_recognition_models",
    "onnxruntime",
    "rapidocr",
    "scikit-image",
    "scikit-learn",
    "scipy",
)
_EXPLAINED = 3


def play_demo(place: Path, workers: int) -> dict[str, Table]:
    """Every third task of the demo's contest without models, three or four candidates each, and one total."""
    contest = make_demo_contest(place / "contest")
    header, *rows = contest.table.read_text(encoding="utf-8-sig").splitlines()
    contest.table.write_text("\n".join([header, *rows[2::3]]) + "\n", encoding="utf-8")
    plan = {
        "tie": {"retouch": {"n": 2, "finishes": ["sharpen"]}},
        "vttie": {"textedit": 3},
        "deepfake": {"faceswap": 3},
    }
    settings: dict[str, Any] = {"generate": plan, "score": {"scorers": list(WITHOUT_WEIGHTS)}, "workers": workers}
    clock = Clock()
    with (
        _fonts_of_packages(place),
        Campaign.init(
            place / "campaign", contest.table, contest.images, clock=clock, team=TEAM, **settings
        ) as campaign,
    ):
        campaign.generate()
        return _loop(campaign, clock, Tables(campaign, _DEMO_PACKAGES, _DEMO_PACKAGES))


def play_remote(place: Path, workers: int) -> dict[str, Table]:
    """Sixty prompts at a loopback service: jobs of two images, a wording, prices, a total.

    What it refuses falls through to a reserve; one prompt is refused there too and gets the flagged fallback.
    """
    prompts = [f"picture {i}: a red cube on a blue sphere, 一只猫{' @refuse' if i == 5 else ''}" for i in range(60)]
    lines = ["index,task_type,prompt,ori_image,target_image", *(f'{3 * i},t2i,"{p}",,' for i, p in enumerate(prompts))]
    (place / "task.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (place / "inputs").mkdir()
    plan = {
        "wanx": 2,
        "qwen": {"n": 1, "prompts": ["suffix"]},
        "spare": {"reserve": True},
    }
    generators = {
        "wanx": {"kind": "dashscope", "service": "first", "size": "512*512"},
        "qwen": {"kind": "dashscope", "service": "first", "model": "qwen-image"},
        "spare": {"kind": "dashscope", "service": "spare", "model": "wanx2.1-t2i-plus", "size": "768*512"},
    }
    with _service(refuse=0.1) as first, _service() as spare:
        services = {"first": _account(first), "spare": _account(spare)}
        settings: dict[str, Any] = {"generate": {"t2i": plan}, "generators": generators, "services": services}
        settings |= {"score": {"scorers": ["gate", "technical"]}, "workers": workers}
        clock = Clock()
        with Campaign.init(
            place / "campaign", place / "task.csv", place / "inputs", clock=clock, team=TEAM, **settings
        ) as campaign:
            campaign.generate()
            tables = Tables(campaign)
            return _loop(campaign, clock, tables) | {"jobs": tables.jobs(), **_asked(first=first, spare=spare)}


def _loop(campaign: Campaign, clock: Clock, tables: Tables) -> dict[str, Table]:
    """Score, pick, plan, export, record, and pick by what the total has taught."""
    campaign.score()
    first = tables.picks()
    plans = [campaign.plan(4, hold_below=0.0)]
    campaign.record(campaign.export(allow_fallbacks=True).submission.id, 5.55)
    clock.day += 1
    plans.append(campaign.plan(3, hold_below=0.0))
    record = {
        **tables.inputs(),
        "picks_before": first,
        "picks": tables.picks(),
        **tables.plans(plans),
        **tables.lessons(),
    }
    campaign.export(allow_fallbacks=True)
    return record | tables.all([task.id for task in campaign.tasks[:: len(campaign.tasks) // _EXPLAINED]])


@contextmanager
def _service(**shares: float) -> Iterator[DashScopeServer]:
    """A service with no faults but these shares, which go by the prompt alone, and the key in the environment."""
    behaviour = Behaviour(key=KEY, job_seconds=0.05, picture_px=128, shares=shares)
    with (
        _environment({KEY_ENV: KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}),
        DashScopeServer(behaviour) as server,
    ):
        yield server


@contextmanager
def _fonts_of_packages(place: Path) -> Iterator[None]:
    """Hides the system's fonts from fontconfig: text edits, their build and their recipes follow from what is there."""
    nowhere = place / "fonts.conf"
    nowhere.write_text("<fontconfig/>", encoding="utf-8")
    with _environment({"FONTCONFIG_FILE": str(nowhere)}):
        all_fonts.cache_clear()
        try:
            yield
        finally:
            all_fonts.cache_clear()


@contextmanager
def _environment(ours: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _account(server: DashScopeServer) -> dict[str, Any]:
    unlimited = {"submits_per_second": 0, "polls_per_second": 0, "running": 16}
    return {"base_url": server.url, "key_env": KEY_ENV, "backoff_seconds": 0.05, "currency": "CNY", **unlimited}


def _asked(**servers: DashScopeServer) -> dict[str, Table]:
    """Every job that services took, and how much they were asked and would charge for."""
    jobs = [
        (name, job["model"], job["prompt"], job["seed"], job["n"])
        for name, server in servers.items()
        for job in server.state.listing()
    ]
    stats = [(name, server.state.stats()) for name, server in servers.items()]
    counts = [
        (name, s["requests"]["submits"], s["jobs"], s["paid"], sum(s["violations"].values())) for name, s in stats
    ]
    return {
        "requests": table("service model prompt seed", "n", jobs),
        "services": table("service", "submits jobs paid violations", counts),
    }


CASES: dict[str, Play] = {
    "demo": play_demo,
    "remote": play_remote,
    **{name: partial(play_mix, mix) for name, mix in MIXES.items()},
}
