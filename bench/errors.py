"""What keeps a benchmark from running, in one sentence each."""


class BenchError(Exception):
    """The benchmark, or one server of it, cannot be run."""


class CannotInstall(BenchError):
    """A peer's packages are not to be had."""


class CannotStart(BenchError):
    """A server did not come up, or did not stay."""
