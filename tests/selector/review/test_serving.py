"""The server's end, and the way in."""

from __future__ import annotations

import os
import stat
import sys

import pytest
from review_pages import Client, folder, page, serve  # noqa: F401


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_the_door_leads_to_the_address_and_is_its_owners_alone(page: Client) -> None:
    door = page.review.door()
    assert stat.S_IMODE(os.stat(door).st_mode) == 0o600  # noqa: PTH116
    assert f"url={page.review.url}" in door.read_text(encoding="utf-8")
    page.review.close()
    assert not door.exists()


def test_who_waits_for_a_server_that_ended_by_itself_is_told(page: Client) -> None:
    loop = page.review._server.servers[0].get_loop()
    for server in page.review._server.servers:
        loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    with pytest.raises(RuntimeError, match="ended by itself"):
        page.review.wait()
