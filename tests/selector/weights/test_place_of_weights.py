"""The catalogue, where its files lie, and the thorough look at them."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from selector.domain import InputError, MissingPart
from selector.registry import scorer_names
from selector.weights import (
    Model,
    ModelFile,
    all_models,
    content_tag,
    find,
    hashes,
    model_named,
    need,
    need_backbone,
    weights_folder,
)
from selector.weights.hashes import Verdict, read_note, verify, write_note
from selector.weights.place import Here, folder_of, need_model, path_of, presence

FILES = [(model, file) for model in all_models() for listed in model.files for file in listed.choices()]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    return tmp_path


def put(model: Model, file: ModelFile, data: bytes = b"weights") -> Path:
    path = folder_of(model) / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# --- the catalogue ---


def test_names_are_fit_for_folders_and_command_lines() -> None:
    names = [model.name for model in all_models()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in names)


@pytest.mark.parametrize(("model", "file"), FILES, ids=lambda value: value.name)
def test_every_file_says_what_can_be_checked(model: Model, file: ModelFile) -> None:
    assert model.licence
    assert set(model.scorers) <= set(scorer_names())
    assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert file.expected_bytes > 0
    assert (file.repository is None) != (file.url is None)
    assert file.url is None or (file.url.startswith("https://") and file.sha256 is not None)
    assert not Path(file.name).is_absolute()
    assert ".." not in file.name


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'clip-vit-l-14'"):
        model_named("clip-vit-l14")
    with pytest.raises(InputError, match="known are clip-vit-l-14, aesthetic-head"):
        model_named("zzz")


def test_the_catalogue_agrees_with_open_clip() -> None:
    pretrained = pytest.importorskip("open_clip.pretrained")
    for model in all_models():
        if model.open_clip:
            repository = model.files[0].repository
            assert repository is not None
            assert pretrained.get_pretrained_cfg(*model.open_clip)["hf_hub"] == f"{repository.name}/"


def test_any_other_model_of_open_clip_has_a_name_too() -> None:
    pytest.importorskip("open_clip")
    model = model_named("open_clip:ViT-B-16/laion2b_s34b_b88k")
    assert [file.name for file in model.files[0].choices()] == [
        "open_clip_model.safetensors",
        "open_clip_pytorch_model.bin",
    ]
    assert model.source == "laion/CLIP-ViT-B-16-laion2B-s34B-b88K@main"
    with pytest.raises(MissingPart, match=r"weights fetch open_clip:ViT-B-16/laion2b_s34b_b88k"):
        need_backbone("ViT-B-16", "laion2b_s34b_b88k")
    path = put(model, model.files[0])
    assert need_backbone("ViT-B-16", "laion2b_s34b_b88k") == path
    with_tower = model_named("open_clip:roberta-ViT-B-32/laion2b_s12b_b32k")
    assert [(f.name, f.repository.name) for f in with_tower.files[1:] if f.repository] == [
        (f"roberta-base/{name}", "roberta-base") for name in ("tokenizer.json", "tokenizer_config.json", "config.json")
    ]
    with pytest.raises(InputError, match="has no weights 'best' for 'ViT-B-16'; its tags are openai"):
        need_backbone("ViT-B-16", "best")


def test_no_tag_is_an_error_and_not_random_weights() -> None:
    with pytest.raises(InputError, match="without a pretrained tag has random weights"):
        need_backbone("ViT-L-14", "")


# --- the place ---


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert weights_folder() == tmp_path
    monkeypatch.delenv("BESTSHOT_WEIGHTS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert weights_folder() == tmp_path / "cache" / "bestshot" / "weights"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert weights_folder() == tmp_path / "home" / ".cache" / "bestshot" / "weights"


def test_what_is_missing_comes_with_its_cure(folder: Path) -> None:
    assert find("fake-head") is None
    with pytest.raises(
        MissingPart, match=r"not here: bestshot weights fetch fake-head, or copy fc_weights\.pth into"
    ) as e:
        need("fake-head")
    assert str(folder / "fake-head") in str(e.value)
    assert "\n" not in str(e.value)


def test_a_model_of_one_file_is_found_as_the_file_and_of_several_as_the_folder(folder: Path) -> None:
    head = model_named("fake-head")
    path = put(head, head.files[0], bytes(4083))
    assert find("fake-head") == need("fake-head") == path
    owl = model_named("owlv2")
    for file in owl.files:
        (folder / "owlv2").mkdir(exist_ok=True)
        with (folder / "owlv2" / file.name).open("wb") as stream:
            stream.truncate(file.size_bytes)  # a file of holes: only its size is looked at
    assert find("owlv2") == need("owlv2") == folder / "owlv2"
    (folder / "owlv2" / "vocab.json").unlink()
    assert find("owlv2") is None
    with pytest.raises(MissingPart, match="not all here"):
        need("owlv2")


def test_a_wrong_size_is_damage() -> None:
    head = model_named("fake-head")
    put(head, head.files[0], b"short")
    assert presence(head) is Here.DAMAGED
    assert find("fake-head") is None
    with pytest.raises(MissingPart, match=r"damaged here: a size is wrong: bestshot weights fetch fake-head"):
        need("fake-head")


@pytest.mark.parametrize(("share", "state"), [(1e-8, Here.DAMAGED), (0.97, Here.DAMAGED), (0.99, Here.YES)])
def test_a_rounded_size_is_looked_at_too(share: float, state: Here) -> None:
    model = model_named("clip-vit-l-14")
    os.truncate(put(model, model.files[0]), int(share * model.files[0].about_bytes))
    assert presence(model) is state


def test_a_noted_file_of_a_wrong_size_is_damaged() -> None:
    model = model_named("hpsv2.1")
    path = put(model, model.files[0])
    write_note(path, hashlib.sha256(b"weights").hexdigest(), path.stat())
    assert verify(model)[0].is_bad


def test_a_path_of_the_users_own_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "mine.pth"
    own.write_bytes(b"x")
    assert need("fake-head", own) == own
    with pytest.raises(MissingPart, match=r"no weights at .*absent\.pth: mend the path"):
        need("fake-head", tmp_path / "absent.pth")


def test_a_model_that_is_never_fetched_asks_for_a_path() -> None:
    assert find("arcface") is None
    with pytest.raises(MissingPart, match="never fetched: give the path of an ArcFace-type ONNX"):
        need("arcface")


def test_a_stand_in_counts_and_the_text_tower_belongs_to_the_model(folder: Path) -> None:
    model = model_named("clip-multilingual")
    first = model.files[0]
    assert first.or_else is not None
    path = put(model, first.or_else)
    os.truncate(path, first.or_else.about_bytes)  # a file of holes
    for file in model.files[1:]:
        put(model, file, bytes(file.size_bytes or 1))
    assert path_of(model, first) == path
    assert need_backbone("xlm-roberta-base-ViT-B-32", "laion5b_s13b_b90k") == path
    (folder / model.name / "xlm-roberta-base" / "tokenizer.json").unlink()
    with pytest.raises(MissingPart, match="not all here"):
        need_backbone("xlm-roberta-base-ViT-B-32", "laion5b_s13b_b90k")


def test_looking_is_cheap_and_imports_little() -> None:
    started = (
        time.thread_time()
    )  # of this thread alone: others of this process work on, and the suite keeps both cores busy
    for _ in range(100):
        find("owlv2")
    assert time.thread_time() - started < 0.5  # 5 ms alone
    code = "import sys, selector.weights as m; m.find('owlv2')\n"
    code += "heavy = {'torch', 'numpy', 'requests', 'huggingface_hub', 'open_clip', 'safetensors'} & set(sys.modules)\n"
    code += "assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- verify, and the tag of the content ---


def small(sha256: str | None) -> Model:
    return Model("small", ("one",), "MIT", (ModelFile("a.bin", sha256), ModelFile("b.bin", sha256)))


def test_verify_reads_every_byte() -> None:
    model = small(hashlib.sha256(b"weights").hexdigest())
    right, wrong = (put(model, file, data) for file, data in zip(model.files, (b"weights", b"weighty"), strict=True))
    assert need_model(model) == right.parent  # a look at the sizes sees nothing
    assert [check.verdict for check in verify(model)] == [Verdict.RIGHT, Verdict.DAMAGED]
    assert read_note(right) == model.files[0].sha256
    assert read_note(wrong) is None


def test_verify_goes_by_the_note_where_nothing_is_published() -> None:
    model = small(None)
    path = put(model, model.files[0])
    assert [check.verdict for check in verify(model)] == [Verdict.UNKNOWN, Verdict.MISSING]
    write_note(path, hashlib.sha256(b"weights").hexdigest(), path.stat())
    assert verify(model)[0].verdict is Verdict.AS_NOTED
    path.write_bytes(b"weighty")
    assert verify(model)[0].is_bad


def test_the_note_is_what_sha256sum_reads(tmp_path: Path) -> None:
    path = tmp_path / "a+b.bin"
    path.write_bytes(b"weights")
    write_note(path, hashlib.sha256(b"weights").hexdigest(), path.stat())
    done = subprocess.run(["sha256sum", "-c", "a+b.bin.sha256"], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_tag_is_the_contents(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"weights")
    assert content_tag(path) == hashlib.sha256(b"weights").hexdigest()[:8]
    path.write_bytes(b"weighty")
    os.utime(path, ns=(1, 1))
    assert content_tag(path) == hashlib.sha256(b"weighty").hexdigest()[:8]
    with pytest.raises(MissingPart, match="cannot be read"):
        content_tag(tmp_path / "absent")


@pytest.mark.parametrize("change", ["newer", "older", "longer"])
def test_the_tag_trusts_the_note_only_while_the_file_is_the_one_that_was_hashed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"weights")
    write_note(path, "ab" * 32, path.stat())
    assert content_tag(path) == "abababab"
    time_ns = path.stat().st_mtime_ns
    if change == "longer":
        path.write_bytes(b"weights.")
    moved = {"newer": 10**9, "older": -(10**9), "longer": 0}[change]
    os.utime(path, ns=(time_ns + moved, time_ns + moved))
    assert content_tag(path) == hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def test_the_note_of_a_copied_folder_is_mended_by_one_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"weights")
    write_note(path, hashlib.sha256(b"weights").hexdigest(), path.stat())
    os.utime(path, ns=(1, 1))
    first = content_tag(path)
    hashes._hash.cache_clear()  # another process
    monkeypatch.setattr(hashes, "sha256_of", lambda _: pytest.fail("it is read a second time"))
    assert content_tag(path) == first


def test_a_note_without_size_and_time_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"weights")
    (tmp_path / "a.bin.sha256").write_text(f"{'ab' * 32}  a.bin\n")
    assert read_note(path) == "ab" * 32
    assert content_tag(path) == hashlib.sha256(b"weights").hexdigest()[:8]
