"""What the machine runs out of: memory, file handles, threads, ports, disk. It says nothing about a task or a picture.

Such an error ends the run and is stored nowhere as an outcome: whatever turns an error into words to be kept asks
``reason_of``, and whatever catches an error to go on without it asks ``raise_shortage`` first.
"""

from __future__ import annotations

import errno
import re
import socket
import traceback
from collections.abc import Iterator

from selector.domain.errors import OutOfResources

_AGAIN = "and run the same command again; nothing is lost"
DISK_FULL = f"the disk is full: free some space {_AGAIN}"
_MEMORY = (
    "set fewer `workers` in campaign.toml or a smaller batch, raise `ulimit -v` where it is set, or close other "
    f"programs, {_AGAIN}"
)
_HANDLES = f"the limit of open files is reached: set fewer `workers` in campaign.toml, or raise `ulimit -n`, {_AGAIN}"
_THREADS = (
    "no more threads or processes can be started: set fewer `workers` in campaign.toml, close other programs, or "
    f"raise `ulimit -u`, {_AGAIN}"
)
_PORTS = (
    "no local network port or buffer is free, or an address in campaign.toml is none of this network's: close other "
    f"programs, wait a minute {_AGAIN}"
)

_OF_NUMBER = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EMFILE: _HANDLES,
    errno.ENFILE: _HANDLES,
    errno.ENOBUFS: _PORTS,
    errno.EADDRNOTAVAIL: _PORTS,
}
_STARTING = ("_execute_child", "_launch")  # where subprocess and multiprocessing start a process
# Words of libraries for a system's number of an error: Rust's (safetensors), the loader's of libraries, SQLite's.
_OF_WORDS = {
    "(os error 24)": _HANDLES,
    "(os error 28)": DISK_FULL,
    "cannot open shared object file: Too many open files": _HANDLES,
    "Too many open files (24)": _HANDLES,  # torch, of memory that processes share
    "No space left on device": DISK_FULL,
    "database or disk is full": DISK_FULL,
    "can't start new thread": _THREADS,
    "pthread_create failed": _THREADS,
}
_NO_MEMORY = re.compile(
    r"can't allocate memory|cannot allocate memory(?! in static TLS)|DefaultCPUAllocator: not enough memory"
    r"|insufficient memory|paging file is too small|bad[ _]alloc(ation)?\b|failed to allocate memory"
    r"|available memory of \d+ is smaller|_STATUS_ALLOC_FAILED|\(os error 12\)"
    r"|failed to map segment from shared object$",  # of a library; more follows on a disk "noexec"
    re.IGNORECASE,
)
# "CUDA out of memory", "CUDA error: out of memory"; a plug-in's "the service said: out of memory" is none.
_OF_GPU = re.compile(r"[\w ]*((error|failed): )?out of memory", re.IGNORECASE)
# Libraries whose words are this machine's own. An error of another kind may repeat what a service has said of its own.
_LOCAL = ("onnxruntime", "cv2", "torch", "safetensors", "safetensors_rust", "sqlite3")


def shortage(error: BaseException) -> OutOfResources | None:
    """The error that ends the run, with the cure, if the machine ran out of something; causes are looked at, too."""
    for one in _with_causes(error):
        if isinstance(one, OutOfResources):
            return one
        cure = _cure(one)
        if cure:
            return OutOfResources(cure)
    return None


def raise_shortage(error: BaseException) -> None:
    """Raise ``OutOfResources`` if ``shortage`` finds one; to be called where ``error`` was caught."""
    found = shortage(error)
    if found is not None:
        raise found


def reason_of(error: Exception) -> str:
    """An error's words in one line, to be stored as the reason of an outcome or of a missing score.

    Raises:
        OutOfResources: it is no reason, because the machine ran out of something.
    """
    raise_shortage(error)
    return " ".join(str(error).split()) or type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, its causes aside, means that this machine's or its GPU's memory ran out."""
    words = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(cls.__name__ == "OutOfMemoryError" for cls in type(error).__mro__):
        return True  # torch has it under several modules
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_MEMORY
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOMEM
    if _is_of_library(error) and "out of memory" in words.lower():
        return True
    return _is_local(error) and (_NO_MEMORY.search(words) is not None or _OF_GPU.match(words) is not None)


def out_of_memory(said: str) -> OutOfResources:
    """The end of the run by memory; ``said``: who ran out of it, or the words of who noticed."""
    return OutOfResources(f"{said}: {_MEMORY}")


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        for one in getattr(error, "exceptions", ()):  # of a group
            yield from _with_causes(one)
        error = error.__cause__ or error.__context__


def _cure(error: BaseException) -> str:
    """The words of the end of the run for one error, without its causes; "" where it is none."""
    words = " ".join(str(error).split())
    if is_out_of_memory(error):
        return str(out_of_memory(f"memory ran out ({(words or type(error).__name__)[:150]})"))
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno is not None:
        starting = error.errno == errno.EAGAIN and _is_of_a_start(error)
        return _THREADS if starting else _OF_NUMBER.get(error.errno, "")
    return next((cure for said, cure in _OF_WORDS.items() if said in words), "") if _is_local(error) else ""


def _is_local(error: BaseException) -> bool:
    """Whether an error's words are of this machine: of Python, C++, Pillow, the loader of libraries, or a library."""
    return isinstance(error, (RuntimeError, ImportError)) or type(error) is OSError or _is_of_library(error)


def _is_of_library(error: BaseException) -> bool:
    return any(cls.__module__.partition(".")[0] in _LOCAL for cls in type(error).__mro__)


def _is_of_a_start(error: OSError) -> bool:
    """Whether EAGAIN came of starting a process: else it is said of a lock, or of a pipe that is not ready."""
    return any(frame.f_code.co_name in _STARTING for frame, _ in traceback.walk_tb(error.__traceback__))
