"""Progress bars that leave a line of text behind.

tqdm's bar is a widget of the running kernel. Opened the next day, a notebook that has kept it says "Error displaying widget:
model not found" in its place, for every bar. So a bar gives way to its last line when it ends, and one that is not to
stay gives way to nothing.
"""

from typing import Any


def leave_text_behind() -> None:
    """Let `from tqdm.auto import tqdm` give such a bar from here on; where tqdm is missing or draws text, do nothing."""
    try:
        import tqdm.auto
        from tqdm.notebook import tqdm_notebook
    except ImportError:
        return
    found = tqdm.auto.tqdm
    if not issubclass(found, tqdm_notebook) or issubclass(found, _LeavesText):
        return
    tqdm.auto.tqdm = type("tqdm", (_LeavesText, found), {})


class _LeavesText:
    """Mixed into tqdm's bar for notebooks."""

    disable: bool
    leave: bool
    container: Any
    total: Any
    n: Any

    def __init__(self, *given: Any, **options: Any) -> None:
        self._shown = None
        is_shown = options.pop("display", True) and not options.get("delay")
        super().__init__(*given, display=not is_shown, **options)  # type: ignore[call-arg]
        if is_shown and not self.disable:
            from IPython.display import display

            self._shown = display(self.container, display_id=True)

    def close(self) -> None:
        """What tqdm calls at the end of the loop, also of one that was stopped; the second time it has nothing to do."""
        shown, self._shown = getattr(self, "_shown", None), None
        last = self.container.__repr__(pretty=True) if shown is not None else ""
        super().close()  # type: ignore[misc]
        if shown is not None:
            stays = self.leave or (self.total and self.n < self.total)
            shown.update({"text/plain": last if stays else ""}, raw=True)
