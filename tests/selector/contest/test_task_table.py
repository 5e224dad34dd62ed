"""Task tables as contests and spreadsheets really write them, and one clear line for each that is wrong."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selector.contest import table_text
from selector.contest.profile import load_profile
from selector.contest.task_table import read_task_table
from selector.domain import InputError, Task, TaskType, encode_final
from selector.domain.errors import InputProblems

TIANCHI = load_profile("tianchi-532389")
MINI = load_profile("mini-png")
HEADER = "index,task_type,prompt,ori_image,target_image\n"


def read(folder: Path, content: str | bytes, profile: object = TIANCHI) -> list[Task]:
    path = folder / "task.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_task_table(path, profile, folder / "imgs")  # type: ignore[arg-type]


def message(folder: Path, content: str | bytes, profile: object = TIANCHI) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, content, profile)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_all_four_kinds_of_tasks_are_read_in_the_programs_terms(tmp_path: Path) -> None:
    tasks = read(
        tmp_path,
        HEADER
        + "1,t2i,A red fox,,\n2,tie,make it snow,a.jpg,\n5,vttie,把“A”改成“B”,b.jpg,\n9,deepfake,,scene.jpg,face.jpg\n",
    )
    assert tasks == [
        Task("1", TaskType.T2I, "A red fox", None, None, 0),
        Task("2", TaskType.TIE, "make it snow", "a.jpg", None, 1),
        Task("5", TaskType.VTTIE, "把“A”改成“B”", "b.jpg", None, 2),
        Task("9", TaskType.DEEPFAKE, "", "scene.jpg", "face.jpg", 3),
    ]


def test_another_contest_reads_its_own_columns_and_words(tmp_path: Path) -> None:
    tasks = read(tmp_path, "photo,text,kind,key\n,a cat,draw,x-1\nb.png,bluer,change,猫\n", MINI)
    assert tasks == [
        Task("x-1", TaskType.T2I, "a cat", None, None, 0),
        Task("猫", TaskType.TIE, "bluer", "b.png", None, 1),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_chinese_prompts_with_and_without_bom_and_any_line_end(tmp_path: Path, encoding: str, line_end: str) -> None:
    text = (HEADER + "3,t2i,一只猫，坐着,,\n").replace("\n", line_end)
    assert read(tmp_path, text.encode(encoding))[0].prompt == "一只猫，坐着"


def test_quoted_commas_quotes_and_newlines_belong_to_the_prompt(tmp_path: Path) -> None:
    tasks = read(tmp_path, HEADER + '1,t2i,"a cat, ""sitting""\nby a door",,\n2,t2i,dog,,\n')
    assert [task.prompt for task in tasks] == ['a cat, "sitting"\nby a door', "dog"]


@pytest.mark.parametrize("prompt", ["NA", "null", "nan", "None", "TRUE", "1.50", "#N/A"])
def test_a_prompt_that_looks_like_a_missing_value_or_a_number_stays_text(tmp_path: Path, prompt: str) -> None:
    assert read(tmp_path, HEADER + f"1,t2i,{prompt},,\n")[0].prompt == prompt


def test_the_line_of_excel_says_how_the_table_is_separated(tmp_path: Path) -> None:
    table = ("sep=;\n" + HEADER + "4;t2i;a cat, asleep;;\n").replace(
        "index,task_type,prompt,ori_image,", "index;task_type;prompt;ori_image;"
    )
    assert read(tmp_path, table)[0].prompt == "a cat, asleep"
    assert "row 1 (line 3): unknown task type 't2x'" in message(tmp_path, table.replace("t2i", "t2x"))


def test_a_contest_s_own_words_are_kept_as_they_are(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "1,t2i,'-10%' on a sign,,\n")[0].prompt == "'-10%' on a sign"


def test_ids_need_not_be_consecutive_and_are_kept_as_written(tmp_path: Path) -> None:
    tasks = read(tmp_path, HEADER + "907,t2i,a,,\n007,t2i,b,,\n 12 , t2i ,c,,\n0,t2i,d,,\n")
    assert [task.id for task in tasks] == ["907", "007", "12", "0"]
    assert [task.position for task in tasks] == [0, 1, 2, 3]


def test_extra_columns_empty_lines_and_short_rows_do_not_matter(tmp_path: Path) -> None:
    text = "note,index,prompt,task_type,ori_image,target_image,\nx,1,a,t2i,,,\n\n,,,,,,\n ,2,b,t2i\n\n"
    assert [(task.id, task.position) for task in read(tmp_path, text)] == [("1", 0), ("2", 1)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("1,t2i,a,,\n1,t2i,b,,\n", "row 2 (line 3): index '1' occurs twice, first on line 2"),
        ("7,t2i,a,,\n007,t2i,b,,\n", "index '007' occurs twice"),
        ("1,t2l,a,,\n", "row 1 (line 2): unknown task type 't2l' (did you mean 't2i'?)"),
        ("1,DeepFakes,a,,\n", "(did you mean 'deepfake'?)"),
        ("1,text2image,a,,\n", "unknown task type 'text2image' (did you mean 't2i'?)"),
        ("1,Txt2Img,a,,\n", "(did you mean 't2i'?)"),
        ("1,text-to-image,a,,\n", "(did you mean 't2i'?)"),
        ("1,image_edit,a,,\n", "(did you mean 'tie'?)"),
        ("1,Text Edit,a,,\n", "(did you mean 'vttie'?)"),
        ("1,face-swap,a,,\n", "(did you mean 'deepfake'?)"),
        ("1,xyz,a,,\n", "unknown task type 'xyz'; the contest has t2i"),
        ("1,,a,,\n", "unknown task type ''"),
        ("1.0,t2i,a,,\n", "column 'index' must be a whole number, got '1.0': write 1"),
        ("01.00,t2i,a,,\n", "got '01.00': write 01"),
        ("1.5,t2i,a,,\n", "column 'index' must be a whole number, got '1.5'"),
        ("-1,t2i,a,,\n", "must be a whole number"),
        ("２,t2i,a,,\n", "column 'index' has '２' in full-width digits: type '2'"),
        ("١,t2i,a,,\n", "must be a whole number"),
        (",t2i,a,,\n", "must be a whole number, got ''"),
        ("9" * 5000 + ",t2i,a,,\n", "usable as a file name"),
        ("1,t2i,,,\n", "column 'prompt' is empty, but a 't2i' task needs a prompt"),
        ("1,tie,   ,a.jpg,\n", "column 'prompt' is empty"),
        ("1,tie,a,,\n", "column 'ori_image' is empty, but a 'tie' task needs this image"),
        ("1,deepfake,,a.jpg,\n", "column 'target_image' is empty"),
        ("1,tie,a,../a.jpg,\n", "climbs out with '..'"),
        ("1,tie,a,/etc/a.jpg,\n", "is an absolute path"),
        ("1,tie,a,C:/a.jpg,\n", "is an absolute path"),
        ("1,t2i,one, two,,\n", "row 1 (line 2): 6 fields instead of 5; put a prompt with commas in double quotes"),
        ('1,t2i,"a\nb\nc",,\n\n2,t2i,x,y,,\n', "row 2 (line 6): 6 fields instead of 5"),
        ('1,t2i,"a\nb",,\n2,t2i,"x,,\n3,t2i,y,,\n', "row 2 (line 4): a double quote is opened and never closed"),
        ('1,t2i,"a\nb\nc",,\n\n2,t2x,x,,\n', "row 2 (line 6): unknown task type"),
    ],
)
def test_a_wrong_row_is_named_by_row_and_line(tmp_path: Path, rows: str, expected: str) -> None:
    assert expected in message(tmp_path, HEADER + rows)


def test_all_wrong_rows_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputProblems) as caught:
        read(tmp_path, HEADER + "1,t2i,a,,\n1,t2i,b,,\n2,x,c,,\n3,t2i,,,\n")
    assert len(caught.value.problems) == 3
    assert str(caught.value).endswith("... and 2 more")


@pytest.mark.parametrize(("one", "other"), [("Cat", "cat"), ("STRASSE", "stra\u00dfe"), ("\u00e9", "e\u0301")])
def test_text_ids_that_one_file_system_takes_for_one_file_are_refused(tmp_path: Path, one: str, other: str) -> None:
    table = f"photo,text,kind,key\n,a cat,draw,{one}\n,a dog,draw,{other}\n"
    assert f"key {other!r} is {one!r} of line 2" in message(tmp_path, table, MINI)


@pytest.mark.parametrize("good", ["x" * 100, "猫" * 33, "console", "com10", "a.b"])
def test_text_ids_near_the_limits_are_taken(tmp_path: Path, good: str) -> None:
    assert read(tmp_path, f"photo,text,kind,key\n,a cat,draw,{good}\n", MINI)[0].id == good


@pytest.mark.parametrize(
    "bad",
    [
        "a/b",
        "../../x",
        "a.",
        "~a",
        "a\x86b",
        "..",
        ".hidden",
        "a\\b",
        "a:b",
        "x" * 101,
        "猫" * 34,
        "",
        "a{id}",
        "con",
        "NUL",
        "Lpt1.a",
    ],
)
def test_a_text_id_must_be_usable_as_a_file_name(tmp_path: Path, bad: str) -> None:
    assert "usable as a file name" in message(tmp_path, f"photo,text,kind,key\n,a cat,draw,{bad}\n", MINI)


def test_an_id_that_would_put_its_image_on_the_manifest_is_refused(tmp_path: Path) -> None:
    export = MINI.export.model_copy(update={"image_path": "{id}"})
    profile = MINI.model_copy(update={"export": export})
    table = "photo,text,kind,key\n,a cat,draw,{}\n"
    assert read(tmp_path, table.format("answers.png"), profile)
    assert "is the place of the manifest" in message(tmp_path, table.format("Answers.CSV"), profile)


@pytest.mark.parametrize("name", ["con.jpg", ".tmp-1-a.jpg", "a?.jpg", "sub./a.jpg"])
def test_an_image_is_copied_so_its_name_must_do_everywhere(tmp_path: Path, name: str) -> None:
    assert f"image name {name!r}" in message(tmp_path, HEADER + f"1,tie,a,{name},\n")


def test_a_path_from_where_one_stands_is_one_inside_the_folder(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "1,tie,a,./sub/a.jpg,\n")[0].source == "./sub/a.jpg"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "id,type,text,image,target_image,note",
            "columns 'index', 'task_type', 'prompt', 'ori_image' are missing; rename 'id' to 'index'?, "
            "rename 'type' to 'task_type'?, rename 'text' to 'prompt'?, rename 'image' to 'ori_image'?",
        ),
        (
            "index,task_type,prompt,orig_image,target_image",
            "'ori_image' is missing; rename 'orig_image' to 'ori_image'?",
        ),
        (
            "index;task_type;prompt;ori_image;target_image",
            "separated by semicolons; save it with commas, or put sep=; on top",
        ),
        ("index\ttask_type\tprompt\tori_image\ttarget_image", "separated by tabs"),
        (
            "a,b",
            "columns 'index', 'task_type', 'prompt', 'ori_image', 'target_image' are missing; the table has 'a', 'b'",
        ),
        ("index,index,task_type,prompt,ori_image,target_image", "'index' occurs 2 times"),
    ],
)
def test_a_wrong_header_is_explained(tmp_path: Path, header: str, expected: str) -> None:
    assert expected in message(tmp_path, header + "\n1\n")


def test_a_table_without_tasks_is_refused(tmp_path: Path) -> None:
    assert "is empty" in message(tmp_path, "")
    assert "has a header but no task" in message(tmp_path, HEADER + "\n,,,,\n")


def test_gbk_is_recognised_and_the_line_and_the_cure_are_named(tmp_path: Path) -> None:
    table = (HEADER + "1,t2i,a cat,,\n2,t2i,一只红色的狐狸坐在雪地里,,\n").encode("gbk")
    found = message(tmp_path, table)
    assert "line 3 is not UTF-8, it looks like GBK" in found
    assert f"iconv -f GB18030 -t UTF-8 {tmp_path}/task.csv > {tmp_path}/task-utf8.csv" in found


def test_latin_1_is_not_taken_for_gbk(tmp_path: Path) -> None:
    found = message(tmp_path, (HEADER + "1,t2i,un café à la crème,,\n").encode("latin-1"))
    assert "line 2 is not UTF-8 (byte 0xE9)" in found
    assert "GBK" not in found


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognised(tmp_path: Path, encoding: str) -> None:
    assert "UTF-16" in message(tmp_path, (HEADER + "1,t2i,cat,,\n").encode(encoding))


def zip_bytes(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zip_bytes("task.csv"), "is a ZIP archive, not a task table"),
        (zip_bytes("[Content_Types].xml", "xl/workbook.xml"), "is an Excel workbook"),
        (encode_final(np.zeros((8, 8, 3), np.uint8), "png"), "is a PNG picture"),
        (encode_final(np.zeros((8, 8, 3), np.uint8)), "is a JPEG picture"),
        (b"\x00\x01\x02", "NUL bytes"),
    ],
)
def test_another_kind_of_file_is_recognised(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in message(tmp_path, content)


def test_a_huge_file_is_refused_without_reading_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_text, "MAX_TABLE_BYTES", 1 << 20)
    with (tmp_path / "task.csv").open("wb") as stream:
        stream.truncate(10**12)  # sparse: reading it whole would not end
    with pytest.raises(InputError, match=r"larger than 1\.0 MB"):
        read_task_table(tmp_path / "task.csv", TIANCHI, tmp_path)


def test_a_folder_or_nothing_instead_of_a_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        read_task_table(tmp_path, TIANCHI, tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_task_table(tmp_path / "none.csv", TIANCHI, tmp_path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200)
    | st.text(alphabet=',"\n\r 1t2i猫', max_size=80).map(lambda t: (HEADER + t).encode())
)
def test_whatever_comes_is_a_table_or_one_line_of_error(tmp_path: Path, content: bytes) -> None:
    try:
        assert read(tmp_path, content)
    except InputError as error:
        assert "\n" not in str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prompts=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1).filter(str.strip),
        min_size=1,
        max_size=5,
    )
)
def test_every_prompt_survives_a_round_trip_through_csv(tmp_path: Path, prompts: list[str]) -> None:
    rows = "".join(f'{n},t2i,"{prompt.replace(chr(34), chr(34) * 2)}",,\n' for n, prompt in enumerate(prompts))
    assert [task.prompt for task in read(tmp_path, HEADER + rows)] == [prompt.strip() for prompt in prompts]
