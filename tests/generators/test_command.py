"""Programs as generators, with real child processes: small Python scripts that the tests write."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pytest
from conftest import noise_jpeg

from generators.command import Command
from selector.conformance import check_generator
from selector.domain import (
    Declined,
    GenerationFailed,
    InputError,
    MissingPart,
    OutOfResources,
    Picture,
    Recipe,
    Task,
    TaskInputs,
    TaskType,
)
from selector.net import Interrupted
from selector.programs.said import last_line
from selector.registry import create_generator

SOURCE, REFERENCE = noise_jpeg(1, (48, 40)), noise_jpeg(2, (40, 40))
WICKED = (
    """-rf 'quo"ted' $(touch /tmp/never) `x` ; | & > < \\ 换行\n第二行 🎨 {seed} {output} {{x}} %s """ + "长" * 5000
)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Temporary folders are made where the test can look for what is left of them."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    assert list(place.iterdir()) == [], "a temporary folder was left behind"


@pytest.fixture
def script(tmp_path):
    """Writes a program; returns the beginning of its command."""

    def write(body: str, name: str = "program.py") -> list[str]:
        path = tmp_path / name
        path.write_text("import json, os, shutil, subprocess, sys, time\n" + textwrap.dedent(body), encoding="utf-8")
        return [sys.executable, "-S", str(path)]

    return write


def task(kind: TaskType = TaskType.T2I, prompt: str = "a cat", task_id: str = "7") -> TaskInputs:
    source = Picture(SOURCE, "a b/../'源'.jpg") if kind is not TaskType.T2I else None
    reference = Picture(REFERENCE, "r.jpg") if kind is TaskType.DEEPFAKE else None
    names = ("s.jpg" if source else None, "r.jpg" if reference else None)
    return TaskInputs(Task(task_id, kind, prompt, *names, 0), source, reference)


def one(generator: Command, inputs: TaskInputs):
    return generator.generate(inputs, generator.recipes(inputs, 1, 5)[0])


COPY = "shutil.copy(sys.argv[1], sys.argv[2])"
TELL = """
    json.dump(sys.argv[1:], open(os.environ["ARGS_FILE"], "w"))
    shutil.copy(os.environ["ANY_PICTURE"], sys.argv[1])
"""


@pytest.fixture
def told(tmp_path, monkeypatch, script):
    """A program that notes its arguments and makes a picture, and what it noted."""
    (tmp_path / "any.jpg").write_bytes(SOURCE)
    monkeypatch.setenv("ANY_PICTURE", str(tmp_path / "any.jpg"))
    monkeypatch.setenv("ARGS_FILE", str(tmp_path / "args.json"))

    def ask(arguments: list[str], inputs: TaskInputs, **settings) -> list[str]:
        made = one(Command([*script(TELL), "{output}", *arguments], **settings), inputs)
        assert made.image == SOURCE
        return json.loads((tmp_path / "args.json").read_text(encoding="utf-8"))[1:]

    return ask


# --- what the program is given ---------------------------------------------------------------------------------------


def test_a_face_swap_gets_both_pictures_with_their_own_bytes(script):
    body = """
        given = dict(a.split("=", 1) for a in sys.argv[2:])
        assert given["target"] == given["reference"]
        assert open(given["reference"], "rb").read() == open(sys.argv[1] + "/r.jpg", "rb").read()
        assert given["source"].endswith("/source.jpg")
        shutil.copy(given["source"], given["output"])
    """
    here = script(body)
    Path(here[-1]).with_name("r.jpg").write_bytes(REFERENCE)
    names = ("source", "target", "reference", "output")
    command = [*here, str(Path(here[-1]).parent), *(f"{name}={{{name}}}" for name in names)]
    made = one(Command(command), task(TaskType.DEEPFAKE, ""))
    assert made.image == SOURCE and made.notes == {}


def test_a_wicked_prompt_arrives_as_it_is_and_runs_nothing(told):
    arguments = ["--prompt={prompt}", "{prompt}", "--", "{prompt}", "{task_id}"]
    got = told(arguments, task(prompt=WICKED))
    assert got == [f"--prompt={WICKED}", f" {WICKED}", "--", WICKED, "7"]
    assert not Path("/tmp/never").exists()


def test_a_task_id_is_no_option_either(told):
    assert told(["{task_id}"], task(task_id="-5")) == [" -5"]


def test_a_prompt_file_holds_any_prompt_in_utf8(script):
    body = """
        text = open(sys.argv[1], "rb").read().decode()
        assert len(text) == int(sys.argv[2]), len(text)
        shutil.copy(sys.argv[3], sys.argv[4])
    """
    prompt = WICKED * 40  # 200,000 characters: more than an argument may have
    inputs = task(TaskType.TIE, prompt)
    assert one(Command([*script(body), "{prompt_file}", str(len(prompt)), "{source}", "{output}"]), inputs).image
    with pytest.raises(GenerationFailed, match=r"too long for an argument: use \{prompt_file\}"):
        one(Command([*script(COPY), "{source}", "{output}", "{prompt}"]), inputs)


def test_the_size_is_the_sources_or_that_of_the_settings(told):
    assert told(["{width}", "{height}"], task(TaskType.TIE)) == ["48", "40"]
    assert told(["{width}", "{height}"], task(), width=640, height=480) == ["640", "480"]


@pytest.mark.parametrize("prompt", ["a\0b", "a\ud800b"])
def test_a_prompt_that_no_program_can_be_given_is_declined(prompt):
    with pytest.raises(Declined, match="holds a character that no program can be given"):
        Command([sys.executable, "{output}"]).recipes(task(prompt=prompt), 1, 0)


def test_seeds_are_consecutive_and_a_command_without_a_seed_has_one_recipe(told):
    seeded = Command(["x", "{seed}", "{output}"])
    assert [r.seed for r in seeded.recipes(task(), 3, 2**31 - 2)] == [2**31 - 2, 2**31 - 1, 0]
    assert len(Command(["x", "{output}"]).recipes(task(), 5, 1)) == 1
    assert told(["{seed}"], task()) == ["5"]


def test_secrets_of_our_environment_stay_here_unless_they_are_named(script, monkeypatch):
    secrets = {
        "COMFY_API_KEY": "sk-aaaaaaaa", "HF_TOKEN": "hf-bbbbbbbb", "AWS_SECRET_ACCESS_KEY": "cccccccc",
        "MYTOKEN": "dddddddd", "db_password": "eeeeeeee", "PROXY": "http://me:ffffffff@host:1",
    }  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEYBOARD", "kept")
    body = """
        sys.stderr.write(",".join(sorted(k for k in os.environ if k in sys.argv[3].split(","))))
        shutil.copy(sys.argv[1], sys.argv[2])
    """
    command = [*script(body), "{source}", "{output}", ",".join([*secrets, "KEYBOARD", "PATH"])]
    inputs = task(TaskType.TIE)
    assert one(Command(command), inputs).notes == {"stderr": "KEYBOARD,PATH"}
    assert one(Command(command, env=["HF_TOKEN"]), inputs).notes == {"stderr": "HF_TOKEN,KEYBOARD,PATH"}


def test_a_secret_that_the_program_repeats_is_not_kept(script, monkeypatch):
    monkeypatch.setenv("COMFY_API_KEY", "sk-1234567890abcdef")
    body = "sys.exit('refused: key ' + os.environ['COMFY_API_KEY'] + ' or its part ' + os.environ['COMFY_API_KEY'][:9])"
    with pytest.raises(GenerationFailed) as caught:
        one(Command([*script(body), "{output}"], env=["COMFY_API_KEY"]), task())
    assert "refused: key" in str(caught.value) and "sk-123" not in str(caught.value)


def test_the_program_runs_in_the_folder_that_was_set(script, tmp_path):
    (tmp_path / "with space").mkdir()
    command = [*script("sys.stderr.write(os.getcwd())\n" + COPY), "{source}", "{output}"]
    made = one(
        create_generator("command", {"command": command, "cwd_folder": "with space"}, tmp_path), task(TaskType.TIE)
    )
    assert made.notes["stderr"].endswith("with space")


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_its_status_and_the_end_of_its_stderr_are_the_reason(script):
    body = """
        sys.stderr.write("x" * 100_000 + "\\n\\x1b[31mloading  10%\\rloading 100%\\x1b[0m\\nCUDA out of memory\\n")
        sys.exit(3)
    """
    with pytest.raises(GenerationFailed) as caught:
        one(Command([*script(body), "{output}"]), task())
    assert str(caught.value).endswith("ended with status 3: CUDA out of memory")


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("Traceback:\n  File x\nValueError: no face in 17.png\n\n  \n", "ValueError: no face in 17.png"),
        ("\x1b[31mloading  10%\rloading 100%\x1b[0m\r\n", "loading 100%"),
        ("a key sk-1234567890 leaked", "a key *** leaked"),
        ("y" * 300, "y" * 200 + "..."),
        ("", ""),
    ],
)
def test_a_reason_is_the_last_line_without_what_differs_from_task_to_task(stderr, reason):
    assert last_line(stderr, ["sk-1234567890"]) == reason


def test_notes_keep_the_end_of_stderr(script):
    body = "sys.stderr.write('x' * 5000 + '\\nstep 1\\nstep 2\\n'); " + COPY
    said = one(Command([*script(body), "{source}", "{output}"]), task(TaskType.TIE)).notes["stderr"]
    assert said.startswith("...") and said.endswith("x step 1 step 2") and len(said) < 500


@pytest.mark.parametrize("field", ["source", "target", "reference"])
def test_tasks_without_a_picture_are_declined_for_one_reason_that_names_the_placeholder(field):
    command = Command(["true", f"--in={{{field}}}", "{output}"])
    reasons = set()
    for task_id in ("1", "2"):
        with pytest.raises(Declined) as caught:
            command.recipes(task(task_id=task_id), 1, 0)
        reasons.add(str(caught.value))
    assert reasons == {f"the command needs a {{{field}}}, and the task has none"}


def test_a_program_may_decline_a_task(script):
    body = "print('no face in the picture', file=sys.stderr); sys.exit(int(sys.argv[2]))"
    with pytest.raises(Declined, match="declined the task: no face in the picture"):
        one(Command([*script(body), "{output}", "77"]), task())
    with pytest.raises(Declined):
        one(Command([*script(body), "{output}", "9"], declined_status=9), task())
    with pytest.raises(GenerationFailed, match="status 77"):
        one(Command([*script(body), "{output}", "77"], declined_status=9), task())


def test_a_crash_is_named_by_its_signal(script):
    with pytest.raises(GenerationFailed, match="was killed by SIGSEGV"):
        one(Command([*script("os.kill(os.getpid(), 11)"), "{output}"]), task())


@pytest.mark.parametrize("body", ["os.kill(os.getpid(), 9)", "sys.exit(137)"])
def test_a_program_that_the_system_killed_for_its_memory_ends_the_run(script, body):
    with pytest.raises(OutOfResources, match="killed by SIGKILL, as happens when memory runs out: set fewer `workers`"):
        one(Command([*script(body), "{output}"]), task())


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
def test_a_program_that_cannot_be_started_for_want_of_something_ends_the_run(script, monkeypatch, number):
    generator = Command([*script(COPY), "{output}"])

    def _execute_child(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess.Popen, "_execute_child", _execute_child)
    with pytest.raises(OutOfResources, match="run the same command again"):
        one(generator, task())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("print('did nothing', file=sys.stderr)", r"wrote no picture to \{output\} \(it said: did nothing\)"),
        ("open(sys.argv[1], 'w').close()", "wrote an empty file"),
        ("os.mkdir(sys.argv[1])", "is no file"),
        ("os.symlink('/dev/zero', sys.argv[1])", "is no file"),
        ("open(sys.argv[1], 'w').write('<html>busy</html>')", "not a picture that can be read"),
        ("open(sys.argv[1], 'wb').write(open(os.environ['WHOLE'], 'rb').read()[:700])", "damaged or truncated"),
        ("open(sys.argv[1], 'wb').truncate(64_000_001)", "wrote over 64 MB"),
    ],
)
def test_what_is_no_picture_is_a_failure(script, monkeypatch, tmp_path, body, reason):
    (tmp_path / "whole.jpg").write_bytes(SOURCE)
    monkeypatch.setenv("WHOLE", str(tmp_path / "whole.jpg"))
    with pytest.raises(GenerationFailed, match=reason):
        one(Command([*script(body), "{output}"]), task())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds: float = 10.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


FAMILY = """
    import signal
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    grandchild = subprocess.Popen([sys.executable, "-S", "-c", child], stdout=subprocess.PIPE)
    grandchild.stdout.readline()
    open(sys.argv[2] + ".part", "w").write(f"{os.getpid()} {grandchild.pid}")
    os.rename(sys.argv[2] + ".part", sys.argv[2])
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")


@needs_proc
def test_the_time_limit_kills_grandchildren_that_ignore_the_polite_signal(script, tmp_path):
    command = [*script(FAMILY + "    time.sleep(60)"), "{output}", str(tmp_path / "pids")]
    started = time.monotonic()
    with pytest.raises(GenerationFailed, match="did not end within 1 s"):
        one(Command(command, timeout_seconds=1), task())
    assert 1 <= time.monotonic() - started < 30  # each of the three sleeps for 60 s
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    wait_for(lambda: not any(map(is_alive, pids)), 2)


@needs_proc
def test_a_program_that_succeeds_leaves_no_process_behind_either(script, tmp_path):
    (tmp_path / "any.jpg").write_bytes(SOURCE)
    command = [*script(FAMILY + f"    shutil.copy({str(tmp_path / 'any.jpg')!r}, sys.argv[1])"), "{output}"]
    assert one(Command([*command, str(tmp_path / "pids")]), task()).image == SOURCE
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    wait_for(lambda: not any(map(is_alive, pids)), 2)


@needs_proc
def test_cancel_kills_what_runs_and_what_waits_in_other_threads(script, tmp_path):
    generator = Command([*script(FAMILY + "    time.sleep(60)"), "{output}", str(tmp_path / "pids")])
    outcomes: list[BaseException] = []

    def work():
        try:
            one(generator, task())
        except BaseException as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]  # parallel = 1: the second one waits
    for thread in threads:
        thread.start()
    wait_for((tmp_path / "pids").exists)
    generator.cancel()
    for thread in threads:
        thread.join(5)
    assert [type(outcome) for outcome in outcomes] == [Interrupted, Interrupted]
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    wait_for(lambda: not any(map(is_alive, pids)), 2)


OURS = """
    import threading
    from generators.command import Command
    from selector.domain import Recipe, Task, TaskInputs, TaskType
    generator = Command(json.loads(sys.argv[1]))
    work = lambda: generator.generate(TaskInputs(Task("1", TaskType.T2I, "", None, None, 0)), Recipe("", 1))
    if sys.argv[2] == "main":
        work()
    else:  # the main thread ends at Ctrl-C, a daemon thread dies with it
        threading.Thread(target=work, daemon=True).start()
        time.sleep(60)
"""


@needs_proc
@pytest.mark.parametrize("thread", ["main", "daemon"])
def test_ctrl_c_kills_the_program(script, tmp_path, temporary, thread):
    command = [*script(FAMILY + "    time.sleep(60)"), "{output}", str(tmp_path / "pids")]
    ours = [sys.executable, script(OURS, "ours.py")[-1], json.dumps(command), thread]
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(root)}
    process = subprocess.Popen(ours, stderr=subprocess.DEVNULL, cwd=root, env=environment)
    try:
        wait_for((tmp_path / "pids").exists)
        process.send_signal(signal.SIGINT)
        process.wait(10)
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        wait_for(lambda: not any(map(is_alive, pids)), 3)
    finally:
        process.kill()
        process.wait()
        if thread == "daemon":  # nobody was left to remove it
            for folder in temporary.iterdir():
                shutil.rmtree(folder)


def test_runs_at_once_are_limited(script, tmp_path):
    body = """
        open(f"{sys.argv[2]}/{os.getpid()}", "w").close()
        most = 0
        for _ in range(10):
            most = max(most, len(os.listdir(sys.argv[2])))
            time.sleep(0.02)
        os.remove(f"{sys.argv[2]}/{os.getpid()}")
        sys.exit(100 + most)
    """
    (tmp_path / "now").mkdir()
    generator = Command([*script(body), "{output}", str(tmp_path / "now")], parallel=2)
    seen: list[str] = []

    def work():
        with pytest.raises(GenerationFailed, match=r"status 10\d") as caught:
            one(generator, task())
        seen.append(str(caught.value)[-1])

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 5 and max(seen) == "2"


@pytest.mark.parametrize("name", ["source.jpg", "prompt.txt"])
def test_a_full_disk_is_told(script, monkeypatch, name):
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, data)

    generator = Command([*script(COPY), "{source}", "{output}", "{prompt_file}"])
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutOfResources, match=r"free some space .* or set TMPDIR"):
        one(generator, task(TaskType.TIE))


# --- what it needs ---------------------------------------------------------------------------------------------------


def test_check_says_what_is_not_here(script, tmp_path, monkeypatch):
    Command([*script(COPY), "{output}"]).check()
    with pytest.raises(MissingPart, match="no command is set"):
        Command().check()
    with pytest.raises(MissingPart, match="no-such-program is not found"):
        Command(["no-such-program", "{output}"]).check()
    with pytest.raises(MissingPart, match="is not a folder"):
        Command([*script(COPY), "{output}"], cwd_folder=str(tmp_path / "no")).check()
    monkeypatch.delenv("NOT_SET_TOKEN", raising=False)
    with pytest.raises(MissingPart, match="NOT_SET_TOKEN is not set"):
        Command([*script(COPY), "{output}"], env=["NOT_SET_TOKEN"]).check()


def test_a_program_by_a_relative_path_is_looked_for_in_its_folder(tmp_path):
    program = tmp_path / "make me.sh"
    program.write_text('#!/bin/sh\ncp "$1" "$2"\n')
    generator = Command(["./make me.sh", "{source}", "{output}"], cwd_folder=str(tmp_path))
    with pytest.raises(MissingPart, match=r"chmod \+x"):
        generator.check()
    program.chmod(0o755)
    generator.check()
    assert one(generator, task(TaskType.TIE)).image == SOURCE


def test_a_script_without_an_interpreter_is_told(tmp_path):
    program = tmp_path / "bare"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    with pytest.raises(MissingPart, match="does a script begin with a #! line"):
        one(Command([str(program), "{output}"]), task())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"command": "python swap.py {output}"}, "must be a list of strings"),
        ({"command": ["python", 3, "{output}"]}, "must be a list of strings"),
        ({"command": ["python", "swap.py"]}, r"no \{output\}"),
        ({"command": ["python", "{outputs}"]}, r"\{outputs\} \(did you mean '\{output\}'"),
        ({"command": ["{prompt}", "{output}"]}, "must begin with a program"),
        ({"task_types": ["deepfakes"]}, "did you mean 'deepfake'"),
        ({"task_types": "tie"}, "must be a list"),
        ({"timeout_seconds": 0}, "timeout_seconds must be a number"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds must be a number"),
        ({"parallel": 0}, "parallel must be"),
        ({"declined_status": 0}, "declined_status must be"),
        ({"output_format": "gif"}, 'must be "png" or "jpg"'),
        ({"version": 2}, "version must be a text"),
        ({"env": ["sk-1234"]}, "never their values"),
    ],
)
def test_settings_are_checked_when_they_are_read(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        create_generator("command", settings)
    assert "sk-1234" not in str(caught.value)


def test_tasks_that_it_does_not_serve_or_that_lack_a_picture_are_declined():
    with pytest.raises(Declined, match="serves deepfake tasks, this is a tie task"):
        Command(["x", "{output}"], task_types=["deepfake"]).recipes(task(TaskType.TIE), 1, 0)
    with pytest.raises(Declined, match=r"needs a \{target\}"):
        Command(["x", "{target}", "{output}"]).recipes(task(TaskType.TIE), 1, 0)
    with pytest.raises(Declined, match=r"needs a \{source\}"):
        Command(["x", "{source}", "{output}"]).recipes(task(), 1, 0)


def test_its_version_is_what_the_user_says():
    assert Command(["x", "{output}"], version="2").version == "2"


def test_it_keeps_the_contract_of_generators(script):
    command = [*script(COPY), "{source}", "{output}", "{seed}"]
    check_generator(Command(command, task_types=["tie", "vttie"], parallel=2), task(TaskType.TIE))
    assert isinstance(Command(command).recipes(task(TaskType.TIE), 1, 0)[0], Recipe)
