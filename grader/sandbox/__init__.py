"""The sandbox: how a stranger's code runs here and what it can reach. Theory of operation.

Five roles.

    grader    holds the references and judges. It never runs student code and never unpickles what comes back.
    keeper    (tier A) waits outside the namespaces and does nothing; killing it ends everything inside.
    nursery   exec'ed by the grader, so it shares no memory with it; loads torch once for all workers of a run, and forks
              a zygote for each. Where there is none, a zygote is exec'ed.
    zygote    loads the import cells and the probes once, then forks a child for every submission. It never sees a submission or
              a reference, and has no way to the nursery or to another zygote.
    child     gives up everything (`child.confine`), then runs the student's cells and the probes (`child.serve`).

Order in the child: own session; standard streams to /dev/null; all descriptors closed but the channel; scratch folder;
empty environment; dies with its parent; resource limits; another user; not inspectable; no new privileges; Landlock;
seccomp; only then the first line of student code. If any of it fails, the child ends, and the fault is ours.

Two phases (`sitting`). First everything public: whatever else is told, such as training a model; then the notebook's cells in
order, after each the probes with inputs that every student may know; again without it when a step ends the process.
What these processes return and raise is told. Only when one of them has answered every public step, in order and leaving none out,
are the inputs drawn for this submission sent to it. What is told has been put aside by then, its times too,
and from then on nothing that any process of this submission does is repeated: not a word, not a status, not a time. Of the
calls with hidden inputs only arrays come back, to be compared. So no message, no exception, no note left in a cache and no
choice of when to end can carry a hidden input into the feedback. What remains is one bit a check: whether it holds.

What ends a child early (an endless loop, a crash, a flood) is blamed on the step it had announced last. A liar can only
blame a step of their own.

Two kinds of failure: the student's become a status of the closed set; ours raise `SandboxError`, and no score is given.

What is not confined: see the table of `tiers`. CPU time is limited, but a child may use all of it; caches and timing
between two children that run at the same time on one machine are shared.
"""
