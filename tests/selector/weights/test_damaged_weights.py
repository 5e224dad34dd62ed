"""Some hundreds of damaged files of weights: each is read, or refused in one line that names it and says what to do."""

from __future__ import annotations

import io
import random
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from costs import within

from scorers._embedded import affine_map
from selector.domain import InputError, OutOfResources
from selector.sight.onnx_session import forget_models, open_model
from selector.weights import load_state, why_unreadable

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
MILLION_MILLIONS = 10**12


def head() -> dict[str, Any]:
    return {"fc.weight": torch.arange(258.0)[None], "fc.bias": torch.ones(1).half()}


def torch_bytes(content: Any, new: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=new)
    return buffer.getvalue()


def safetensors_bytes() -> bytes:
    from safetensors.torch import save

    return save(head())


def onnx_bytes() -> bytes:
    from onnx import helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Relu", ["m"], ["y"])],
        "head",
        [helper.make_tensor_value_info("x", 1, ["n", 3])],
        [helper.make_tensor_value_info("y", 1, ["n", 4])],
        [numpy_helper.from_array(np.ones((3, 4), np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def damaged(data: bytes, times: int) -> Iterator[bytes]:
    """Cut off, or with some bytes changed, taken out or put in; half of the damage is done at the beginning."""
    chance = random.Random(7)
    for _ in range(times):
        changed, reach = bytearray(data), chance.choice((len(data), min(len(data), 500)))
        if chance.random() < 0.15:
            yield data[: chance.randrange(len(data))]
            continue
        for _ in range(chance.choice((1, 1, 2, 8))):
            at, many = chance.randrange(reach), chance.randrange(1, 9)
            way = chance.choice(("byte", "bit", "out", "in"))
            if way in ("byte", "bit"):
                at = min(at, len(changed) - 1)
                changed[at] = chance.randrange(256) if way == "byte" else changed[at] ^ 1 << chance.randrange(8)
            else:
                changed[at : at + (many if way == "out" else 0)] = chance.randbytes(many if way == "in" else 0)
        yield bytes(changed)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "made", "read"),
    [
        ("head.pt", lambda: torch_bytes(head()), affine_map),
        ("head.pth", lambda: torch_bytes(head(), new=False), affine_map),
        ("head.safetensors", safetensors_bytes, affine_map),
        ("net.onnx", onnx_bytes, open_model),
    ],
)
def test_damage_is_one_line_that_names_the_file(
    tmp_path: Path, name: str, made: Callable[[], bytes], read: Callable[[Path], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    path, refused = tmp_path / name, 0
    for data in damaged(made(), 150):
        path.write_bytes(data)
        affine_map.cache_clear()
        forget_models()
        try:
            read(path)
        except InputError as error:
            refused += 1
            assert name in str(error)
            assert "\n" not in str(error)
            assert re.search(": (?:it is damaged or cut off, )?(?:fetch|take) ", str(error)), error
    assert refused > 60
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("new", [True, False])
def test_a_file_that_says_it_holds_a_million_millions_of_numbers(tmp_path: Path, new: bool) -> None:
    path, number = tmp_path / "big.pth", b"\x8a\x06" + MILLION_MILLIONS.to_bytes(6, "little")
    data = torch_bytes(head(), new)
    if not new:
        path.write_bytes(data.replace(struct.pack("<cH", b"M", 258), number))
    else:
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(path, "w") as made:
            for info in source.infolist():
                made.writestr(info, source.read(info).replace(struct.pack("<cH", b"M", 258), number))
    with pytest.raises(InputError, match=r"big\.pth cannot be read as weights .*fetch it again"):
        load_state(path)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells how much memory is taken")
@pytest.mark.parametrize("new", [True, False])
def test_a_pickle_that_says_its_word_has_four_gigabytes_is_damaged(tmp_path: Path, new: bool) -> None:
    import resource

    path = tmp_path / "long.pth"
    path.write_bytes(in_pickle(b"X\x09\0\0\0fc.weight", b"X\xff\xff\xff\xfffc.weight", new))
    taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    usual = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + (2 << 30), usual[1]))
    try:
        with pytest.raises(InputError, match=r"long\.pth cannot be read as weights .*it is damaged or cut off"):
            load_state(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, usual)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    "said",
    [
        b"cfc\n" + b"a" * 20_000 + b"\n",
        b"X\x20\x4e\0\0" + b"a" * 20_000 + b")R",
        b"X\x20\x4e\0\0" + b"a\n" * 10_000 + b"\x85)R",
        b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R",
        b"X\x20\x4e\0\0" + b"a" * 20_000 + b"q\x63h\x63)R",
        b"](" + b"X\x20\x4e\0\0" + b"a" * 20_000 + b"e)R",
    ],
    ids=["class", "called", "in a tuple", "zeros", "from memory", "in a list"],
)
def test_a_pickle_that_takes_hours_or_gigabytes_to_refuse_is_refused_at_once(
    tmp_path: Path, said: bytes, new: bool
) -> None:
    path = tmp_path / "long.pth"
    path.write_bytes(in_pickle(b"X\x09\0\0\0fc.weight", said, new))
    refused = r"long\.pth is not tensors alone and might run code, so it is refused"
    with within(0.5), pytest.raises(InputError, match=refused):
        load_state(path)


@pytest.mark.parametrize("new", [True, False])
def test_a_class_whose_name_is_not_ascii_is_damage(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "long.pth"
    path.write_bytes(in_pickle(b"X\x09\0\0\0fc.weight", "cfc\né".encode() + b"a" * 20_000 + b"\n", new))
    with within(0.5), pytest.raises(InputError, match=r"long\.pth cannot be read as weights"):
        load_state(path)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    "beside", ["\n".join(map(str, range(2000))), "{" + "x" * 5000 + "}", "字" * 5000, bytes(9000)], ids=range(4)
)
def test_long_texts_beside_the_tensors_are_no_code(tmp_path: Path, beside: object, new: bool) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(torch_bytes({"vocabulary": beside, "state_dict": head()}, new))
    assert load_state(path).keys() == head().keys()


def in_pickle(old: bytes, said: bytes, new: bool) -> bytes:
    """A file whose pickle says something else."""
    data, stream = torch_bytes(head(), new), io.BytesIO()
    if not new:
        assert old in data
        return data.replace(old, said)
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(stream, "w") as made:
        for info in source.infolist():
            made.writestr(info.filename, source.read(info).replace(old, said))
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "odd",
    [
        lambda: torch.zeros(1).expand(1, MILLION_MILLIONS),
        lambda: torch.zeros(1, MILLION_MILLIONS, device="meta"),
        lambda: torch.zeros(1, 4).to_sparse(),
    ],
    ids=["one number many times", "no numbers", "sparse"],
)
def test_tensors_of_another_kind_are_refused(tmp_path: Path, odd: Callable[[], Any]) -> None:
    torch.save({"fc.weight": odd(), "fc.bias": torch.zeros(1)}, tmp_path / "odd.pth")
    with pytest.raises(InputError, match=r"odd\.pth holds no plain numbers at 'fc\.weight'"):
        load_state(tmp_path / "odd.pth")


def test_tensors_that_published_models_have_are_taken(tmp_path: Path) -> None:
    theirs = {"mask": torch.ones(1, 1).expand(8, 8), "freqs_cis": torch.ones(1, 4, dtype=torch.complex64)}
    torch.save(theirs, tmp_path / "model.pth")
    assert {key: value.shape for key, value in load_state(tmp_path / "model.pth").items()} == {
        "mask": (8, 8),
        "freqs_cis": (1, 4),
    }


def test_a_parameter_and_numbers_that_are_none(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.nn.Parameter(torch.ones(1, 2)), "fc.bias": torch.ones(1)}, tmp_path / "own.pth")
    assert affine_map(tmp_path / "own.pth")[1] == 1.0
    torch.save({"fc.weight": torch.full((1, 2), float("nan")), "fc.bias": torch.ones(1)}, tmp_path / "nan.pth")
    with pytest.raises(InputError, match=r"nan\.pth holds no stack of linear layers"):
        affine_map(tmp_path / "nan.pth")


def test_an_archive_that_inflates_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "small.pth"
    with (
        zipfile.ZipFile(io.BytesIO(torch_bytes(head()))) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for info in source.infolist():
            made.writestr(info.filename, bytes(50 << 20) if info.filename.endswith("data/0") else source.read(info))
    with pytest.raises(InputError, match="it unpacks to more bytes than it has"):
        load_state(path)


def test_what_the_machine_lacks_is_not_the_files_fault(tmp_path: Path) -> None:
    path = tmp_path / "head.pth"
    path.write_bytes(bytes(1000))
    with pytest.raises(OutOfResources, match=r"head\.pth does not fit into memory: .*run the same command again"):
        why_unreadable(MemoryError(), path)
    with pytest.raises(OutOfResources, match=r"head\.pth does not fit"):
        why_unreadable(
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 900 bytes"), path
        )
    assert why_unreadable(AssertionError("one\ntwo"), path) == "AssertionError: one two"
    assert why_unreadable(KeyError(), path) == "KeyError"
    with pytest.raises(InputError, match="mine"):
        why_unreadable(InputError("mine"), path)


def test_an_interrupt_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    (tmp_path / "head.pth").write_bytes(torch_bytes(head()))
    monkeypatch.setattr(torch, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_state(tmp_path / "head.pth")
