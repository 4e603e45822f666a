"""Tar files are the same bytes always, and damaged ones are said to be."""

import hashlib
import io
import subprocess
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandwise.dataset.tarfiles import END, Extent, Member, TarWriter, read_members
from bandwise.errors import CorruptDataError

LONG = "folder/" * 40 + "ümlaut 名"


def written(samples: dict[str, dict[str, bytes]]) -> tuple[bytes, dict[str, Extent]]:
    stream = io.BytesIO()
    tar = TarWriter(stream)
    extents = {key: tar.add(key, contents) for key, contents in samples.items()}
    tar.close()
    assert tar.size == len(stream.getvalue())
    assert tar.sha256 == hashlib.sha256(stream.getvalue()).hexdigest()
    return stream.getvalue(), extents


def read(data: bytes, max_bytes: int = 10_000) -> list[Member]:
    return list(read_members(io.BytesIO(data), max_bytes=max_bytes))


@given(
    st.dictionaries(
        st.from_regex(r"[a-zé/]{1,150}[a-z]", fullmatch=True).filter(lambda k: k[0] != "/"),
        st.dictionaries(st.sampled_from(["jpg", "cls", "json"]), st.binary(max_size=1100)),
        max_size=4,
    )
)
def test_what_was_written_is_read_by_this_and_by_pythons_reader(
    samples: dict[str, dict[str, bytes]],
) -> None:
    data, extents = written(samples)
    expected = [(f"{k}.{e}", d) for k, c in samples.items() for e, d in sorted(c.items())]
    assert [(one.name, one.data) for one in read(data)] == expected
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert [(info.name, info.size) for info in archive] == [(n, len(d)) for n, d in expected]
    for key, extent in extents.items():
        region = data[extent.offset : extent.offset + extent.size]
        assert hashlib.sha256(region).hexdigest() == extent.sha256
        assert [one.data for one in read(region + END)] == [
            samples[key][extension] for extension in sorted(samples[key])
        ]


def test_bytes_depend_on_names_and_contents_alone() -> None:
    data, _ = written({"a": {"jpg": b"x", "cls": b"7"}})
    assert data == written({"a": {"cls": b"7", "jpg": b"x"}})[0]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        facts = {(i.mtime, i.uid, i.gid, i.uname, i.gname, i.mode) for i in archive}
    assert facts == {(0, 0, 0, "", "", 0o644)}


@pytest.mark.parametrize("form", ["gnu", "pax", "ustar"])
def test_archives_of_tar_itself_are_read(tmp_path: Path, form: str) -> None:
    names = ["a.jpg", "b/c.jpg"] + ([LONG + ".jpg"] if form != "ustar" else [])
    for name in names:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "in" / "link").symlink_to("a.jpg")
    subprocess.run(
        [
            "tar",
            f"--format={form}",
            "-cf",
            tmp_path / "x.tar",
            "-C",
            tmp_path / "in",
            *names,
            "link",
        ],
        check=True,
    )
    found = read((tmp_path / "x.tar").read_bytes())
    assert [(one.name, one.data.decode()) for one in found[:-1]] == [(n, n) for n in names]
    assert found[-1] == Member(
        name="link", problem="it is a link or device in the archive, no file"
    )


def test_members_over_the_limit_are_passed_over() -> None:
    data, _ = written({"a": {"jpg": bytes(3_000_000)}, "b": {"jpg": b"y"}})
    big, small = read(data, max_bytes=2_999_999)
    assert (big.name, big.data) == ("a.jpg", b"")
    assert "larger than the limit of 2999999 B" in str(big.problem)
    assert small == Member(name="b.jpg", data=b"y")


def test_an_archive_that_is_cut_off_anywhere_is_damaged() -> None:
    data, _ = written({"a": {"jpg": b"x" * 700}, LONG: {"jpg": b"y"}})
    for length in range(0, len(data) - 2 * 512, 64):
        with pytest.raises(CorruptDataError, match=r"cut off|damaged"):
            read(data[:length])


@given(st.integers(0, 3500), st.integers(1, 255))
def test_a_flipped_byte_is_an_error_or_changes_contents_but_never_hangs(
    position: int, change: int
) -> None:
    data, _ = written({"a": {"jpg": b"x" * 700}, LONG: {"jpg": b"y"}})
    damaged = bytearray(data)
    damaged[position % len(data)] ^= change
    with suppress(CorruptDataError):
        assert len(read(bytes(damaged))) <= 2


@pytest.mark.parametrize(
    ("kind", "size"), [(tarfile.XHDTYPE, 2**21), (tarfile.GNUTYPE_LONGNAME, 2**40), (b"0", -5)]
)
def test_headers_with_sizes_that_cannot_be_are_damaged(kind: bytes, size: int) -> None:
    info = tarfile.TarInfo("name")
    info.type, info.size = kind, size
    with pytest.raises(CorruptDataError, match=f"size {size}"):
        read(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))


@pytest.mark.parametrize(
    "record", [b"x", b"99 path=a\n", b"9 path=ab", b"7 size\n", b"10 size=-1\n"]
)
def test_damaged_extended_headers_are_errors(record: bytes) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    block = info.tobuf() + record + bytes(512 - len(record))
    with pytest.raises(CorruptDataError, match="extended header at byte 0"):
        read(block + tarfile.TarInfo("a").tobuf() + END)
