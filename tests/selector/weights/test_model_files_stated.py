"""What headers of a hub, of its storage and of a plain server state about a file."""

from __future__ import annotations

from selector.weights.stated import Stated, read_stated, sent_from

SHA256, SHA1 = "ab" * 32, "cd" * 20


def test_a_large_file_of_a_hub_is_stated_by_the_redirect() -> None:
    redirect = {"X-Linked-ETag": f'"{SHA256}"', "X-Linked-Size": "10", "X-Repo-Commit": "c", "ETag": '"pointer"'}
    storage = {"ETag": '"of the storage"', "Content-Length": "4", "Content-Range": "bytes 6-9/10"}
    assert read_stated([redirect, storage]) == Stated(SHA256, None, 10, '"of the storage"')


def test_a_small_file_of_a_hub_is_stated_as_a_git_blob() -> None:
    direct = {"X-Repo-Commit": "c", "ETag": f'"{SHA1}"', "Content-Length": "7"}
    assert read_stated([direct]) == Stated(None, SHA1, 7, f'"{SHA1}"')
    cached = [{"X-Linked-ETag": f'"{SHA1}"', "X-Repo-Commit": "c"}, {"ETag": f'W/"{SHA1}"', "Content-Length": "7"}]
    assert read_stated(cached) == Stated(None, SHA1, 7, "")


def test_a_plain_server_states_a_size_and_no_hash() -> None:
    assert read_stated([{"ETag": f'"{SHA256}"', "Content-Length": "7"}]) == Stated(None, None, 7, f'"{SHA256}"')
    assert read_stated([{"ETag": 'W/"weak"', "Content-Length": "7", "Content-Encoding": "gzip"}]) == Stated()
    assert read_stated([{"Content-Range": "bytes 0-4/*", "Content-Length": "5"}]) == Stated()


def test_a_part_says_where_it_begins() -> None:
    assert sent_from({"Content-Range": "bytes 6-9/10"}) == 6
    assert sent_from({"Content-Range": "bytes */10"}) is None
    assert sent_from({}) is None
