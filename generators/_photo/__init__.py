"""Parts of ``retouch``: tone, detail, styles, geometry, colour regions and subject masks."""
