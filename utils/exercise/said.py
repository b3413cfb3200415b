"""What cells print: what others look for in a saved notebook, and how a long line is folded."""

from textwrap import fill

_COLUMNS = 96
OF_OURS = "weights of ours from here on"  # of a network that a student has not trained


def folded(text: str, begin: str = "") -> str:
    """A line that a cell prints, in lines that the page and the PDF hold: JupyterLab breaks longer ones inside words.

    Args:
        text: One or more sentences, without line breaks.
        begin: What stands before the first, such as a dash; the lines after it are indented as much, and by two more.
    """
    behind = " " * (len(begin) + 2)
    return fill(
        text, _COLUMNS, initial_indent=begin, subsequent_indent=behind, break_long_words=False, break_on_hyphens=False
    )
