"""What is raised where the sandbox fails, in a module that loads nothing."""


class SandboxError(RuntimeError):
    """The sandbox itself failed; never a student's fault."""
