"""What is grave on a notebook's pages is found, on each of them."""

import pytest
from nbformat import v4

from tests.marking.browser import WHY_NOT
from tests.solved.accessible import grave

PALE = '<p style="color: #bbb; background: #fff">Hardly to be read.</p>'


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize(("shown", "rule"), [('<img src="data:,">', "image-alt"), (PALE, "color-contrast")])
def test_what_a_notebook_shows_is_looked_at_on_each_page(shown: str, rule: str) -> None:
    output = v4.new_output("display_data", {"text/html": shown})
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), v4.new_code_cell("show()", outputs=[output])])
    found = grave(notebook)
    assert {name for name, lines in found.items() if any(f" {rule}: " in line for line in lines)} == {
        "light",
        "dark",
        "printed",
    }
