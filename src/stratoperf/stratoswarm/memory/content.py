"""What blocks hold: what a caller gives, checked, and random bytes to move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stratoperf.errors import InvalidParameter

PIECE_BYTES = 16 << 20
"""Random bytes made by one call, which Ctrl-C cannot stop: a few milliseconds' worth."""

WORD = np.dtype(np.uint64)


def random_content(size: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return random bytes, made in pieces so that Ctrl-C ends it soon.

    Parameters
    ----------
    size
        How many, a multiple of 8.
    random
        The generator; it draws whole words, which cost as much as bytes.

    Returns
    -------
    numpy.ndarray
        One-dimensional, uint8.
    """
    words = np.empty(size // WORD.itemsize, WORD)
    step = PIECE_BYTES // WORD.itemsize
    for start in range(0, len(words), step):
        piece = words[start : start + step]
        piece[:] = random.integers(0, 1 << 64, len(piece), np.uint64)
    return words.view(np.uint8)


def checked_content(content: object, size: int) -> NDArray[np.uint8]:
    """Return the content that a caller gives for a block of `size` bytes.

    Raises
    ------
    InvalidParameter
        Unless it is a contiguous one-dimensional uint8 array of that size.
    """
    expected = f"content: expected a contiguous one-dimensional uint8 array of {size} bytes, got"
    if not isinstance(content, np.ndarray):
        found = f"{type(content).__name__}"
        if isinstance(content, bytes | bytearray | memoryview):
            raise InvalidParameter(
                f"{expected} {found} of {len(content)}; give np.frombuffer(content, np.uint8)"
            )
        raise InvalidParameter(f"{expected} {found}; make one with np.asarray(content, np.uint8)")
    if content.dtype != np.uint8 or content.ndim != 1 or not content.flags.c_contiguous:
        shape = "" if content.flags.c_contiguous else ", not contiguous"
        raise InvalidParameter(
            f"{expected} {content.dtype} of shape {content.shape}{shape}; "
            "give np.ascontiguousarray(content).view(np.uint8).reshape(-1)"
        )
    if len(content) != size:
        raise InvalidParameter(f"{expected} {len(content)} bytes; give as many as the block has")
    return content
