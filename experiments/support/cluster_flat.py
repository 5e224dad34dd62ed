"""Peak memory of ``score --engine ray`` by the number of candidates: driver, workers, Ray itself, object store."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.cluster_machines import Memory, memory_of, verb
from selector import Campaign
from selector.domain import encode_final

SIDE_PX = 64
EACH = 100  # candidates a task
SAMPLE_SECONDS = 0.5


def measure_flat(sizes: list[int], seed: int) -> dict[str, Any]:
    """``memory_ratios``: of the peaks at the largest number of candidates to those at the smallest."""
    peaks: dict[int, Memory] = {}
    by_size: dict[str, Any] = {}
    for n in sizes:
        with tempfile.TemporaryDirectory(prefix="bestshot-flat-") as place:
            began = time.perf_counter()
            folder = _campaign(Path(place), n, seed)
            made = time.perf_counter()
            peak = _peak(folder, n)
            scored = time.perf_counter() - made
            by_size[str(n)] = {**asdict(peak), "total": peak.total, "score_s": scored, "made_s": made - began}
            peaks[n] = peak
            print(f"flat: {n}: {by_size[str(n)]}", file=sys.stderr, flush=True)
    return {"peak_mb": by_size, "memory_ratios": ratios(peaks)}


def ratios(peaks: Mapping[int, Memory]) -> dict[str, float]:
    """By what holds memory, and of all (``total``), whatever the order of the sizes; under 1 MB counts as 1 MB."""
    small, large = peaks[min(peaks)], peaks[max(peaks)]
    names = ("driver", "workers", "store", "total")
    return {name: max(1.0, getattr(large, name)) / max(1.0, getattr(small, name)) for name in names}


def _campaign(place: Path, n: int, seed: int) -> Path:
    """Text-to-image tasks with small pictures of noise, each another, to be scored by the embedded backbone."""
    finished, rng = place / "finished", np.random.default_rng(seed)
    tasks = -(-n // EACH)
    for task in range(tasks):
        (finished / str(task)).mkdir(parents=True)
    for i in range(n):
        coarse = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        data = encode_final(np.kron(coarse, np.ones((SIDE_PX // 8, SIDE_PX // 8, 1), np.uint8)))
        (finished / str(i // EACH) / f"{i:06d}.jpg").write_bytes(data)
    (place / "imgs").mkdir()
    rows = [f'{task},t2i,"a street, number {task}",,' for task in range(tasks)]
    table = place / "task.csv"
    table.write_text("\n".join(["index,task_type,prompt,ori_image,target_image", *rows]) + "\n", encoding="utf-8")
    settings: dict[str, Any] = {"score": {"scorers": ["clip_similarity"]}, "embedding": {"model": "embedded"}}
    with Campaign.init(place / "campaign", table, place / "imgs", **settings) as campaign:
        campaign.import_folder(finished)
    return place / "campaign"


def _peak(folder: Path, n: int) -> Memory:
    """Of each part by itself, in one run; the total is of these."""
    seen = [Memory(0, 0, 0, 0)]
    with (folder.parent / "said").open("w") as said:
        process = verb(folder, ["score", "--engine", "ray"], said)
        while process.poll() is None:
            seen.append(memory_of(process.pid))
            time.sleep(SAMPLE_SECONDS)
    if process.returncode != 0:
        raise RuntimeError(
            f"score of {n} ended with {process.returncode}: {(folder.parent / 'said').read_text()[-500:]}"
        )
    return Memory(**{part.name: max(getattr(m, part.name) for m in seen) for part in fields(Memory)})
