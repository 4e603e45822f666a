"""Draw photographs above the files that keep a model's answer: smallest, middle and largest.

python docs/contact_sheet.py examples/photos runs/demo/photos docs/figures/asked.jpg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw

SIDE, GAP, CAPTION = 200, 8, 16


def main(source: Path, encoded: Path, sheet: Path) -> None:
    """Write the sheet; the files are those of `bandwise encode --model` into a tree."""
    lines = (encoded / ".bandwise" / "files.jsonl").read_text().splitlines()
    rows = sorted(map(json.loads, lines), key=lambda row: row["size_bytes"])
    middle = len(rows) // 2
    chosen = [*rows[:3], *rows[middle - 1 : middle + 1], *rows[-2:]]
    step = SIDE + GAP
    drawn = Image.new("RGB", (len(chosen) * step - GAP, 2 * step + CAPTION), "white")
    text = ImageDraw.Draw(drawn)
    for number, row in enumerate(chosen):
        (original,) = source.glob(str(Path(row["path"]).with_suffix(".*")))
        for line, path in enumerate((original, encoded / row["path"])):
            with Image.open(path) as image:
                picture = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            drawn.paste(picture, (number * step, line * step))
        said = f"{row['size_bytes']:,} B, {row['record']['distance']:.2f} nats"
        text.text((number * step, 2 * step), said, fill="black")
    drawn.save(sheet, quality=88)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
