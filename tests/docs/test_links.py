"""No link leads nowhere: relative ones to a file or heading that exists, others well formed. No network is used."""

import re
import unicodedata
from pathlib import Path
from urllib.parse import urlparse

import pytest
from pages import PROJECT, pages

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
STUDENTS = PROJECT / "tools" / "student_files"  # its pages are read inside the student bundle


def _texts() -> dict[str, str]:
    return {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in pages()}


def _links() -> list[tuple[str, str]]:
    return [(page, link) for page, text in _texts().items() for link in LINK.findall(_prose(text))]


def _prose(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchors(text: str) -> set[str]:
    """The anchors that a page's headings get on the common hosts: lower case, punctuation gone, spaces to hyphens."""
    headings = re.findall(r"^#+ (.+)$", _prose(text), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", unicodedata.normalize("NFC", heading).lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize(("page", "link"), _links())
def test_a_link_leads_somewhere(page: str, link: str) -> None:
    if "://" in link:
        parts = urlparse(link)
        assert parts.scheme == "https"
        assert re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc), "a host without a name"
        return
    path, _, anchor = link.partition("#")
    target = (PROJECT / page).parent / path if path else PROJECT / page
    assert target.exists(), f"{page} links {link}, which is not there"
    if anchor:
        assert anchor in _anchors(target.read_text(encoding="utf-8")), (
            f"{page} links {link}, and no heading there makes this anchor"
        )


def test_the_pages_lead_to_each_other() -> None:
    """Every page of docs/ is linked, or named as what a command writes, on the way from the README."""
    reached, todo = set(), [PROJECT / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        text = page.read_text(encoding="utf-8")
        todo += [page.parent / link.partition("#")[0] for link in LINK.findall(text) if link.endswith(".md")]
        todo += [PROJECT / name for name in re.findall(r"`(docs/[\w-]+\.md)`", text)]
    assert {path.resolve() for path in (PROJECT / "docs").glob("*.md")} <= reached


def test_a_dead_link_would_be_found() -> None:
    assert "what-the-sandbox-does-not-stop" in _anchors((PROJECT / "README.md").read_text(encoding="utf-8"))
    assert "nowhere" not in _anchors((PROJECT / "README.md").read_text(encoding="utf-8"))
    assert not (Path(PROJECT) / "docs" / "nowhere.md").exists()


def test_every_module_that_a_page_runs_exists() -> None:
    named = {
        (page, module)
        for page, text in _texts().items()
        for module in re.findall(r"python -m ((?:grader|tools|tests|utils)[\w.]*)", text)
    }
    assert len(named) > 15
    assert [(page, module) for page, module in named if not _is_runnable(module)] == []


def _is_runnable(module: str) -> bool:
    path = PROJECT / module.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists()
