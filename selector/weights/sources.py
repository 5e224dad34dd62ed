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
MODELSCOPE_REVISION = "master"  # ModelScope counts revisions of its own; the hash says whether the file is the same


@dataclass(frozen=True)
class Address:
    """One file at one server.

    Attributes:
        url: what is asked for; a redirect from there is followed.
        token: sent to this URL's host and to no other; "" for none.
        place: the file in words, for messages: "open_clip_model.safetensors of timm/…@18d053".
        page: where a person reads about the model and accepts its conditions; "" where there is no such page.
        sha256: the hash that is wanted; None where none is known.
        size_bytes: the size that is wanted; None where none is known.
    """

    url: str
    place: str
    token: str = ""
    page: str = ""
    sha256: str | None = None
    size_bytes: int | None = None


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
    return _published(file) if file.repository is None else _on_hub(file, file.repository)


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


def _on_hub(file: ModelFile, repository: Repository) -> Address:
    endpoint = _endpoint("HF_ENDPOINT", HUB_ENDPOINT)
    path = file.path or file.name
    revision = quote(repository.revision, safe="")
    return Address(
        url=f"{endpoint}/{repository.name}/resolve/{revision}/{quote(path)}",
        place=f"{path} of {repository.name}@{repository.revision[:12]}",
        token=os.environ.get("HF_TOKEN", "").strip() if _keeps_secrets(endpoint) else "",
        page=f"{shown(endpoint)}/{repository.name}",
        sha256=file.sha256,
        size_bytes=file.size_bytes,
    )


def _on_modelscope(model: Model, file: ModelFile) -> Address:
    repository = file.repository
    if repository is None:
        raise InputError(
            f"'{model.name}' is not known to be on ModelScope: --from hub fetches it from "
            f"{urlsplit(file.url or '').hostname}, where it was published; or --from FOLDER"
        )
    if repository.modelscope is None:
        raise InputError(
            f"'{model.name}' is not known to be on ModelScope ({repository.name} is on the hub): "
            "--from hub, with HF_ENDPOINT for a mirror, or --from FOLDER"
        )
    endpoint = _endpoint("MODELSCOPE_ENDPOINT", MODELSCOPE_ENDPOINT)
    path = file.path or file.name
    return Address(
        url=f"{endpoint}/models/{repository.modelscope}/resolve/{MODELSCOPE_REVISION}/{quote(path)}",
        place=f"{path} of {repository.modelscope} on ModelScope",
        page=f"{shown(endpoint)}/models/{repository.modelscope}",
        sha256=file.sha256,
        size_bytes=file.size_bytes,
    )


def _published(file: ModelFile) -> Address:
    assert file.url is not None, "a file of the catalogue has a repository or a URL"
    return Address(file.url, f"{file.name} at {urlsplit(file.url).hostname}", "", "", file.sha256, file.size_bytes)


def _from_url(model: Model, file: ModelFile, url: str) -> Address:
    whole = url + quote(file.name) if url.endswith("/") else url
    if len(model.files) > 1 and whole == url:
        raise InputError(
            f"'{model.name}' has {len(model.files)} files: give the URL of a folder of them, ending with '/', "
            f"not {shown(url)}"
        )
    try:
        host = urlsplit(url).hostname
    except ValueError:  # half an IPv6 address
        raise InputError(f"{shown(url)} is no URL that can be fetched: check host and port") from None
    return Address(whole, f"{file.name} at {host}", "", "", file.sha256, file.size_bytes)


def _endpoint(variable: str, default: str) -> str:
    endpoint = os.environ.get(variable, "").strip().rstrip("/") or default
    if not endpoint.startswith(("http://", "https://")):
        raise InputError(f"{variable} is '{shown(endpoint)}', expected a URL such as {default}")
    return endpoint


def _keeps_secrets(endpoint: str) -> bool:
    """Whether a token may go there: over TLS, or to this machine itself."""
    parts = urlsplit(endpoint)
    if parts.scheme == "https":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"
