"""From image files to JPEG files of a profile: one image, and trees and data sets of them.

    bytes ──read_picture──→ pixels + ICC ──encode_pixels──→ bytes ──check_file──→ OUT/....jpg
      └─────────────── requantise (JPEG only, if asked) ───────┘

Instead of one profile there may be a `Chooser`, which gives each image one of several.
One image is a pure function of its bytes: `transcode`. Files, threads and what was skipped are
`encode_tree`'s; `encode_shards` makes shards of any number of images, in tasks that an executor
does; `verify` checks what either has made.
"""

from bandwise.executors import (
    Executor,
    InProcess,
    Processes,
    Ray,
    Threads,
    executor_of,
)
from bandwise.pipeline.dataset import MANIFEST_NAME, Totals, encode_shards
from bandwise.pipeline.quarantine import MAX_ERROR_RATE, QUARANTINE_NAME, Skipped
from bandwise.pipeline.reading import Alpha, Picture, read_picture
from bandwise.pipeline.sources import SHARD_IMAGES, is_image_or_folder, open_source
from bandwise.pipeline.transcoding import (
    Chooser,
    EncodeOptions,
    Transcoded,
    check_file,
    transcode,
)
from bandwise.pipeline.tree import Summary, encode_tree
from bandwise.pipeline.verify import Problem, Verified, verify

__all__ = [
    "MANIFEST_NAME",
    "MAX_ERROR_RATE",
    "QUARANTINE_NAME",
    "SHARD_IMAGES",
    "Alpha",
    "Chooser",
    "EncodeOptions",
    "Executor",
    "InProcess",
    "Picture",
    "Problem",
    "Processes",
    "Ray",
    "Skipped",
    "Summary",
    "Threads",
    "Totals",
    "Transcoded",
    "Verified",
    "check_file",
    "encode_shards",
    "encode_tree",
    "executor_of",
    "is_image_or_folder",
    "open_source",
    "read_picture",
    "transcode",
    "verify",
]
