"""Loading weights runs no code: pickles that would are refused, and what is damaged says so."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from selector.domain import InputError, MissingPart
from selector.weights import load_state

torch = pytest.importorskip("torch")
HEADS = Path(__file__).resolve().parents[4] / "shared" / "weights"


class Malice:
    """Unpickled, it would create a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def state() -> dict[str, Any]:
    return {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2, dtype=torch.float16)}


def same(loaded: dict[str, Any]) -> bool:
    return loaded.keys() == state().keys() and all(
        torch.equal(loaded[k], v) and loaded[k].dtype == v.dtype for k, v in state().items()
    )


def test_safetensors_and_pickles_of_tensors_are_loaded(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(state(), tmp_path / "a.safetensors")
    torch.save(state(), tmp_path / "a.pth")
    torch.save(state(), tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "state_dict": state()}, tmp_path / "wrapped.pt")
    assert all(same(load_state(path)) for path in sorted(tmp_path.iterdir()))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("way", ["torch", "old torch", "plain pickle"])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, way: str) -> None:
    mark, path = tmp_path / "was run", tmp_path / "evil.pth"
    evil = {"weight": torch.ones(1), "payload": Malice(mark)}
    if way == "plain pickle":
        path.write_bytes(pickle.dumps(evil))
    else:
        torch.save(evil, path, _use_new_zipfile_serialization=way == "torch")
    with pytest.raises(InputError, match=r"evil\.pth .*refused: take the model's \.safetensors"):
        load_state(path)
    assert not mark.exists()
    torch.load(path, weights_only=False) if way != "plain pickle" else pickle.loads(path.read_bytes())
    assert mark.exists()  # the trap was a real one


@pytest.mark.filterwarnings("ignore::FutureWarning")  # tracing is deprecated, its archives are not gone
def test_a_torchscript_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scripted.pt"
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 1), torch.ones(1, 2)), path)
    with pytest.raises(InputError, match="TorchScript archive, which holds code"):
        load_state(path)


def test_a_whole_model_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 1), tmp_path / "model.pt")
    with pytest.raises(InputError, match="not tensors alone"):
        load_state(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1}, {"a": torch.ones(1), "b": "text"}])
def test_what_holds_no_named_tensors_says_what_it_holds(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "odd.pt")
    with pytest.raises(InputError, match=r"odd\.pt holds a .*expected"):
        load_state(tmp_path / "odd.pt")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("kept", [0, 10, 100, 400])
def test_a_file_that_is_cut_off_says_so(tmp_path: Path, suffix: str, kept: int) -> None:
    from safetensors.torch import save_file

    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    if suffix == ".pth":
        torch.save({"weight": torch.ones(100)}, whole)
    else:
        save_file({"weight": torch.ones(100)}, whole)
    cut.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(InputError, match="fetch it again") as refused:
        load_state(cut)
    assert "\n" not in str(refused.value)


def test_a_pointer_of_git_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(InputError, match="Git LFS pointer"):
        load_state(path)


def test_other_files_and_no_file_say_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"expected \.safetensors or \.pt"):
        load_state(tmp_path / "net.onnx")
    with pytest.raises(MissingPart, match="there are no weights at"):
        load_state(tmp_path / "absent.pt")


def test_an_old_pytorch_is_not_trusted_with_a_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(state(), tmp_path / "a.pth")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(InputError, match=r"torch>=2\.6"):
        load_state(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("name", "shape"),
    [("laion_aesthetic_sac_logos_ava1_l14_linear.pth", (1, 16)), ("universal_fake_detect_fc.pth", (1, 768))],
)
def test_the_published_heads_load(name: str, shape: tuple[int, int]) -> None:
    if not HEADS.is_dir():
        pytest.skip("the published heads are not beside the repository")
    assert shape in {tuple(tensor.shape) for tensor in load_state(HEADS / name).values()}
