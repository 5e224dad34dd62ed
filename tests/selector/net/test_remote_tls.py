"""A certificate that is not accepted ends the run; a secure connection that breaks is tried again."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from selector.net import Account, Service, Trouble, troubles

Talk = Callable[[socket.socket], object]


@pytest.fixture
def listen() -> Iterator[Callable[[Talk], str]]:
    """Starts a server that treats each connection so; returns its https address."""
    listeners: list[socket.socket] = []

    def start(talk: Talk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with suppress(OSError):
                        talk(connection)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for each in listeners:
        each.close()


def ask(url: str) -> list[object]:
    ours = Account(Service("s", url, timeout_seconds=5.0))
    return [ours.request("POST", "/x", json={}), ours.request("GET", "/x")]


def speaks_plainly(connection: socket.socket) -> None:
    connection.recv(2000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize("talk", [lambda _: None, lambda connection: connection.recv(1), speaks_plainly])
def test_a_handshake_that_is_cut_may_succeed_the_next_time(listen: Callable[[Talk], str], talk: Talk) -> None:
    for came in ask(listen(talk)):
        assert isinstance(came, Trouble) and came.kind == troubles.BUSY
        assert "TLS" in came.reason or "connection failed" in came.reason


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
def test_a_certificate_that_nobody_signed_is_fatal(listen: Callable[[Talk], str], tmp_path: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*made, "-keyout", "key.pem", "-out", "cert.pem"], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    for came in ask(listen(lambda connection: context.wrap_socket(connection, server_side=True))):
        assert isinstance(came, Trouble) and came.kind == troubles.FATAL
        assert "certificate is not accepted" in came.reason
