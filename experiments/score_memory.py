"""Peak memory of ``bestshot score`` at 100 and at 1,000 candidates, each run in a process of its own.

    python -m experiments.score_memory --json out.json

All candidates belong to one task, which is the hardest case, and are 640 x 480 photographs with noise of their own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.outcome import finish, parser
from selector import Campaign
from selector.domain import encode_final

SIZES = (100, 1_000)
# Measured by the child itself: the parent cannot tell its children's peaks apart.
CHILD = """
import sys
from experiments.support.process_cost import peak_mb
from selector import Campaign
with Campaign(sys.argv[1]) as campaign:
    summary = campaign.score()
print(summary.candidates, round(peak_mb()))
"""


def main(arguments: list[str] | None = None) -> int:
    options = parser("score_memory", __doc__ or "")
    options.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of candidates")
    chosen = options.parse_args(arguments)
    results: dict[str, Any] = {"peak_mb": {}}
    for n in chosen.sizes:
        with tempfile.TemporaryDirectory(prefix="bestshot-memory-") as place:
            results["peak_mb"][str(n)] = peak_mb(Path(place), n, chosen.seed)
    peaks = list(results["peak_mb"].values())
    results["ratio_last_to_first"] = peaks[-1] / peaks[0]
    lines = [f"{'candidates':>10}  {'peak MB':>8}"]
    lines += [f"{n:>10}  {mb:>8}" for n, mb in results["peak_mb"].items()]
    lines.append(f"ratio of the last to the first: {results['ratio_last_to_first']:.2f}")
    finish(results, lines, chosen.json)
    return 0


def peak_mb(place: Path, n: int, seed: int) -> int:
    """Peak resident memory, in MB, of scoring ``n`` candidates of one task."""
    with _campaign(place, n, seed) as campaign:
        folder = campaign.folder
    done = subprocess.run([sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True, check=True)
    scored, mb = map(int, done.stdout.split())
    if scored != n:
        raise RuntimeError(f"{scored} of {n} candidates were scored: {done.stderr[-300:]}")
    return mb


def _campaign(place: Path, n: int, seed: int) -> Campaign:
    from skimage import data

    photograph: Any = data.chelsea()  # type: ignore[no-untyped-call]
    rng = np.random.default_rng(seed)
    base = np.resize(photograph, (480, 640, 3)).astype(np.int16)
    folder = place / "finished" / "7"
    folder.mkdir(parents=True)
    for i in range(n):
        noisy = np.clip(base + rng.integers(-8, 9, base.shape), 0, 255).astype(np.uint8)
        (folder / f"{i:05d}.jpg").write_bytes(encode_final(noisy))
    (place / "imgs").mkdir()
    (place / "imgs" / f"{0:032x}.jpg").write_bytes(encode_final(base.astype(np.uint8)))
    table = place / "task.csv"
    table.write_text(f"index,task_type,prompt,ori_image,target_image\n7,tie,make it brighter,{0:032x}.jpg,\n")
    campaign = Campaign.init(place / "campaign", table, place / "imgs")
    campaign.import_folder(place / "finished")
    return campaign


if __name__ == "__main__":
    raise SystemExit(main())
