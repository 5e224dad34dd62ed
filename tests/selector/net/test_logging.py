"""Requests and what is tried again are logged; neither a key nor what an address hides comes with them."""

from __future__ import annotations

import logging

import pytest
from servers.loopback import Loopback, LoopbackHandler

from selector.net import troubles
from selector.net.http import Answer, exchange, request
from selector.net.troubles import Trouble, persist

KEY = "sk-Secret-1234567890"


class _Handler(LoopbackHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET


def test_a_request_is_logged_with_its_status_and_without_keys(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bestshot")
    with Loopback(_Handler) as server:
        address = server.root.replace("//", "//me:hunter22@")
        assert isinstance(request("GET", f"{address}/v1/models/{KEY}?token=hunter22", key=KEY), Answer)
        with exchange("GET", f"{server.root}/signed/hunter22?Signature=hunter22", {}, "", 5, 5, reach=2):
            pass
    told = [record.getMessage() for record in caplog.records if record.name == "bestshot.net"]
    place = server.root
    assert [line.split(" after ")[0] for line in told] == [
        f"GET {place}/v1/models/***",
        f"GET {place}/v1/models/***: HTTP 200",
        f"GET {place}/…",
        f"GET {place}/…: HTTP 200",
    ]
    assert "hunter22" not in caplog.text and KEY not in caplog.text


def test_what_is_tried_again_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bestshot")
    answers = iter([Trouble(troubles.BUSY, "it is full"), Trouble(troubles.BUSY, "it fails"), "a picture"])
    assert persist(lambda: next(answers), lambda *_: False, lambda *_: None) == "a picture"
    assert [record.getMessage() for record in caplog.records] == [
        "tried 1 times, will be again: it is full",
        "tried 2 times, will be again: it fails",
    ]
