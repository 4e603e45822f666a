"""What a page is made of."""

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Collects tags, identifiers and targets, and checks that tags nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href", "action"):
                self.targets.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def check_whole(self) -> None:
        """Whether all is closed, named once, and within the page."""
        assert not self.open
        assert len(self.ids) == len(set(self.ids))
        assert all(target.startswith(("#", "data:")) for target in self.targets)
        assert {target[1:] for target in self.targets if target.startswith("#")} <= set(self.ids)


def outline_of(page: Path) -> Outline:
    """Read a page."""
    outline = Outline()
    outline.feed(page.read_text(encoding="utf-8"))
    return outline
