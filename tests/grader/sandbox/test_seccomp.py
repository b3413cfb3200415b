"""The filter, tried on a process of its own for each question."""

import ctypes
import errno
import os
import platform
import threading

import pytest

from grader.sandbox import calls, landlock, linux, seccomp

pytestmark = pytest.mark.skipif(not seccomp.is_supported(), reason="seccomp needs Linux on x86_64 or aarch64")
COLUMN = 0 if platform.machine() == "x86_64" else 1


def inside(action, *, may_write: bool = True) -> str:
    """Run an action in a forked, filtered process: "" if it returned, else the name of its error."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            linux.forbid_new_privileges()
            seccomp.restrict(os.getpid(), may_write)
            action()
        except OSError as error:
            os.write(writer, errno.errorcode.get(error.errno or 0, "?").encode())
        except BaseException as error:
            os.write(writer, type(error).__name__.encode())
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as pipe:
        said = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    return said


def raw(number: int, *arguments: int):
    return lambda: linux.syscall(number, *(ctypes.c_long(argument) for argument in (*arguments, 0, 0, 0, 0)))


@pytest.mark.parametrize("name", calls.REFUSED)
def test_every_call_of_the_table_is_refused(name):
    if (number := calls.REFUSED[name][COLUMN]) is None:
        pytest.skip(f"no {name} on this architecture")
    assert inside(raw(number)) == "EPERM"


def test_no_number_stands_twice():
    for column in (0, 1):
        numbers = [n[column] for n in (calls.REFUSED | calls.CHANGES_TO_FOLDERS).values() if n[column] is not None]
        assert len(numbers) == len(set(numbers))


def test_threads_signals_and_limits_of_its_own_are_allowed():
    def work():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        os.kill(os.getpid(), 0)
        import resource

        resource.prlimit(0, resource.RLIMIT_CORE, (0, 0))
        resource.prlimit(os.getpid(), resource.RLIMIT_CORE, (0, 0))

    assert inside(work) == ""


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (os.fork, "EPERM"),
        (lambda: os.kill(os.getppid(), 0), "EPERM"),
        (lambda: os.kill(-1, 0), "EPERM"),
        (lambda: os.kill(0, 0), "EPERM"),
        (lambda: __import__("socket").socket(), "EACCES"),
        (lambda: __import__("resource").prlimit(os.getppid(), 4), "PermissionError"),
        (lambda: linux.prctl(1, 0), "EPERM"),
        (lambda: __import__("fcntl").fcntl(0, 8, os.getppid()), "EPERM"),
        (raw(calls.CLONE3[0]), "ENOSYS"),
        (raw(calls.OPENAT2[0]), "ENOSYS"),
        (raw(calls.CLONE[COLUMN], 0x10000000 | 0x00010000), "EPERM"),
        (raw(calls.KILL[COLUMN], 1 << 32), "EPERM"),
    ],
)
def test_what_touches_other_processes_is_refused(action, error):
    got = inside(action)
    assert got == error or (error == "PermissionError" and got == "EPERM")


def test_the_numbering_of_another_architecture_is_refused():
    if COLUMN:
        pytest.skip("x32 is of x86_64")
    assert inside(raw(0x40000000 | 39)) == "EPERM"


def test_emptying_while_reading_is_refused(tmp_path):
    victim = tmp_path / "file"
    victim.write_text("x", encoding="utf-8")
    assert inside(lambda: os.open(victim, os.O_RDONLY | os.O_TRUNC)) == "EPERM"
    assert victim.read_text(encoding="utf-8") == "x"
    assert inside(lambda: os.open(victim, os.O_WRONLY | os.O_TRUNC)) == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: os.open(folder / "file", os.O_WRONLY), lambda folder: os.open(folder / "new", os.O_RDONLY | os.O_CREAT),
        lambda folder: os.open(folder, os.O_RDWR | os.O_TMPFILE), lambda folder: os.mkdir(folder / "new"),
        lambda folder: os.unlink(folder / "file"), lambda folder: os.rename(folder / "file", folder / "new"),
        lambda folder: os.link(folder / "file", folder / "new"), lambda folder: os.symlink("x", folder / "new"),
        lambda folder: os.rmdir(folder / "sub"), lambda folder: os.mkfifo(folder / "new"),
    ],
)  # fmt: skip
def test_without_landlock_no_file_can_be_changed(tmp_path, change):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    assert inside(lambda: change(tmp_path), may_write=False) == "EPERM"
    assert inside(lambda: (tmp_path / "file").read_text(encoding="utf-8"), may_write=False) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "sub"]


@pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
def test_landlock_shows_what_was_named_and_no_more(tmp_path):
    for name in ("readable", "writable", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x", encoding="utf-8")

    def confined(action) -> str:
        def act():
            landlock.restrict(landlock.ruleset([str(tmp_path / "readable")], [str(tmp_path / "writable")]))
            action()

        return inside(act)

    assert confined(lambda: (tmp_path / "readable" / "file").read_text(encoding="utf-8")) == ""
    assert confined(lambda: (tmp_path / "readable" / "file").write_text("y", encoding="utf-8")) == "EACCES"
    assert confined(lambda: (tmp_path / "writable" / "new").write_text("y", encoding="utf-8")) == ""
    assert confined(lambda: (tmp_path / "closed" / "file").read_text(encoding="utf-8")) == "EACCES"
    assert confined(lambda: os.listdir(tmp_path / "closed")) == "EACCES"
    assert confined(lambda: os.listdir("/proc")) == "EACCES"
    assert confined(lambda: os.rename(tmp_path / "closed" / "file", tmp_path / "writable" / "got")) in (
        "EACCES",
        "EXDEV",
    )
    assert confined(lambda: (tmp_path / "writable" / "link").symlink_to(tmp_path / "closed" / "file")) == ""
    assert confined(lambda: (tmp_path / "writable" / "link").read_text(encoding="utf-8")) == "EACCES"


def test_root_that_stays_root_gives_up_what_only_root_may(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    os.chown(tmp_path / "file", 12345, 12345)
    (tmp_path / "file").chmod(0)

    def act():
        (tmp_path / "file").read_text(encoding="utf-8")
        linux.drop_capabilities()
        (tmp_path / "file").read_text(encoding="utf-8")

    assert inside(act) == "EACCES"
