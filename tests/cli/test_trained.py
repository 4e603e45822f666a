"""The closing table of training on JPEG files."""

from rich.console import Console

from bandwise.cli.trained import print_trained
from bandwise.report.straight import straight_summary
from tests.report.straight.synthetic import straight_rows


def printed(console: Console) -> list[str]:
    return console.export_text().splitlines()


def test_every_setting_has_a_line_and_twins_are_compared() -> None:
    console = Console(record=True, width=80, highlight=False, soft_wrap=True)
    print_trained(console, straight_summary(straight_rows(kept=(24,))))
    lines = printed(console)
    assert " ".join(lines[0].split()) == "network reads seeds test accuracy images/s bytes a file"
    cells = [line.split() for line in lines[1:7]]
    assert cells[1][:3] == ["resnet", "coefficients", "3"]
    assert cells[1][-2:] == ["338", "3,114"]
    assert cells[3][:4] == ["resnet-small", "24", "by", "importance"]
    assert lines[7].startswith("gain resnet on coefficients - resnet on pixels: -0.")
    assert lines[8] == (
        "training resnet on coefficients handles 1.50 times as many images a second "
        "(1.50 to 1.50 over 3 seeds)"
    )


def test_without_twins_the_table_stands_alone() -> None:
    console = Console(record=True, width=80)
    print_trained(console, straight_summary(straight_rows(twins=(), seeds=(0,))))
    assert len(printed(console)) == 11
