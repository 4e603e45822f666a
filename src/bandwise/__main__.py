"""``python -m bandwise``: the command line, as ``torchrun`` starts it."""

from bandwise.cli import main

if __name__ == "__main__":
    main()
