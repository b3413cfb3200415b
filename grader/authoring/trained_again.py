"""What a module needs that an assignment declares as its quality stage (`[quality]` in `about.toml`).

The stage trains the student's model again in the sandbox and scores what comes back. The module has

    PART, TASK                          the verdict it gives, and the task after whose cell it is called
    inputs(files, cpu_seconds, secret)      what the probe `quality` is called with; raises `CannotTrain`
    score_values(values, files, secret)     (points, reason) for whatever came back; points None where a person has to look
    picture(values, files, secret)          a data URL for the feedback, or ""

`files` are those handed in beside the notebook, `secret` is the course's: what is drawn from both is the same in each of the three,
and nobody can know it beforehand. A judge that works with a stranger's weights does so under a clock: `in_time`.
"""

from grader.stages.clock import in_time

__all__ = ["CannotTrain", "in_time"]


class CannotTrain(ValueError):
    """What was handed in cannot be trained with; the message is a sentence for the student."""

    def __init__(self, sentence: str, status: str = "wrong") -> None:
        super().__init__(sentence)
        self.status = status
