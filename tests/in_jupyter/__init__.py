"""A student's evening in a real browser: JupyterLab on the unpacked student bundle alone.

    python -m tests.in_jupyter [NAME ...]     open, first gap red, filled green, Run All, sliders moved, save, hand in
    python -m tests.in_jupyter NAME --solved  the same with every gap filled: all training of FAST=1 runs
    python -m tests.in_jupyter --look FOLDER  and keep a picture of the page after each step

`lab` starts a server on a folder and is the hand that presses keys; `evening` is what the student does, each step waiting for a
state of the page or of the kernel, none for a time. Needs the system's Chromium; nothing asks a network.
"""
