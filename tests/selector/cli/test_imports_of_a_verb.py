"""What a verb imports: one that counts or chooses does not pay for pictures, models, words, plots or tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from experiments.support.synthetic_campaign import make_campaign, write_contest

PICTURES = {"cv2", "skimage", "dlib", "rapidocr", "PIL", "matplotlib", "jinja2"}
MODELS = {"torch", "onnxruntime", "transformers", "open_clip", "sklearn"}
WORDS = {"jieba", "lemminflect"}
HEAVY = {*PICTURES, *MODELS, *WORDS, "pandas"}
CODE = """
import sys
from selector.cli.main import group
group(sys.argv[1:], standalone_mode=False)
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("campaign")
    write_contest(place / "contest", 8, 0)
    make_campaign(place / "campaign", place / "contest", 0)
    return place / "campaign"


# `status` asks the configured generators whether they can run: the editor of texts looks for fonts, with Pillow.
@pytest.mark.parametrize(
    ("verb", "unwanted"),
    [("quota", {*HEAVY, "numpy", "scipy"}), ("status", {*HEAVY, "scipy"} - {"PIL"}), ("pick", {*HEAVY, "scipy.stats"})],
)
def test_a_verb_imports_what_it_needs_only(campaign: Path, verb: str, unwanted: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, verb, "-C", str(campaign)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not unwanted & set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("code", ["from selector.learn import Belief, JUDGE, Study", "import selector, selector.learn"])
def test_the_public_names_of_learning_are_cheap_to_import(code: str) -> None:
    check = f"{code}; import sys; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(found)
