"""Hostile bytes for every parser of them, guided by coverage.

    targets   what is called with the bytes, and what must hold
    seeds     small files of each kind, made here
    changes   how files are changed so that a parser still looks inside
    __main__  runs targets with atheris (libFuzzer) and counts: python -m fuzz

The tests run the same targets on seeds and seeded changes, without atheris.
"""
