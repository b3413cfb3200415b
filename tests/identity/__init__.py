"""Random classes, and who truly handed in what: `python -m tests.identity --count 10000`.

people    a university whose ids and names collide as much as platforms allow
downloads what somebody handed in, as files of a platform; every file says in its content whose it truly is
books     the grade files, of a section or of all, with the truth of every row beside them
trial     one class through the real reading and filling, judged by the truth alone
"""

from tests.identity.trial import Trial, run_trial

__all__ = ["Trial", "run_trial"]
