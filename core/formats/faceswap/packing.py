"""A zlib stream made by several processors: parts are compressed apart from each other, and joined."""

import os
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

# Floats, thumbnails and packed masks hardly get smaller: the usual level takes four times as long for a twentieth less.
_LEVEL = 1
_HEADER = b"\x78\x01"  # deflate with a window of 32 kB, fast
_LAST_BLOCK = b"\x03\x00"  # empty, and the end


def packed(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The stream of ``parts``, which should have about a megabyte each."""
    threads = min(os.cpu_count() or 1, 8)
    yield _HEADER
    check = 1
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[bytes]] = deque()
        for part in parts:
            check = zlib.adler32(part, check)
            waiting.append(pool.submit(_deflated, part))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    yield _LAST_BLOCK + check.to_bytes(4, "big")


def _deflated(part: bytes) -> bytes:
    """Blocks that end at a whole byte, so that others can follow."""
    pack = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return pack.compress(part) + pack.flush(zlib.Z_SYNC_FLUSH)
