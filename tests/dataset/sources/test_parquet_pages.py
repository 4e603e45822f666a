"""Sizes of pages are those that pyarrow writes, and damaged headers are errors."""

import io

import pytest

from bandwise.dataset.sources.parquet_pages import column_chunks, page_sizes

pyarrow = pytest.importorskip("pyarrow")


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_pages_are_as_large_as_was_written(
    version: str, compression: str, dictionary: bool
) -> None:
    from pyarrow import parquet

    values = [bytes([number]) * 10_000 for number in range(100)]
    file = io.BytesIO()
    parquet.write_table(
        pyarrow.table({"image": values, "text": ["é"] * 100}),
        file,
        data_page_version=version,
        compression=compression,
        use_dictionary=dictionary,
        data_page_size=30_000,
        write_batch_size=1,
    )
    metadata = parquet.ParquetFile(file).metadata
    chunks = [metadata.row_group(0).column(index) for index in range(2)]
    extents = [
        (each.dictionary_page_offset or each.data_page_offset, each.total_compressed_size)
        for each in chunks
    ]
    assert column_chunks(file) == [extents]
    chunk = chunks[0]
    sizes = list(page_sizes(file, *extents[0]))
    assert 1_000_000 < sum(sizes) < chunk.total_uncompressed_size + 100
    assert len(sizes) == (2 if dictionary else 34)
    assert max(sizes) > (1_000_000 if dictionary else 30_000)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"\x00", "has no size"),
        (b"\x15\x00\x15\x02\x15\x01\x00", "has no size"),
        (b"\x15", "cut off"),
        (b"\x15" + b"\xff" * 11, "more than 64 bits"),
        (b"\x1c" * 9, "nested too deeply"),
        (b"\x1b\x00", "a value of kind 11"),
        (b"\x19\xf8\xff\xff\xff\xff\x0f", "cut off"),
        (b"\x18\x7f\x00", "cut off"),
    ],
)
def test_damaged_headers_are_errors(header: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(page_sizes(io.BytesIO(header), 0, 100))
