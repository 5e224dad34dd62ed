"""The command line: quick to start, one line an error, exit code 2, JSON for programs, help with an example."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from conftest import Run, noise_jpeg

from selector import Campaign
from selector.cli.main import group
from selector.domain import encode_final
from selector.store.candidates import load_candidates

Files = Callable[[Sequence[str]], tuple[Path, Path]]


def test_help_starts_without_heavy_imports() -> None:
    code = "import sys, time; from selector.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "heavy = {'numpy', 'pandas', 'sqlalchemy', 'pydantic', 'cv2', 'dlib', 'PIL'} & set(sys.modules)\n"
    code += "assert not heavy, heavy\nprint(time.process_time())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) < 2.0  # seconds of its own; 0.2 alone


@pytest.mark.parametrize("verb", list(group.commands))
def test_every_verb_has_help_with_an_example(run: Run, verb: str) -> None:
    code, out, _ = run(verb, "--help")
    assert code == 0
    assert f"Example:\n    bestshot {verb}" in out
    assert "--json" in out


def test_the_verbs_of_a_campaign_in_order(run: Run, campaign: Campaign) -> None:
    at = ("-C", campaign.folder)
    assert "9 candidates made" in run("generate", *at)[1]
    assert "9 candidates scored: 9 values, 0 unscored" in run("score", *at)[1]
    assert "3 of 3 tasks have a pick" in run("pick", *at)[1]
    exported = json.loads(run("export", *at, "--json")[1])
    submission = exported["submission"]["id"]
    assert json.loads(run("verify", exported["zip_path"], *at, "--json")[1])["valid"]
    assert "total 1.63" in run("record", submission, "--score", "1.63", *at)[1]
    assert json.loads(run("quota", *at, "--json")[1])["used"] == 1
    status = json.loads(run("status", *at, "--json")[1])
    assert (status["best_total"], status["types"]["tie"]["picked"]) == (1.63, 3)
    assert "best total 1.63" in run("status", *at)[1]
    assert Path(run("report", *at)[1].strip()).is_file()
    assert "technical" in run("doctor", *at)[1]


def test_totals_by_type_and_judgements_are_recorded_and_shown(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    at = ("-C", campaign.folder)
    campaign.generate()
    campaign.score()
    candidates = {p.task_id: p.candidate_id for p in campaign.pick()}
    submission = campaign.export().submission.id
    assert "total 1.63, tie 1.62" in run("record", submission, "--score", "1.63", "--type", "tie=1.62", *at)[1]
    _one_line_with_2(run("record", submission, "--type", "tie=1.7", *at), "tie total 1.62 already", "--reason")
    scores = tmp_path / "scores.csv"
    scores.write_text(f"task,candidate,sc,pq\n3,{candidates['3']},7,5\n10,{candidates['10']},,6\n", encoding="utf-8")
    assert (
        "vlm: 2 new judgements stored, 0 known already; by type: 2 tie" in run("judge", scores, "--by", "vlm", *at)[1]
    )
    again = json.loads(run("judge", scores, "--by", "vlm", "--json", *at)[1])
    assert (again["new"], again["known"], again["types"]) == (0, 2, {"tie": 2})
    status = json.loads(run("status", *at, "--json")[1])
    assert status["judgements"] == {"vlm": {"kind": "judge", "candidates": 2}}
    assert status["submissions"][0]["type_totals"] == {"tie": 1.62}
    lines = [line.split() for line in run("status", *at)[1].splitlines()]
    assert ["submission", "state", "day", "total", "tie", "fallbacks"] in lines
    assert ["vlm", "model", "2"] in lines


def test_a_wrong_judgement_is_one_line_with_its_row(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_text("task,candidate,sc\n3,deadbeef,7\n", encoding="utf-8")
    at = ("-C", campaign.folder)
    _one_line_with_2(run("judge", scores, "--by", "vlm", *at), "row 1 (line 2)", "no candidate 'deadbeef'")
    _one_line_with_2(run("judge", scores, "--by", "me", "--rating", *at), "allow no ratings")
    _one_line_with_2(run("judge", tmp_path / "absent.csv", "--by", "vlm", *at), "absent.csv")
    _one_line_with_2(run("judge", scores, *at), "--by")


def test_doctor_runs_without_a_campaign(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("doctor", "-C", tmp_path, "--json")
    assert code == 0
    assert {"generator faceswap", "scorer gate"} <= {check["subject"] for check in json.loads(out)}


def test_verify_needs_no_campaign(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()
    path = campaign.export().zip_path
    assert run("verify", path, "--tasks", tmp_path / "task.csv")[0] == 0
    path.write_bytes(path.read_bytes()[:-100])
    code, out, err = run("verify", path, "--tasks", tmp_path / "task.csv")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "NOT valid" in out


def _one_line_with_2(result: tuple[int, str, str], *words: str) -> None:
    code, _, err = result
    assert code == 2, err
    assert len(err.splitlines()) == 1, err
    for word in words:
        assert word in err, err


def test_an_error_is_json_for_those_who_asked_for_json(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    code, out, err = run("status", "--json", "-C", tmp_path / "nowhere")
    assert (code, len(err.splitlines())) == (2, 1)
    assert json.loads(out) == {"error": err.strip().removeprefix("bestshot: ")}
    assert "nonsense" in json.loads(run("generate", "--json", "--nonsense", "-C", campaign.folder)[1])["error"]
    assert run("status", "-C", tmp_path / "nowhere")[1] == ""


def test_an_error_adds_no_second_document(run: Run, campaign: Campaign) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()
    path = campaign.export().zip_path
    path.write_bytes(path.read_bytes()[:-100])
    code, out, _ = run("verify", path, "--json", "-C", campaign.folder)
    assert code == 2
    assert json.loads(out)["valid"] is False


def test_the_name_that_a_zip_should_have_is_said_with_the_team(run: Run, campaign: Campaign) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()
    exported = campaign.export().zip_path
    other = exported.rename(exported.with_name("t.zip"))
    assert f"expects '{exported.name}'" in run("verify", other, "-C", campaign.folder)[1]


@pytest.mark.parametrize("verb", [("explain", "03"), ("note", "03", "x"), ("prune", "--task", "03")])
def test_a_task_of_other_zeros_is_known_for_what_is_meant(run: Run, campaign: Campaign, verb: tuple[str, ...]) -> None:
    code, _, err = run(*verb, "-C", campaign.folder)
    assert (code, "there is no task '03' in this campaign (did you mean '3'?)" in err) == (2, True)


def test_usage_errors_are_one_line(run: Run) -> None:
    _one_line_with_2(run("genrate"), "genrate")
    _one_line_with_2(run("generate", "--typo"), "--typo", "bestshot generate --help")
    _one_line_with_2(run("record", "abc"), "bestshot", "campaign")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("index,prompt,ori_image,target_image\n1,x,,\n", ["task_type"]),
        ("index,task_type,prompt,ori_image,target_image\n1,t2i,a,,\n1,t2i,b,,\n", ["1", "twice"]),
        ("index,task_type,prompt,ori_image,target_image\n1,t2v,a,,\n", ["t2v", "t2i"]),
        ("index,task_type,prompt,ori_image,target_image\n1,tie,a,absent.jpg,\n", ["absent.jpg"]),
        ("index,task_type,prompt,ori_image,target_image\n1,tie,a,../secret.jpg,\n", ["../secret.jpg"]),
        ("index,task_type,prompt,ori_image,target_image\n1,tie,a,/etc/passwd,\n", ["/etc/passwd"]),
        ("index,task_type,prompt,ori_image,target_image\n1,tie,a,cut.jpg,\n", ["cut.jpg"]),
        (
            "index,task_type,prompt,ori_image,target_image\n1,tie,a,huge.png,\n",
            ["huge.png", "2500 megapixels"],
        ),
    ],
    ids=["missing column", "duplicate", "type", "absent", "traversal", "absolute", "truncated", "huge header"],
)
def test_a_wrong_table_or_picture_is_one_line_and_writes_nothing(
    run: Run, tmp_path: Path, table: str, words: list[str]
) -> None:
    images = tmp_path / "imgs"
    images.mkdir()
    whole = encode_final(_gradient())
    (images / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (images / "huge.png").write_bytes(_png_header(50_000, 50_000))
    path = tmp_path / "task.csv"
    path.write_text(table, encoding="utf-8")
    _one_line_with_2(run("init", tmp_path / "c", "--tasks", path, "--images", images), *words)
    assert not (tmp_path / "c").exists()


def test_a_gbk_table_and_a_zip_as_table_say_what_they_are(run: Run, tmp_path: Path) -> None:
    gbk = tmp_path / "gbk.csv"
    gbk.write_bytes("index,task_type,prompt,ori_image,target_image\n1,t2i,一只在草地上奔跑的猫,,\n".encode("gbk"))
    _one_line_with_2(run("init", tmp_path / "c", "--tasks", gbk, "--images", tmp_path), "GBK", "UTF-8")
    archive = tmp_path / "task.zip"
    archive.write_bytes(b"PK\x03\x04" + bytes(100))
    _one_line_with_2(run("init", tmp_path / "c", "--tasks", archive, "--images", tmp_path), "ZIP")


def test_an_unknown_key_names_the_nearest_known_one(run: Run, campaign: Campaign) -> None:
    path = campaign.folder / "campaign.toml"
    path.write_text(path.read_text().replace("workers = 2", "worker = 2"))
    _one_line_with_2(run("status", "-C", campaign.folder), "worker", "workers")


def test_no_verb_at_all_shows_the_help(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert len(out.splitlines()) > 20
    assert "bestshot init my-campaign" in out


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("record", "abc", "--withdraw", "--reason", "worse", "--on", "2025-07-01"), "--on"),
        (("verify", "some.zip", "--profile", "mini-png"), "--profile"),
    ],
    ids=["on", "profile"],
)
def test_options_without_effect_are_refused(
    run: Run, campaign: Campaign, arguments: tuple[str, ...], option: str
) -> None:
    _one_line_with_2(run(*arguments, "-C", campaign.folder), f"{option} has no effect")


def test_import_names_the_files_that_no_task_got(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    for name in ("3.jpg", *(f"x{i}.jpg" for i in range(7))):
        (folder / name).write_bytes(noise_jpeg(9))
    out = run("import", folder, "-C", campaign.folder)[1]
    assert out.startswith("8 files: 1 new candidate, 7 not taken\n")
    assert f"every file, and what became of it: {campaign.folder / 'import-report.csv'}" in out
    assert "7 files (x0.jpg, x1.jpg, x2.jpg, x3.jpg, x4.jpg, …)" in out
    (folder / "99.jpg").write_bytes(noise_jpeg(9))
    said = json.loads(run("import", folder, "-C", campaign.folder, "--json")[1])
    assert len(said["unmatched"]) == 8
    assert said["unmatched_because"] == {
        "no task has that id": ["99.jpg"],
        "the name begins with no task's id": [f"x{i}.jpg" for i in range(7)],
    }


def test_import_of_a_folder_that_gives_nothing_is_unfinished(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    assert run("import", folder, "-C", campaign.folder)[0] == 1
    (folder / "cat.jpg").write_bytes(noise_jpeg(9))
    status, out, _ = run("import", folder, "-C", campaign.folder)
    assert (status, out.splitlines()[0]) == (1, "1 file: 1 not taken")
    (folder / "3.jpg").write_bytes(noise_jpeg(8))
    assert [run("import", folder, "-C", campaign.folder)[0] for _ in range(2)] == [0, 0]
    assert "Exits with 1 when nothing at all was taken" in " ".join(run("import", "--help")[1].split())


def test_import_says_how_to_name_what_lacks_only_an_underscore(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    for seed, name in enumerate(
        ("3-sdxl-1234.png.jpg", "10.flux.jpg", "x-3.jpg", "3-.jpg", "00003-cat.jpg", "3-2025.jpg")
    ):
        (folder / name).write_bytes(noise_jpeg(60 + seed))
    out = run("import", folder, "-C", campaign.folder)[1]
    assert "behind the task's id an underscore is expected: 2 files" in out
    assert "rename 10.flux.jpg to 10_flux.jpg, and the others so" in out
    (folder / "10.flux.jpg").rename(folder / "10_flux.jpg")
    assert "1 new candidate" in run("import", folder, "-C", campaign.folder)[1]


def test_the_same_bytes_under_another_label_are_no_new_candidates(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    for seed, name in enumerate(("3.jpg", "10.jpg")):
        (folder / name).write_bytes(noise_jpeg(70 + seed))
    run("import", folder, "-C", campaign.folder, "--label", "flux")
    (folder / "3_b.jpg").write_bytes(noise_jpeg(77))
    out = run("import", folder, "-C", campaign.folder, "--label", "qwen")[1]
    assert out.startswith("3 files: 1 new candidate, 2 of the same picture as another\n")
    assert "known already as flux: 2 pictures of the same bytes, no candidate more" in out
    assert "known already" not in run("import", folder, "-C", campaign.folder, "--label", "qwen")[1]


@pytest.mark.parametrize("label", ["flux", "qwen"])
def test_lost_and_deleted_pictures_that_are_imported_again_are_told_as_restored(
    run: Run, campaign: Campaign, tmp_path: Path, label: str
) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    for seed, name in enumerate(("3.jpg", "10.jpg", "17.jpg")):
        (folder / name).write_bytes(noise_jpeg(70 + seed))
    run("import", folder, "-C", campaign.folder, "--label", "flux")
    pictures = sorted((campaign.folder / "images").rglob("*.jpg"))
    pictures[0].unlink()
    campaign.prune(pictures=[pictures[1].stem], delete=True, reason="by mistake")
    out = run("import", folder, "-C", campaign.folder, "--label", label)[1]
    kept = "1 imported before" if label == "flux" else "1 of the same picture as another"
    told = out.splitlines()[0].removeprefix("3 files: ").split(", ")
    assert sorted(told) == [kept, "2 lost or deleted pictures restored"]
    assert all(picture.is_file() for picture in pictures)


def test_a_lost_picture_that_is_made_again_is_told_as_restored(run: Run, campaign: Campaign) -> None:
    campaign.generate()
    next((campaign.folder / "images").rglob("*.jpg")).unlink()
    told = run("generate", "-C", campaign.folder)[1]
    assert told.startswith("0 candidates made (and 1 lost or deleted picture restored), 8 settled before")


def test_import_of_what_is_no_folder_is_one_plain_line(run: Run, campaign: Campaign) -> None:
    status, _, said = run("import", "../nope", "-C", campaign.folder)
    assert status == 2 and "../nope is not a folder: give the one" in said and "path" not in said


def test_a_repeated_import_says_that_it_is_done_and_ends_well(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    for seed, name in enumerate(("3.jpg", "10_a.jpg")):
        (folder / name).write_bytes(noise_jpeg(40 + seed))
    assert "already imported" not in run("import", folder, "-C", campaign.folder)[1]
    status, out, _ = run("import", folder, "-C", campaign.folder)
    assert (status, out.splitlines()[0]) == (0, "already imported: 2 files; nothing was left to do")
    (folder / "17.jpg").write_bytes(noise_jpeg(42))
    status, out, _ = run("import", folder, "-C", campaign.folder)
    assert (status, out.splitlines()[0]) == (0, "3 files: 1 new candidate, 2 imported before")


def test_a_repeated_judge_says_that_all_is_known_and_ends_well(run: Run, campaign: Campaign, tmp_path: Path) -> None:
    campaign.generate()
    with campaign._ws.db.read() as connection:
        rows = [f"{c.task_id},{c.id},5,6" for c in load_candidates(connection)]
    table = tmp_path / "scores.csv"
    table.write_text("\n".join(["task,candidate,sc,pq", *rows]) + "\n", encoding="utf-8")
    first = run("judge", table, "--by", "someone", "-C", campaign.folder)[1]
    assert f"{len(rows)} new judgements stored, 0 known already" in first
    status, out, _ = run("judge", table, "--by", "someone", "-C", campaign.folder)
    assert status == 0 and f"0 new judgements stored, {len(rows)} known already" in out


def test_no_campaign_says_how_to_make_one(run: Run, tmp_path: Path) -> None:
    _one_line_with_2(run("generate", "-C", tmp_path), "bestshot init")


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "selector.cli", "status", "--debug", "-C", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr


def _gradient():  # type: ignore[no-untyped-def]
    import numpy as np

    return np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (1, 256, 3))


def _png_header(width: int, height: int) -> bytes:
    """A PNG whose header promises a giant picture; nothing that should be believed."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )
