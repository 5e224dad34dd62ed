"""Where a file is asked for: a hub, ModelScope, the URL where it was published, or an address of the user's own."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from selector.domain import InputError
from selector.weights.catalogue import Model, ModelFile, Repository

HUB, MODELSCOPE = "hub", "modelscope"
HUB_ENDPOINT, MODELSCOPE_ENDPOINT = "https://huggingface.co", "https://www.modelscope.cn"
_MODELSCOPE_REVISION = "master"  # ModelScope counts revisions of its own; the hash says whether the file is the same


@dataclass(frozen=True)
class Address:
    """One file at one server.

    Attributes:
        url: what is asked for; a redirect from there is followed.
        place: the file in words, for messages: "open_clip_model.safetensors of timm/…@18d053".
        page: where a person reads about the model and accepts its conditions; "" where there is no such page.
        on_hub: whether the server speaks the hub's protocol, and states hash and size before it sends the file.
        token: sent to this URL's own server and to no other; "" for none.
    """

    url: str
    place: str
    page: str = ""
    on_hub: bool = False
    token: str = ""

    def __post_init__(self) -> None:
        _check_url(self.url)

    @property
    def host(self) -> str:
        """The server's name, for messages; without a user's name and password, if the URL has them."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def address_of(model: Model, file: ModelFile, source: str) -> Address:
    """Where ``source`` ("hub", "modelscope" or a URL) has a file.

    For "hub", a file that is on no hub comes from where it was published. A URL that ends with "/" is a folder that
    holds the model's files under their names; any other is the one file.

    Raises:
        InputError: the model is not known to be there, or there is no such source.
    """
    check_source(source)
    if is_url(source):
        return _from_url(model, file, source)
    if source == MODELSCOPE:
        return _on_modelscope(model, file)
    if file.repository is not None:
        return on_hub(file.repository, file.path or file.name)
    assert file.url is not None, "a file of the catalogue has a repository or a URL"
    return Address(file.url, f"{file.name} at {urlsplit(file.url).hostname}")


def on_hub(repository: Repository, path: str) -> Address:
    """A file of a repository at the hub, or at its mirror. Raises ``InputError`` where ``HF_ENDPOINT`` is no URL."""
    at = endpoint()
    return Address(
        url=f"{at}/{repository.name}/resolve/{quote(repository.revision, safe='')}/{quote(path)}",
        place=f"{path} of {repository.name}@{repository.revision[:12]}",
        page=f"{shown(at)}/{repository.name}",
        on_hub=True,
        token=_token(at),
    )


def endpoint(variable: str = "HF_ENDPOINT", default: str = HUB_ENDPOINT) -> str:
    """The hub's address, or its mirror's, without a slash at the end. Raises ``InputError`` where it is no URL."""
    found = os.environ.get(variable, "").strip().rstrip("/") or default
    if not is_url(found):
        raise InputError(f"{variable} is '{shown(found)}', expected a URL such as {default}")
    return _check_url(found)


def is_url(source: str) -> bool:
    """Whether it is an address that can be asked."""
    return source.startswith(("http://", "https://"))


def check_source(source: str) -> None:
    """Raise ``InputError`` for what is no hub by name and no URL."""
    if source not in (HUB, MODELSCOPE) and not is_url(source):
        raise InputError(
            f"cannot fetch from '{shown(source)}': expected hub, modelscope, a folder that exists, or an http(s) URL"
        )


def shown(url: str) -> str:
    """An address for messages: without a user's name and password, and without a query, which may hold a signature.

    What stands before the last "@" is left out even where it should not be: better a line that says less.
    """
    scheme, mark, rest = url.partition("://")
    return scheme.rpartition("@")[2] + mark + rest.rpartition("@")[2].partition("?")[0]


def _on_modelscope(model: Model, file: ModelFile) -> Address:
    repository = file.repository
    if repository is None or repository.modelscope is None:
        at = "it" if repository else f"it from {urlsplit(file.url or '').hostname}, where it was published"
        raise InputError(
            f"'{model.name}' is not known to be on ModelScope: --from hub fetches {at} (HF_ENDPOINT names a mirror of "
            "the hub); or --from FOLDER"
        )
    page = f"{endpoint('MODELSCOPE_ENDPOINT', MODELSCOPE_ENDPOINT)}/models/{repository.modelscope}"
    path = file.path or file.name
    url = f"{page}/resolve/{_MODELSCOPE_REVISION}/{quote(path)}"
    return Address(url, f"{path} of {repository.modelscope} on ModelScope", shown(page))


def _from_url(model: Model, file: ModelFile, url: str) -> Address:
    if len(model.files) > 1 and not url.endswith("/"):
        raise InputError(
            f"'{model.name}' has {len(model.files)} files: give the URL of a folder of them, ending with '/', "
            f"not {shown(url)}"
        )
    whole = url + quote(file.name) if url.endswith("/") else url
    return Address(_check_url(whole), f"{file.name} at {urlsplit(shown(whole)).netloc}")


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0  # a port that is no number raises
    except ValueError:  # also half an IPv6 address
        good = False
    if not good:
        raise InputError(f"{shown(url)} is no URL that can be fetched: check host and port")
    return url


def _token(at: str) -> str:
    """``HF_TOKEN`` over TLS, or to this machine itself; else, to the hub alone, what `hf auth login` has stored."""
    named = os.environ.get("HF_TOKEN", "").strip()
    if named:
        return named if at.startswith("https:") or _is_this_machine(urlsplit(at).hostname or "") else ""
    if at != HUB_ENDPOINT:
        return ""
    from huggingface_hub import get_token

    return get_token() or ""


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
