"""The scratch folder is empty after every submission, whatever stood in it."""

import os

from grader.sandbox.scratch import MAX_BYTES, empty, is_full


def test_everything_goes(tmp_path):
    folder, outside = tmp_path / "scratch", tmp_path / "outside"
    (folder / "a" / "b").mkdir(parents=True)
    outside.mkdir()
    (outside / "kept").write_text("x", encoding="utf-8")
    (folder / "a" / "file").write_text("x", encoding="utf-8")
    (folder / "a" / "b" / "file").write_text("x", encoding="utf-8")
    (folder / "link").symlink_to(outside)
    (folder / "a" / "link").symlink_to(outside / "kept")
    (folder / "a" / "dangling").symlink_to("nowhere")
    os.link(outside / "kept", folder / "hard")
    os.mkfifo(folder / "pipe")
    (folder / os.fsdecode(b"\xff\xfe \n")).write_text("x", encoding="utf-8")
    (folder / "a" / "b").chmod(0)
    (folder / "a").chmod(0o500)
    empty(str(folder))
    assert list(folder.iterdir()) == []
    assert (outside / "kept").read_text(encoding="utf-8") == "x"


def test_how_full_it_is(tmp_path):
    assert not is_full(str(tmp_path))
    assert not is_full(str(tmp_path / "removed"))
    (tmp_path / "sub").mkdir()
    for n in range(5):
        (tmp_path / "sub" / f"file{n}").write_bytes(bytes(MAX_BYTES // 4))
    (tmp_path / "link").symlink_to("/")
    assert is_full(str(tmp_path))
    (tmp_path / "sub" / "file0").unlink()
    (tmp_path / "sub" / "file1").unlink()
    assert not is_full(str(tmp_path))


def test_what_is_too_deep_to_look_into_is_too_much(tmp_path):
    (tmp_path / ("d" * 200) / ("d" * 200) / ("d" * 200) / ("d" * 200) / ("d" * 200)).mkdir(parents=True)
    assert is_full(str(tmp_path))


def test_a_folder_too_deep_for_a_path(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    at = os.open(folder, os.O_RDONLY)
    for _ in range(3000):  # three characters each: longer than any path may be, deeper than recursion goes
        os.mkdir("dd", 0o700, dir_fd=at)
        inside = os.open("dd", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inside
    os.close(at)
    empty(str(folder))
    assert list(folder.iterdir()) == []
