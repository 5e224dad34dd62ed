"""The body of a request, and the moment at which the last of it has left."""

from __future__ import annotations

import socket
from io import BytesIO

from selector.net.rate import all_sent

_UNSENT_BYTES = 1 << 14  # that the system may hold back; what is on the way beyond them is a round trip's worth


class Outgoing:
    """Bytes that an HTTP library reads piece by piece, each when the one before is sent; at their end ``all_sent``.

    Attributes:
        begun: whether any were read: until then no server can have got the request.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._size = BytesIO(data), len(data)
        self.begun = False

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes."""
        self.begun = True
        part = self._data.read(size)
        if not part:
            all_sent()
        return part


def socket_options() -> list[tuple[int, int, int]]:
    """So that "sent" means sent: else megabytes wait in the system's buffer while a slow line takes seconds."""
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    not_sent = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # Linux and macOS
    return options if not_sent is None else [*options, (socket.IPPROTO_TCP, not_sent, _UNSENT_BYTES)]
