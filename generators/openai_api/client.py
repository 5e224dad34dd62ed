"""One HTTP request to an images API through the official package, and what its end means."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from generators.openai_api.troubles import Complaint, trouble_of
from selector.domain import shortage
from selector.net import Account, Trouble
from selector.net.openai_package import need_openai, only_for_openai
from selector.net.rate import all_sent
from selector.net.troubles import BUSY, SHORT, UNANSWERED, UNREACHED

_HERE = ("127.0.0.1", "localhost", "::1")  # no proxy is asked for what runs on this machine
_CONNECT_SECONDS = 10.0
_ME = "openai_images"
_NO_KEY = "none"  # a server on one's own machine asks for none, but the package insists on something


def check_openai() -> None:
    """Raise ``MissingPart`` when the package is not installed; without the time that importing it takes."""
    if find_spec("openai") is None:
        need_openai(_ME)


class ImagesClient:
    """Made at the first request, used by all threads."""

    def __init__(self, account: Account, timeout_seconds: float) -> None:
        self._account = account
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._made: Any = None

    def send(
        self, upload: bytes | None, model: str, prompt: str, fields: Mapping[str, Any], further: Mapping[str, Any]
    ) -> Any | Trouble | Complaint:
        """Ask for images, of an uploaded PNG or of the prompt alone; returns the package's object where all went well.

        Raises what ``Account.key`` and ``need_openai`` raise.
        """
        openai, client = need_openai(_ME), self._client()
        body = {"model": model, "prompt": prompt, "extra_body": dict(further) or None, **fields}
        try:
            if upload is None:
                came = client.images.generate(**body)
            else:
                # The name is fixed: nothing of the contest's files is told, and no server has to read Chinese names.
                came = client.images.edit(image=("source.png", upload, "image/png"), **body)
        except openai.APIStatusError as error:
            return self._status(error, (*fields, *further))
        except openai.APIConnectionError as error:
            return _no_answer(openai, error)
        except (openai.APIError, ValueError):  # a reply that is broken off, or no JSON
            return Trouble(BUSY, "the server's reply was damaged", fate=UNANSWERED)
        return self._usable(came)

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> Any:
        openai, service = need_openai(_ME), self._account.service
        timeout = openai.Timeout(self._timeout_seconds, connect=min(_CONNECT_SECONDS, self._timeout_seconds))
        client = openai.OpenAI(
            base_url=service.base_url,
            api_key=self._account.key or _NO_KEY,
            timeout=timeout,
            max_retries=0,  # ours are in ``Account.call``, which knows of all workers
            http_client=openai.DefaultHttpxClient(
                timeout=timeout,
                follow_redirects=False,
                trust_env=urlsplit(service.base_url).hostname not in _HERE,
                event_hooks={"request": [_watched]},
            ),
        )
        only_for_openai(client, service.host)
        return client

    def _status(self, error: Any, sent: tuple[str, ...]) -> Trouble | Complaint:
        body = error.body if isinstance(error.body, Mapping) else {}
        words = body.get("message")
        words = words if isinstance(words, str) else "" if body else _plain(error.body)
        service = self._account.service
        return trouble_of(
            error.status_code, self._account.clean(words), body, error.response.headers, sent, service.key_env
        )

    def _usable(self, came: Any) -> Any | Trouble | Complaint:
        """What came with a good status may still be a web page, or an error in a good reply's clothes."""
        if isinstance(came, (str, bytes)) or came is None:
            return Trouble(BUSY, "the server's reply is no JSON: check base_url, which usually ends with /v1")
        wrong = getattr(came, "error", None)
        if not wrong:
            return came
        body = wrong if isinstance(wrong, Mapping) else {"message": str(wrong)}
        return trouble_of(400, self._account.clean(str(body.get("message") or "")), body, {}, ())


def _watched(request: Any) -> None:
    """Have ``httpx`` say when a request has left: its place in the rate is then free before a slow reply comes."""

    def note(event: str, _: Mapping[str, Any]) -> None:
        if event.endswith("send_request_body.complete"):
            all_sent()

    request.extensions = {**request.extensions, "trace": note}


def _plain(body: Any) -> str:
    """An error that is plain text; nothing of a web page."""
    return body if isinstance(body, str) and not body.lstrip().startswith("<") else ""


def _no_answer(openai: Any, error: Exception) -> Trouble:
    """Only where no connection was made, it is sure that no image was."""
    reached = type(error.__cause__).__name__ not in ("ConnectError", "ConnectTimeout")  # of httpx, whatever its name
    lacking = shortage(error)
    if lacking is not None:
        return Trouble(SHORT, str(lacking), fate=UNANSWERED if reached else UNREACHED)
    if not reached:
        return Trouble(BUSY, "the server cannot be reached", fate=UNREACHED)
    late = isinstance(error, openai.APITimeoutError)
    return Trouble(BUSY, "the server did not answer in time" if late else "the connection failed", fate=UNANSWERED)
