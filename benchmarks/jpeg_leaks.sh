#!/bin/sh
# Looks for leaks and out-of-bounds accesses in the native JPEG code, without Python in the way.
#
#   benchmarks/jpeg_leaks.sh sanitizer|valgrind [COPIES]
#
# Compiles src/bandwise/jpeg/turbo.c with jpeg_leaks.c and runs it on small files of every kind, whole,
# cut and mutated COPIES times each (default 2000, valgrind 100). "sanitizer": AddressSanitizer with
# leak check and UndefinedBehaviorSanitizer; "valgrind": memcheck. Exit status 0: nothing was found.
# Needs a C compiler, libjpeg-turbo's headers, and bandwise installed for `python` (or $PYTHON).
set -eu

tool=${1:?"sanitizer or valgrind"}
here=$(dirname "$0")
source=$here/../src/bandwise/jpeg
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${PYTHON:-python}" - "$work" <<'PROGRAM'
import sys
from pathlib import Path

import numpy as np

from bandwise import jpeg
from bandwise.frequency.tables import TableSet

rng = np.random.default_rng(0)
folder = Path(sys.argv[1])
for scheme in ("grey", "4:4:4", "4:2:2", "4:2:0", "4:4:0"):
    shape = (40, 48) if scheme == "grey" else (37, 27, 3)
    pixels = np.kron(rng.integers(0, 256, (shape[0] // 4 + 1, shape[1] // 4 + 1, *shape[2:])),
                     np.ones((4, 4, 1)[: len(shape)], int))[: shape[0], : shape[1]]
    for progressive in (False, True):
        data = jpeg.encode(pixels.astype(np.uint8), TableSet.ijg(75), progressive=progressive,
                           subsampling="4:4:4" if scheme == "grey" else scheme, icc=b"profile" * 9)
        (folder / f"{scheme.replace(':', '')}-{progressive}.jpg").write_bytes(data)
PROGRAM

build() {
    "${CC:-cc}" -g -O1 -Wall -Wextra "$@" -I "$source" "$here/jpeg_leaks.c" "$source/turbo.c" \
        -ljpeg -o "$work/driver"
}

case $tool in
sanitizer)
    build -fsanitize=address,undefined -fno-sanitize-recover=all
    ASAN_OPTIONS=detect_leaks=1 "$work/driver" "${2:-2000}" "$work"/*.jpg
    ;;
valgrind)
    build
    # Without SIMD: the library's assembler works on row padding that nothing has set, and drops it.
    JSIMD_FORCENONE=1 valgrind --quiet --track-origins=yes --leak-check=full \
        --show-leak-kinds=all --error-exitcode=1 "$work/driver" "${2:-100}" "$work"/*.jpg
    ;;
*)
    echo "unknown tool $tool: sanitizer or valgrind" >&2
    exit 2
    ;;
esac
