"""Where a run has its hand-ins graded, if not by workers of its own: a resident grader, or the workers of a cluster."""

import argparse
from collections.abc import Callable, Iterable

from grader.classes.batch import Settings
from grader.classes.pool import Pool
from grader.classes.pools import cores


def engine_of(
    options: argparse.Namespace, settings: Settings, names: Iterable[str], least: str
) -> Callable[[], Pool] | None:
    """What makes the pool that the command line asks for; None where it asks for none.

    Args:
        options: Of the command.
        settings: Of the run.
        names: The notebooks that are graded.
        least: The weakest isolation tier that will do.
    """
    graded = [name for name in names if name]
    if options.server:
        from grader.classes.asking import Server

        return lambda: Server(options.server, settings, graded)
    if options.engine or options.scheduler:
        from grader.classes.cluster import Cluster

        workers = cores() if options.workers is None else max(1, options.workers)
        return lambda: Cluster(options.scheduler, workers, settings, least, graded)
    return None
