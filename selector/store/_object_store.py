"""Bytes by name at an ``fsspec`` address: asked again while the trouble may pass, then told in plain words."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import suppress
from typing import Any, TypeVar
from uuid import uuid4

from selector.domain import MissingPart, OutOfResources, raise_shortage
from selector.domain.interruption import interrupted_at

_log = logging.getLogger("bestshot.store")
Result = TypeVar("Result")

PATIENCE_SECONDS = 60.0  # as long as one request is repeated
_CONNECT_SECONDS, _READ_SECONDS = 5, 30  # of one try
_LEAST_TRY_SECONDS = 5.0  # the first one also opens the client
_LEAST_RATE = 100_000  # bytes a second of a line on which a write is waited for longer than that
_LONGEST_PAUSE_SECONDS = 5.0
_QUIET_SECONDS = 5.0  # of a request that is repeated before anybody is told
_TICK_SECONDS = 0.2  # between two looks whether the program was told to end
_LAST_SECONDS = 1.0  # of a request then
_CONNECTIONS = 32
_STALE_SECONDS = 86_400.0  # of a temporary file: nobody can lock one there
_WHOLE = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss")  # objects are seen once they are whole
_FINAL = {errno.EINVAL, errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EREMCHG, errno.EISDIR, errno.ENOTDIR}
_NAMES_KEY = re.compile(r"(SECRET|TOKEN|PASSWORD|CONNECTION_STRING|_KEY|_SAS)(?!.*(FILE|PATH))")
_LEAST_KEY = 8  # characters: what is shorter is a setting, or part of many a word
_SIGNED = re.compile(r"(?i)([?&](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature)=)[^&\s'\"]+")
# Of botocore, which is not imported here.
_NO_KEY = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound")
_OF_SETTINGS = ("ParamValidationError", "InvalidRegionError", "InvalidEndpointConfigurationError")


class ObjectStore:
    """What lies below an address, by name. Safe for threads and forks; pickled, it is its address alone.

    Credentials are those that the protocol's own package finds in the environment (``AWS_ACCESS_KEY_ID`` …).

    Raises:
        FileNotFoundError: from ``read``, nothing has that name.
        OutOfResources: the place does not answer in time, or does not take the request. It says nothing about a single
            object, so it ends the run, and nothing is stored as an outcome.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._protocol = self.address.partition("://")[0]
        self._opened: tuple[int, Any] | None = None  # process id, file system: none may outlast a fork
        self._opening = threading.Lock()
        self._told = -PATIENCE_SECONDS  # when people were last told that it is slow

    def __reduce__(self) -> tuple[type[ObjectStore], tuple[str]]:
        return ObjectStore, (self.address,)

    def write(self, name: str, data: bytes) -> None:
        """Under its name there is the old object, or none, or the whole new one."""

        def send(left: float) -> None:
            fs, path = self._fs, self._path(name)
            if self._protocol in _WHOLE:
                _ask(fs, min(left, _READ_SECONDS + len(data) / _LEAST_RATE), "pipe_file", path, data)
                return
            temporary = self._path(f"tmp/{uuid4().hex}")
            for place in (temporary, path):
                fs.makedirs(place.rpartition("/")[0], exist_ok=True)
            fs.pipe_file(temporary, data)
            fs.mv(temporary, path)

        try:
            self._patiently(send)
        except FileNotFoundError as error:
            raise OutOfResources(self._nowhere()) from error

    def read(self, name: str) -> bytes:
        def fetch(left: float) -> bytes:
            found: bytes = _ask(self._fs, left, "cat_file", self._path(name))
            return found

        try:
            return self._patiently(fetch)
        except FileNotFoundError as error:
            if not self._is_there():
                raise OutOfResources(self._nowhere()) from error
            raise

    def size(self, name: str) -> int | None:
        """Bytes of an object, None where there is none."""
        try:
            found = self._patiently(lambda left: _ask(self._fs, left, "info", self._path(name)))
        except FileNotFoundError:
            return None
        return int(found["size"]) if found["type"] == "file" else None

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._patiently(lambda left: _ask(self._fs, left, "rm_file", self._path(name)))

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a small folder, without it."""
        try:
            found = self._patiently(lambda left: _ask(self._fs, left, "ls", self._path(folder), detail=False))
        except FileNotFoundError:
            return ()
        return tuple(sorted(str(path).rstrip("/").rpartition("/")[2] for path in found))

    def sweep(self) -> int:
        """Remove temporary objects of yesterday and before, where there can be any; returns how many."""
        removed = 0
        for name in () if self._protocol in _WHOLE else self.names("tmp"):
            with suppress(NotImplementedError, FileNotFoundError):
                age = time.time() - self._fs.modified(self._path(f"tmp/{name}")).timestamp()
                if age > _STALE_SECONDS:
                    self.remove(f"tmp/{name}")
                    removed += 1
        return removed

    @property
    def _fs(self) -> Any:
        with self._opening:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = os.getpid(), _file_system(self._protocol)
            return self._opened[1]

    def _path(self, name: str) -> str:
        return f"{self.address}/{name}"

    def _is_there(self) -> bool:
        """Whether there is a bucket at all; of what has none, always."""
        if self._protocol not in _WHOLE:
            return True
        bucket = self.address.partition("://")[2].partition("/")[0]
        try:
            # ``exists`` would list its keys.
            self._patiently(lambda left: _ask(self._fs, left, "info", f"{self._protocol}://{bucket}"))
        except FileNotFoundError:
            return False
        return True

    def _nowhere(self) -> str:
        return f"there is no such bucket or folder as {self.address}: make it, or mend `images` in [store]"

    def _patiently(self, ask: Callable[[float], Result]) -> Result:
        """``ask`` gets the seconds that are left to it."""
        from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

        def note(state: RetryCallState) -> None:
            _log.info("%s was asked %d times, will be again", self.address, state.attempt_number)
            now = time.monotonic()
            if (state.seconds_since_start or 0.0) > _QUIET_SECONDS and now - self._told > PATIENCE_SECONDS:
                self._told = now
                _log.warning("%s does not answer: it is asked again, for %.0f s in all", self.address, PATIENCE_SECONDS)

        until = time.monotonic() + PATIENCE_SECONDS
        retrying = Retrying(
            retry=retry_if_exception(lambda error: interrupted_at() is None and _may_pass(error)),
            stop=stop_after_delay(PATIENCE_SECONDS),
            sleep=_sleep,
            wait=wait_random_exponential(multiplier=0.2, max=_LONGEST_PAUSE_SECONDS),
            before_sleep=note,
            reraise=True,
        )
        try:
            return retrying(lambda: ask(max(_LEAST_TRY_SECONDS, until - time.monotonic())))
        except (FileNotFoundError, MissingPart):
            raise
        except Exception as error:
            raise_shortage(error)
            raise OutOfResources(self._words(error)) from error

    def _words(self, error: Exception) -> str:
        kind, said = type(error).__name__, _said(error)
        if kind in _NO_KEY:
            return (
                f"no credentials for {self.address}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and run the same "
                "command again"
            )
        if isinstance(error, PermissionError):
            return (
                f"{self.address} refuses this key or what it asks for ({said}): mend its rights or the key, and run "
                "the same command again"
            )
        if not _may_pass(error):
            return f"{self.address} does not take the request ({said}): mend `images` in [store]"
        return f"the object store does not answer ({self.address}: {said}); nothing is lost, run the same command again"


def _file_system(protocol: str) -> Any:
    """One of its own: what ``fsspec`` keeps for all is bound to the thread of another process after a fork."""
    import fsspec

    options: dict[str, Any] = {}
    if protocol in ("s3", "s3a"):
        times = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}
        retries = {"total_max_attempts": 1, "mode": "standard"}  # all patience is above
        config = {**times, "retries": retries, "max_pool_connections": _CONNECTIONS}
        # With one connection an object, its size needs not be asked for before it.
        options = {"config_kwargs": config, "max_concurrency": 1, "use_listings_cache": False}
    try:
        found = fsspec.filesystem(protocol, skip_instance_cache=True, **options)
    except ImportError as error:
        raise MissingPart(f"{protocol}:// needs a package that is not here: {_said(error)}") from error
    if options:
        found.retries = 1
    return found


def _ask(fs: Any, seconds: float, method: str, *arguments: Any, **options: Any) -> Any:
    """A request that ends after that time, or soon after the program was told to end.

    The time-outs of HTTP leave out the wait of a write for leave to send (``Expect: 100-continue``), and a body that is
    not taken. A file system that works in this thread ends its requests itself.
    """
    if not fs.async_impl:
        return getattr(fs, method)(*arguments, **options)
    coroutine = getattr(fs, f"_{method}")(*arguments, **options)
    future = asyncio.run_coroutine_threadsafe(coroutine, fs.loop)
    began = time.monotonic()
    try:
        while not (future.done() or _is_late(began, seconds)):
            wait([future], _TICK_SECONDS)
        if future.done():
            return future.result()
    finally:
        future.cancel()
    raise TimeoutError("no answer in time")


def _is_late(began: float, seconds: float) -> bool:
    now, told = time.monotonic(), interrupted_at()
    # What the program waits for at its end, such as a picture that was paid for, may still be stored.
    return now - began > seconds or (told is not None and now - max(began, told) > _LAST_SECONDS)


def _sleep(seconds: float) -> None:
    """Between two tries; until the program is told to end."""
    until = time.monotonic() + seconds
    while interrupted_at() is None and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _TICK_SECONDS))


def _may_pass(error: BaseException) -> bool:
    """Whether the same request may be answered later."""
    if isinstance(error, (FileNotFoundError, PermissionError, ValueError, TypeError, NotImplementedError, MissingPart)):
        return False
    if type(error).__name__ in (*_NO_KEY, *_OF_SETTINGS) or not isinstance(error, Exception):
        return False
    return not (isinstance(error, OSError) and error.errno in _FINAL)


def _said(error: BaseException) -> str:
    """Its words in one line, without a key: each protocol's package finds its own in the environment."""
    from selector.net.redact import clean

    words = _SIGNED.sub(r"\1***", " ".join(str(error).split()) or type(error).__name__)
    for variable, value in os.environ.items():
        if len(value) >= _LEAST_KEY and _NAMES_KEY.search(variable.upper()):
            words = clean(words, value)
    return words[:200]
