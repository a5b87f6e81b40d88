"""What a photo looks like, in 64 bits: the one place where pictures of strangers are unpacked.

A picture is looked at before it is unpacked: only JPEG, PNG and WebP, no more dots than a large camera makes, and only
one at a time, so that nobody fills the memory. Whatever cannot be unpacked, for whatever reason, has no hash.
"""

import io
import threading
import warnings

import numpy as np
from PIL import Image, ImageOps

from cheng.methods.likeness import COLUMNS, ROWS, picture_hash

FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")
MOST_DOTS = 50_000_000
LONGEST_SIDE = 20_000
MOST_SCANS = 40
"""Of a JPEG: cameras make one, the web ten; thousands are made to keep a machine busy."""
THUMBNAIL = 128
UNPACKING = threading.Lock()

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def looks(data: bytes) -> int | None:
    """The hash of a photo, as `methods.likeness.picture_hash` takes it, upright; None when there is none."""
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > MOST_SCANS:
        return None
    with UNPACKING:
        try:
            return picture_hash(grey(data))
        except Exception:  # broken files raise whatever their decoder stumbles upon; none of it is ours to mend
            return None


def grey(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The picture as 8 rows of 9 grey dots. Raises what Pillow raises, and ValueError for too large a one."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > MOST_DOTS or max(width, height) > LONGEST_SIDE:
            raise ValueError(f"{width} x {height} dots are more than a camera makes")
        picture.draft("L", (THUMBNAIL, THUMBNAIL))
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        upright = ImageOps.exif_transpose(picture)
        flat = Image.new("RGBA", upright.size, "white")
        flat.alpha_composite(upright.convert("RGBA"))
        small = flat.convert("L").resize((COLUMNS, ROWS), Image.Resampling.BOX)
        return np.asarray(small, np.float64)
