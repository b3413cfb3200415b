"""The cluster's engine: who is blamed for a worker's death, who is refused, what travels. Without dask, against a scheduler of our own.

With dask itself, and workers that are killed: `python -m tests.cluster`.
"""

import importlib.util
import pickle
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from grader.classes import cluster, elsewhere
from grader.classes import pool as workers
from grader.classes.batch import Settings
from grader.classes.cluster import Cluster
from grader.classes.pool import PoolLost, WorkerDied
from grader.records import Seat

PROJECT = Path(__file__).resolve().parents[3]
SECRET = "a secret that must not travel"


class _KilledWorker(Exception):
    """As dask's."""


class _Scheduler:
    """Workers with a queue each, as dask gives them work ahead; a worker that dies takes all that it had with it."""

    def __init__(self, workers: int, seed: int = 0, kill_at: int = 0, differing: tuple[str, ...] = ()) -> None:
        self.rng, self.kill_at, self.differing = random.Random(seed), kill_at, set(differing)
        self.names = [*(f"tcp://node{n}" for n in range(workers)), *differing]
        self.had: dict[str, list[Any]] = {name: [] for name in self.names}
        self.lock, self.work = threading.Lock(), queue.SimpleQueue[Any]()
        self.sent: list[bytes] = []
        self.settings: dict[str, Any] = {}
        self.is_lost = False
        self.here = threading.local()
        threading.Thread(target=self._run, daemon=True).start()

    def add(self, key: str, call: Callable[[], Any]) -> Future:
        future: Any = Future()
        future.key, future.release = key, lambda: None
        with self.lock:
            if not self.names:  # it waits for a worker
                return future
            name = self.rng.choice(self.names)
            self.had[name].append((future, call))
        self.work.put(name)
        return future

    def _run(self) -> None:
        while (name := self.work.get()) is not None:
            with self.lock:
                if not self.had.get(name):
                    continue
                self.kill_at -= 1  # a machine that is taken away, whatever it is at
                dies = self.kill_at == 0
                future, call = self.had[name].pop(0)
            self.here.address = name
            try:
                value = None if dies else call()
            except SystemExit:
                dies = True
            if dies:
                with self.lock:
                    victims, self.had[name] = [future, *(one for one, _ in self.had[name])], []
                for one in victims:
                    one.set_exception(_KilledWorker())
            else:
                future.set_result(value)

    def client(self, *_: object, **__: object) -> SimpleNamespace:
        def submit(run: Callable, asked: dict, call: bytes, key: str, pure: bool) -> Future:
            self.sent += [pickle.dumps(asked), call]
            return self.add(key, lambda: run(asked, call))

        def nthreads() -> dict[str, int]:
            if self.is_lost:
                raise OSError("gone")
            return dict.fromkeys(self.names, 1)

        def retire(addresses: list[str], close_workers: bool) -> None:
            with self.lock:
                self.names = [name for name in self.names if name not in addresses]

        nothing = lambda *_, **__: None  # noqa: E731
        return SimpleNamespace(
            submit=submit,
            nthreads=nthreads,
            wait_for_workers=nothing,
            run_on_scheduler=nothing,
            close=nothing,
            retire_workers=retire,
        )


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A worker of another machine limits its own memory; here that would be the tests' process."""
    calls: list[str] = []
    monkeypatch.setattr(workers, "limit_memory", lambda: calls.append("limited"))
    return calls


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[_Scheduler], Cluster]]:
    """A cluster of this scheduler's."""
    running: list[tuple[Cluster, _Scheduler]] = []

    def make(scheduler: _Scheduler) -> Cluster:
        distributed: Any = ModuleType("distributed")
        distributed.Client, distributed.scheduler = scheduler.client, SimpleNamespace(KilledWorker=_KilledWorker)
        distributed.get_worker = lambda: SimpleNamespace(address=scheduler.here.address)
        cloudpickle: Any = ModuleType("cloudpickle")
        cloudpickle.register_pickle_by_value = lambda module: None
        dask: Any = ModuleType("dask")
        dask.config = SimpleNamespace(set=scheduler.settings.update)
        monkeypatch.setitem(sys.modules, "dask", dask)
        monkeypatch.setitem(sys.modules, "distributed", distributed)
        monkeypatch.setitem(sys.modules, "cloudpickle", cloudpickle)
        monkeypatch.setattr(cluster, "made_with", lambda *_: {"code of the grader": "this"})
        told = lambda asked: "another code of the grader" if scheduler.here.address in scheduler.differing else ""  # noqa: E731
        monkeypatch.setattr(elsewhere, "why_not", told)
        running.append((Cluster("tcp://scheduler:8786", 0, Settings(salt=SECRET), "C", ["01_one"]), scheduler))
        return running[-1][0]

    yield make
    for one, scheduler in running:
        one.shutdown()
        scheduler.work.put(None)  # its thread ends: whoever forks later has none beside it


def work(number: int, settings: Settings, seat: Seat) -> int:
    if number < 0:
        raise SystemExit  # ends its worker
    if settings.salt or seat != Seat():
        raise ValueError("something travelled")
    return number


@pytest.mark.parametrize("seed", range(25))
def test_who_ends_workers_is_given_up_and_nobody_else(made: Callable, seed: int) -> None:
    """Some hand-ins end whoever grades them; some workers die by themselves, in company or not."""
    rng = random.Random(seed)
    numbers = [-n if rng.random() < 0.1 else n for n in range(1, 41)]
    pool = made(_Scheduler(1 + seed % 4, seed, kill_at=rng.randrange(60)))
    futures = [pool.submit(work, number, Settings(salt=SECRET), Seat(3, "/somewhere")) for number in numbers]
    for number, future in zip(numbers, futures, strict=True):
        if number > 0:
            assert future.result(20) == number
        else:
            with pytest.raises(WorkerDied):
                future.result(20)


@pytest.mark.parametrize("kill_at", range(1, 9))
def test_who_died_in_company_may_meet_one_more_death(made: Callable, kill_at: int) -> None:
    """The first ends the worker they are all on; then a machine is taken away from each of the others in turn."""
    pool = made(_Scheduler(1, kill_at=kill_at))
    with pool._changed:  # all are sent before any is at work
        futures = [pool.submit(work, number, Settings(), Seat()) for number in (-1, 1, 2, 3)]
    assert [future.result(20) for future in futures[1:]] == [1, 2, 3]
    with pytest.raises(WorkerDied):
        futures[0].result(20)


def test_a_worker_with_other_code_is_refused_by_name_and_gets_no_more(made: Callable, capsys) -> None:
    scheduler = _Scheduler(2, differing=("tcp://other",))
    pool = made(scheduler)
    assert [pool.submit(work, n, Settings(), Seat()).result(20) for n in range(1, 30)] == list(range(1, 30))
    said = capsys.readouterr().err
    assert said.count("The worker tcp://other is refused: on ") == 1
    assert "another code of the grader" in said
    deadline = time.monotonic() + 10
    while "tcp://other" in scheduler.names and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "tcp://other" not in scheduler.names


def test_dask_keeps_no_log_of_hand_ins(made: Callable[[_Scheduler], Cluster]) -> None:
    scheduler = _Scheduler(1)
    made(scheduler)
    assert scheduler.settings["distributed.admin.low-level-log-length"] < 100


def test_the_secret_does_not_travel(made: Callable) -> None:
    scheduler = _Scheduler(1)
    assert made(scheduler).submit(work, 1, Settings(salt=SECRET), Seat()).result(20) == 1
    assert len(scheduler.sent) == 2
    assert not any(SECRET.encode() in sent for sent in scheduler.sent)


def test_what_a_function_raises_arrives(made: Callable) -> None:
    with pytest.raises(ZeroDivisionError):
        made(_Scheduler(1)).submit(divmod, 1, 0).result(20)


def test_a_lost_scheduler_keeps_nobody_waiting(made: Callable) -> None:
    scheduler = _Scheduler(1)
    pool = made(scheduler)
    scheduler.work.put(None)
    time.sleep(0.05)  # it works no more
    futures = [pool.submit(work, n, Settings(), Seat()) for n in range(1, 4)]
    scheduler.is_lost = True
    for future in futures:
        with pytest.raises(PoolLost, match="the scheduler at tcp://scheduler:8786 is lost"):
            future.result(20)
    with pytest.raises(PoolLost):
        pool.submit(work, 1, Settings(), Seat())


def test_where_all_workers_are_refused_it_says_so(made: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_REFUSED_SECONDS", 0.5)
    pool = made(_Scheduler(0, differing=("tcp://other",)))
    with pytest.raises(PoolLost, match=r"has no worker left; tcp://other is refused: on .*another code"):
        pool.submit(work, 1, Settings(), Seat()).result(20)


def test_a_proof_names_what_differs(monkeypatch: pytest.MonkeyPatch, limited: list[str]) -> None:
    """A worker compares with itself: secret, versions, code, rubrics, isolation."""
    from grader.classes import batch, sameness

    settings = Settings("01_kl_divergence", "one secret")
    monkeypatch.setenv("GRADER_SALT", "one secret")
    same = sameness.made_with(settings, ["01_kl_divergence"])
    plain = {"notebook": "01_kl_divergence", "salt": "", "max_tier": None, "quality_seconds": None}
    monkeypatch.setattr(batch, "tier_here", lambda *_: "C")
    asked = {"settings": plain, "notebooks": ["01_kl_divergence"], "made_with": same, "tiers": ["A", "B", "C"]}
    assert elsewhere._found(asked) == ""
    assert limited == ["limited"]
    assert "isolation tier C" in elsewhere._found(asked | {"tiers": ["A"]})
    for part in same:
        assert elsewhere._found(asked | {"made_with": same | {part: "other"}}).startswith(f"another {part}")
    monkeypatch.setenv("GRADER_SALT", "another secret")
    assert elsewhere._found(asked) == "another secret of the course"


@pytest.mark.skipif(importlib.util.find_spec("distributed") is not None, reason="dask is installed here")
def test_without_dask_it_says_what_to_install() -> None:
    with pytest.raises(PoolLost, match=r"pip install -r requirements-cluster.txt"):
        Cluster(None, 1, Settings("01_kl_divergence"), "C", ["01_kl_divergence"])


# ---------------------------------------------------------------- the recipe


def test_the_manifest_for_kubernetes_fits_together() -> None:
    """What is said twice is the same, the secret comes from a secret, and a worker has one thread."""
    parts = list(yaml.safe_load_all((PROJECT / "docs" / "kubernetes.yaml").read_text(encoding="utf-8")))
    by_kind = {(part["kind"], part["metadata"]["name"]): part for part in parts}
    assert len(by_kind) == len(parts) == 4
    assert all({"apiVersion", "kind", "metadata", "spec"} == set(part) for part in parts)
    labels = set()
    for (kind, _), part in by_kind.items():
        if kind == "Deployment":
            template = part["spec"]["template"]
            assert part["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
            labels.add(template["metadata"]["labels"]["app"])
            (container,) = template["spec"]["containers"]
            assert container["command"][:2] == ["python", "-m"]
            assert "limits" in container["resources"]
    service = by_kind["Service", "grader-scheduler"]
    assert service["spec"]["selector"]["app"] in labels
    (port,) = service["spec"]["ports"]
    (worker,) = by_kind["Deployment", "grader-worker"]["spec"]["template"]["spec"]["containers"]
    assert f"tcp://grader-scheduler:{port['port']}" in worker["command"]
    assert worker["command"][worker["command"].index("--nthreads") + 1] == "1"
    (salt,) = worker["env"]
    assert salt["name"] == "GRADER_SALT"
    assert "value" not in salt
    assert set(salt["valueFrom"]) == {"secretKeyRef"}
    policy = by_kind["NetworkPolicy", "grader"]["spec"]
    assert set(policy["podSelector"]["matchExpressions"][0]["values"]) == labels
