"""What a module needs that an assignment declares as its quality stage (`[quality]` in `about.toml`).

The stage trains the student's model again in the sandbox and scores what comes back. The module has

    PART, TASK                          the verdict it gives, and the task after whose cell it is called
    inputs(files, cpu_seconds)          what the probe `quality` is called with; raises `CannotTrain`
    score_values(values)                (points, reason) for whatever came back
    picture(values)                     a data URL for the feedback, or ""
"""


class CannotTrain(ValueError):
    """What was handed in cannot be trained with; the message is a sentence for the student."""

    def __init__(self, sentence: str, status: str = "wrong") -> None:
        super().__init__(sentence)
        self.status = status
