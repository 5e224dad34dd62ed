"""Profiles are data: two contests with different facts, and every fault of a profile is one line that names the key."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from pydantic import ValidationError

from selector.contest.profile import load_profile, profile_names
from selector.domain import InputError, TaskType, stable_hash
from selector.domain.errors import InputProblems


def toml_of(name: str) -> str:
    return (resources.files("selector") / "profiles" / f"{name}.toml").read_text("utf-8")


def broken(folder: Path, old: str, new: str, name: str = "mini-png") -> Path:
    text = toml_of(name)
    assert text.count(old) == 1
    path = folder / "own.toml"
    path.write_text(text.replace(old, new), "utf-8")
    return path


def message_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_profile(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_built_in_profiles_are_listed_and_all_load() -> None:
    assert {"mini-png", "tianchi-532389"} <= set(profile_names())
    assert [load_profile(name).name for name in profile_names()] == list(profile_names())


def test_tianchi_holds_the_facts_of_the_contest() -> None:
    profile = load_profile("tianchi-532389")
    assert profile.columns == ("index", "task_type", "prompt", "ori_image", "target_image")
    assert {kind.value: facts.word for kind, facts in profile.task_types.items()} == {
        word: word for word in ("t2i", "tie", "vttie", "deepfake")
    }
    assert (profile.quota.per_day, profile.quota.time_zone, profile.quota.counts) == (2, "Asia/Shanghai", "best")
    export = profile.export
    assert (export.manifest, export.manifest_encoding, export.max_bytes) == ("result.csv", "utf-8-sig", 2 * 1024**3)
    assert export.manifest_columns == (("index", "{id}"), ("gen_image", "{id}.jpg"))
    assert (export.image_path, export.archive_name) == ("imgs/{id}.jpg", "{team}_图片生成_result.zip")
    assert (export.image_format, export.jpeg_quality, export.jpeg_chroma) == ("jpeg", 95, "4:4:4")
    assert (profile.score.cosine_scale, profile.score.decimals, profile.score.failed_image) == (10.0, 2, 0.0)
    assert not profile.rules.human_ratings
    assert profile.rules.learn_from_totals and profile.totals_rule == ""
    assert profile.last_day is None


def test_totals_may_teach_unless_a_profile_forbids_it(tmp_path: Path) -> None:
    says_nothing = load_profile(broken(tmp_path, "learn_from_totals = false     # totals are recorded only\n", ""))
    assert says_nothing.totals_rule == ""
    forbids = load_profile("mini-png")
    assert not forbids.rules.learn_from_totals
    assert forbids.totals_rule.startswith("the rules of mini-png allow no learning from leaderboard totals")
    assert forbids.model_dump()["rules"]["learn_from_totals"] is False


def test_a_campaign_from_before_a_key_keeps_the_hash_of_its_profile() -> None:
    """As the program before `learn_from_totals` noted it in campaigns and manifests."""
    assert stable_hash(load_profile("tianchi-532389").model_dump(mode="json")) == "6995fa4ad3f2105d"


def test_identity_comes_from_target_image_and_scene_from_ori_image() -> None:
    swap = load_profile("tianchi-532389").task_types[TaskType.DEEPFAKE]
    assert (swap.source, swap.reference, swap.sc) == ("ori_image", "target_image", "face_cosine")


def test_a_second_contest_differs_in_every_kind_of_fact() -> None:
    tianchi, mini = load_profile("tianchi-532389"), load_profile("mini-png")
    assert set(mini.task_types) == {TaskType.T2I, TaskType.TIE}
    assert mini.last_day == date(2030, 6, 30)
    for part in ("table", "export", "quota", "rules"):
        ours, theirs = getattr(tianchi, part).model_dump(), getattr(mini, part).model_dump()
        same = {key for key in ours if ours[key] == theirs[key]}
        assert same <= {"jpeg_quality", "jpeg_chroma", "counts"}, part


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_profile("mini-png").quota.per_day = 99  # type: ignore[misc]


def test_ones_own_file_is_loaded_with_and_without_bom(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(toml_of("mini-png").replace('name = "mini-png"', 'name = "own"'), "utf-8-sig")
    assert load_profile(path).name == load_profile(str(path)).name == "own"


def test_unknown_profile_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'tianchi-532389'"):
        load_profile("tianchi-53238")
    with pytest.raises(InputError, match="built in are"):
        load_profile("qqq")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("per_day = 5", "per_dya = 5", "unknown key 'quota.per_dya' (did you mean 'per_day'?)"),
        ("per_day = 5", "", "key 'quota.per_day' is missing"),
        ("per_day = 5", 'per_day = "many"', "key 'quota.per_day'"),
        ('time_zone = "UTC"', 'time_zone = "Europe/Atlantis"', "unknown time zone"),
        ('time_zone = "UTC"', 'time_zone = "../etc/passwd"', "unknown time zone"),
        ('word = "draw"', 'wrod = "draw"', "(did you mean 'word'?)"),
        ('word = "draw"', 'word = "change"', "two of them have the same word"),
        ("[task_types.t2i]", "[task_types.t2v]", "task_types.t2v"),
        ('source = "photo"', "", "needs the key 'source'"),
        ("fixed_size_px = [256, 192]", "", "needs the key 'export.fixed_size_px'"),
        ('image_path = "pictures/{id}.png"', 'image_path = "../{id}.png"', "climbs out with '..'"),
        ('image_path = "pictures/{id}.png"', 'image_path = "/p/{id}.png"', "relative path"),
        ('image_path = "pictures/{id}.png"', 'image_path = "p.png"', "must contain {id}"),
        ('image_path = "pictures/{id}.png"', 'image_path = "nul/{id}.png"', "device on Windows"),
        ('image_path = "pictures/{id}.png"', 'image_path = "a\\n{id}.png"', "control character"),
        ('image_path = "pictures/{id}.png"', 'image_path = "ANSWERS.csv/{id}.png"', "share a place in the ZIP"),
        ('manifest = "answers.csv"', 'manifest = "pictures"', "('pictures') would share a place in the ZIP"),
        ('manifest = "answers.csv"', 'manifest = "../answers.csv"', "key 'export.manifest': climbs out"),
        ('"answers-{team}.zip"', '"/tmp/x.zip"', "key 'export.archive_name': is an absolute path"),
        ('"answers-{team}.zip"', '"../../campaign.db"', "key 'export.archive_name': climbs out"),
        ('"answers-{team}.zip"', '"a/{team}.zip"', "holds a slash; give the name of one file"),
        ('"answers-{team}.zip"', '"manifest.json"', "does not end in .zip"),
        ('"answers-{team}.zip"', '".tmp-1-{team}.zip"', "begins with a dot"),
        ('"answers-{team}.zip"', f'"{"x" * 252}.zip"', "longer than 255 bytes"),
        (
            "max_bytes = 104",
            'other_archive_names = ["../b.zip"]\nmax_bytes = 104',
            "other_archive_names.0': climbs out",
        ),
        ('image_path = "pictures/{id}.png"', 'image_path = "{index}{id}.png"', "unknown placeholder {index}"),
        ('["key", "{id}"]', '["file", "{id}"]', "same header"),
        ("high = 10", "high = 5", "key 'score.high'"),
        ("decimals = 3", "decimals = = 3", "not valid TOML"),
    ],
)
def test_a_wrong_profile_is_one_line_that_names_the_key(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert expected in message_of(broken(tmp_path, old, new))


def test_all_faults_of_a_profile_are_listed(tmp_path: Path) -> None:
    path = broken(tmp_path, "per_day = 5", "per_dya = 5")
    with pytest.raises(InputProblems) as caught:
        load_profile(path)
    assert len(caught.value.problems) == 2
    assert "'quota.per_dya'" in str(caught.value)
    assert str(caught.value).endswith("key 'quota.per_day' is missing")


def test_a_face_swap_without_identity_column_is_refused(tmp_path: Path) -> None:
    path = broken(tmp_path, 'reference = "target_image"', "", "tianchi-532389")
    assert "needs the key 'reference'" in message_of(path)


def test_a_profile_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(toml_of("tianchi-532389").encode("gbk"))
    assert "save the file as UTF-8" in message_of(path)


def test_output_size_follows_the_rule_of_the_task_type() -> None:
    tianchi, mini = load_profile("tianchi-532389"), load_profile("mini-png")
    assert tianchi.output_size_px(TaskType.T2I, (1328, 1328), None) == (1328, 1328)
    assert tianchi.output_size_px(TaskType.TIE, (1248, 832), (640, 427)) == (640, 427)
    assert tianchi.output_size_px(TaskType.T2I, (8192, 1024), None) == (4096, 512)
    assert mini.output_size_px(TaskType.TIE, (1024, 1024), (640, 427)) == (256, 192)


@pytest.mark.parametrize(
    ("made", "final"),
    [
        ((600, 400), (600, 400)),
        ((608, 400), (600, 400)),  # a side rounded to a multiple of 16 px
        ((1024, 682), (600, 400)),
        ((400, 600), (400, 600)),  # turned
        ((400, 400), (400, 400)),  # cropped: no pixel is blurred
        ((1024, 1024), (490, 490)),  # another model's square: the source's area
        ((2400, 400), (1200, 200)),
    ],
)
def test_the_size_of_the_source_never_changes_proportions(made: tuple[int, int], final: tuple[int, int]) -> None:
    assert load_profile("tianchi-532389").output_size_px(TaskType.TIE, made, (600, 400)) == final
