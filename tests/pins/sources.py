"""Inputs of the pinned commands: images, profiles, weights and a model, from no random generator.

Everything is computed from SHAKE-256, so that inputs are the same with any version of any library.
"""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file

PHOTOGRAPHS = Path(__file__).parent / "images"
CLASSES = 4
STEPS = (3, 9, 24, 60)

IJG_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def noise(name: str, *shape: int) -> NDArray[np.uint8]:
    """Bytes that depend on the name alone."""
    digest = hashlib.shake_256(name.encode()).digest(int(np.prod(shape)))
    values: NDArray[np.uint8] = np.frombuffer(digest, np.uint8)
    return values.reshape(shape)


def gradient(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    """Each channel rises in a direction of its own."""
    y, x = np.mgrid[0:height, 0:width]
    values = [(3 * y + 5 * x) % 256, (255 * y) // max(1, height - 1), 255 - (x * x // 7) % 256]
    return np.stack(values[:channels], axis=-1).astype(np.uint8)


def smooth(name: str, height: int, width: int) -> NDArray[np.uint8]:
    """Shapes of some ten pixels with a little noise on them."""
    coarse = noise(name, height // 12 + 2, width // 12 + 2, 3).astype(np.int64)
    y, x = np.mgrid[0:height, 0:width]
    row, col, fy, fx = y // 12, x // 12, (y % 12)[..., None], (x % 12)[..., None]
    top = coarse[row, col] * (12 - fx) + coarse[row, col + 1] * fx
    bottom = coarse[row + 1, col] * (12 - fx) + coarse[row + 1, col + 1] * fx
    shape = (top * (12 - fy) + bottom * fy) // 144
    grain = noise(f"{name} grain", height, width, 3).astype(np.int64) // 16 - 8
    values: NDArray[np.uint8] = np.clip(shape + grain, 0, 255).astype(np.uint8)
    return values


def make_images(folder: Path) -> Path:
    """Write some twenty images of every kind that `bandwise encode` takes."""
    folder.mkdir(parents=True, exist_ok=True)

    def save(name: str, image: Image.Image, **options: Any) -> None:
        image.save(folder / name, **options)

    photograph = Image.fromarray(smooth("photograph", 75, 110))
    save("gradient.png", Image.fromarray(gradient(64, 96)))
    save("noise.png", Image.fromarray(noise("noise", 40, 56, 3)))
    save("smooth.png", photograph)
    save("constant.png", Image.new("RGB", (33, 20), (120, 30, 200)))
    save("odd-1x1.png", Image.fromarray(gradient(1, 1)))
    save("odd-7x9.png", Image.fromarray(smooth("odd", 7, 9)))
    save("odd-17x33.png", Image.fromarray(smooth("odd", 17, 33)))
    save("line-1x200.png", Image.fromarray(smooth("line", 1, 200)))
    save("grey.png", Image.fromarray(smooth("grey", 50, 41)[..., 0]))
    save("bilevel.png", Image.fromarray(smooth("bilevel", 30, 30)[..., 0] > 127))
    transparent = np.dstack([smooth("rgba", 40, 40), gradient(40, 40, 1)])
    save("rgba.png", Image.fromarray(transparent))
    wide = noise("16 bits", 24, 40, 2).astype(np.uint16)
    save("grey-16-bits.png", Image.fromarray(wide[..., 0] * 256 + wide[..., 1]))
    save("palette.gif", photograph.quantize(32, dither=Image.Dither.NONE))
    save("photograph.bmp", photograph)
    save("photograph.tiff", photograph, compression="tiff_lzw")
    save("grey.pgm", Image.fromarray(smooth("pgm", 21, 35)[..., 0]))
    header = bytearray(128)
    header[16:20], header[36:40] = b"RGB ", b"acsp"
    save("icc.png", Image.fromarray(smooth("icc", 24, 24)), icc_profile=bytes(header))
    exif = Image.Exif()
    exif[0x0112] = 6
    save("turned.jpg", Image.fromarray(smooth("turned", 45, 70)), quality=92, exif=exif)
    save("progressive.jpg", photograph, quality=88, progressive=True)
    save("full-chroma.jpg", photograph, quality=95, subsampling="4:4:4")
    save("half-chroma.jpg", photograph, quality=95, subsampling="4:2:0")
    save("grey.jpg", Image.fromarray(smooth("grey", 64, 48)[..., 1]), quality=90)
    save("cmyk.jpg", photograph.convert("CMYK"), quality=90)
    return folder


def make_sources(folder: Path) -> Path:
    """Write a folder with a sub-folder a class: photographs and made images."""
    shutil.copytree(PHOTOGRAPHS, folder, ignore=shutil.ignore_patterns("*.md"))
    make_images(folder / "made")
    for suffix in ("gif", "bmp", "pgm"):  # names of one stem would clash in a tree
        for path in (folder / "made").glob(f"*.{suffix}"):
            path.rename(path.with_name(f"{suffix}-{path.name}"))
    for path in (folder / "made").glob("*.jp*"):
        path.rename(path.with_name(f"jpeg-{path.name}"))
    return folder


def make_archive(path: Path, images: Path) -> Path:
    """Write a WebDataset archive: photographs with a class, a caption and JSON each."""
    with tarfile.open(path, "w") as archive:
        for number, source in enumerate(sorted(images.glob("[dh]*/*.png"))):
            name = f"{source.parent.name}/{source.stem}"
            entries = {
                "png": source.read_bytes(),
                "cls": str(number).encode(),
                "json": json.dumps({"number": number}).encode(),
                "seg.txt": b"text that travels along",
            }
            for suffix, data in entries.items():
                member = tarfile.TarInfo(f"{name}.{suffix}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


def scaled(table: Sequence[Sequence[int]], percent: int) -> list[list[int]]:
    """Table times a percentage, within 1..255."""
    return [[min(255, max(1, (step * percent + 50) // 100)) for step in row] for row in table]


def write_profile(path: Path, *, percent: int = 100, grey: bool = False, **entries: Any) -> Path:
    """Write a profile as JSON, without the package: files of users have to stay readable."""
    tables = {"luma": scaled(IJG_LUMA, percent)}
    if not grey:
        tables["chroma"] = [
            [min(255, (17 + 14 * max(row, col)) * percent // 100 + 1) for col in range(8)]
            for row in range(8)
        ]
    profile = {
        "format": "bandwise-profile",
        "schema": 2 if "frequencies" in entries else 1,
        "name": path.stem,
        "tables": tables,
        "subsampling": "4:2:0",
        "provenance": {"num_classes": CLASSES},
        **entries,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(profile))
    return path


def sensitivity(scale: float) -> list[list[float]]:
    """Fisher information that falls with frequency, in nats a squared coefficient."""
    return [[scale / (1 + row + 2 * col) for col in range(8)] for row in range(8)]


def rate_distortion(slope: float) -> dict[str, Any]:
    """Entry of a profile that asks for rate-distortion optimised quantisation."""
    components = {"luma": 4e-3, "cb": 2e-3, "cr": 1e-3}
    return {
        "slope": slope,
        "sensitivity": {name: sensitivity(scale) for name, scale in components.items()},
    }


def write_ladder(folder: Path) -> Path:
    """Write profiles from large files to small."""
    for step in STEPS:
        write_profile(folder / f"{step:03d}.json", percent=10 * step)
    return folder


SMALL_CNN = {
    "features.1.0.weight": (32, 3, 3, 3),
    "features.4.0.weight": (64, 32, 3, 3),
    "features.7.0.weight": (96, 64, 3, 3),
    "head.linear.weight": (CLASSES, 96),
    "head.linear.bias": (CLASSES,),
}


def write_weights(path: Path) -> Path:
    """Write weights of `small-cnn` under the names that files of users have."""
    tensors: dict[str, NDArray[Any]] = {}
    for name, shape in SMALL_CNN.items():
        values = noise(name, *shape).astype(np.float32) / 128 - 1
        tensors[name] = (values * (6 / np.prod(shape[1:])) ** 0.5).astype(np.float32)
    tensors["head.linear.weight"] *= 2
    for layer, width in ((1, 32), (4, 64), (7, 96)):
        norm = f"features.{layer}.1"
        tensors[f"{norm}.weight"] = np.ones(width, np.float32)
        tensors[f"{norm}.bias"] = np.zeros(width, np.float32)
        tensors[f"{norm}.running_mean"] = np.zeros(width, np.float32)
        tensors[f"{norm}.running_var"] = np.ones(width, np.float32)
        tensors[f"{norm}.num_batches_tracked"] = np.array(0, np.int64)
    save_file(tensors, path)
    return path


def write_model(path: Path, **entries: Any) -> Path:
    """Write what describes a model on coefficients; `encode --for-model` needs no more."""
    description = {
        "format": "bandwise-model",
        "schema": 1,
        "network": "resnet",
        "reads": "coefficients",
        "classes": ["a", "b", "c", "d"],
        "channels": 3,
        "grid": [4, 4],
        "frequencies": [0, 1, 2, 8, 9, 16, 64, 65, 72, 128, 129, 136],
        "provenance": {},
        **entries,
    }
    tensors = {"weight": np.zeros(1, np.float32)}
    save_file(tensors, path, {"bandwise": json.dumps(description, sort_keys=True)})
    return path
