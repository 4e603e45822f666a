"""From image files to JPEG files of a profile: one image, and a tree of them around it.

    bytes ──read_picture──→ pixels + ICC ──encode_pixels──→ bytes ──check_file──→ OUT/....jpg
      └─────────────── requantise (JPEG only, if asked) ───────┘

Instead of one profile there may be a `Chooser`, which gives each image one of several.
One image is a pure function of its bytes: `transcode`. Files, threads and what was skipped are
`encode_tree`'s.
"""

from bandwise.pipeline.reading import Alpha, Picture, read_picture
from bandwise.pipeline.transcoding import (
    Chooser,
    EncodeOptions,
    Transcoded,
    check_file,
    transcode,
)
from bandwise.pipeline.tree import QUARANTINE_NAME, Skipped, Summary, encode_tree

__all__ = [
    "QUARANTINE_NAME",
    "Alpha",
    "Chooser",
    "EncodeOptions",
    "Picture",
    "Skipped",
    "Summary",
    "Transcoded",
    "check_file",
    "encode_tree",
    "read_picture",
    "transcode",
]
