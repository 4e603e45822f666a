"""From image files to smaller JPEG files: one image, and trees and data sets of them.

    bytes ──read_picture──→ pixels + ICC ──encoder.encode──→ bytes ──check_file──→ OUT/....jpg
      └─────────────── requantise (JPEG only, if asked) ───────┘

One image is a pure function of its bytes and an `ImageEncoder`: `transcode`. Data sets are one
engine: a source gives parts, an executor has each encoded into a sink, which is a tree of files
(`encode_tree`) or tar shards (`encode_shards`). `verify` checks what either has made.
"""

from bandwise.dataset.dataset import MANIFEST_NAME, Totals, encode_shards, encode_tree
from bandwise.dataset.reading import Alpha, Picture, read_picture
from bandwise.dataset.record import MAX_ERROR_RATE, QUARANTINE_NAME, Skipped
from bandwise.dataset.sources import SHARD_IMAGES, is_image_or_folder, open_source
from bandwise.dataset.transcoding import EncodeOptions, Transcoded, check_file, transcode
from bandwise.dataset.verify import Problem, Verified, verify

__all__ = [
    "MANIFEST_NAME",
    "MAX_ERROR_RATE",
    "QUARANTINE_NAME",
    "SHARD_IMAGES",
    "Alpha",
    "EncodeOptions",
    "Picture",
    "Problem",
    "Skipped",
    "Totals",
    "Transcoded",
    "Verified",
    "check_file",
    "encode_shards",
    "encode_tree",
    "is_image_or_folder",
    "open_source",
    "read_picture",
    "transcode",
    "verify",
]
