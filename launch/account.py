"""Which system account the embedded servers run as: PostgreSQL refuses root, so root steps down to `nobody`."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from launch.errors import LaunchError

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """A uid and gid; `dropped` says that it is not our own, so children must be started under it."""

    uid: int
    gid: int
    dropped: bool

    @property
    def user(self) -> int | None:
        """The `user` argument of subprocess."""
        return self.uid if self.dropped else None

    @property
    def group(self) -> int | None:
        """The `group` argument of subprocess."""
        return self.gid if self.dropped else None

    @property
    def extra_groups(self) -> list[int] | None:
        """The `extra_groups` argument of subprocess: none of root's groups are kept."""
        return [] if self.dropped else None

    def owns(self, path: Path) -> None:
        """Give `path` to this account; it must be one of our own."""
        if self.dropped:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def serving_account(cluster: Path) -> Account:
    """The account that serves `cluster`: ourselves, or for root the cluster's owner, or else `nobody`."""
    uid = os.geteuid()
    if uid != 0:
        return _ourselves(uid)
    if cluster.exists():
        owner = cluster.stat()
        if owner.st_uid == 0:
            raise LaunchError(f"The database folder {cluster} belongs to root, and PostgreSQL refuses to run as root.")
        return Account(owner.st_uid, owner.st_gid, dropped=True)
    return nobody()


def nobody() -> Account:
    """The account root steps down to."""
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise LaunchError(
            f"There is no user `{UNPRIVILEGED}` here to run PostgreSQL as: set DATABASE__URL to a server of your own."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, dropped=True)


def nobody_or_self() -> Account:
    """The account for a server that keeps no data: `nobody` for root, else ourselves."""
    uid = os.geteuid()
    return nobody() if uid == 0 else Account(uid, os.getegid(), dropped=False)


def _ourselves(uid: int) -> Account:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise LaunchError(
            f"PostgreSQL cannot run as user id {uid}, which has no name on this machine: "
            "set DATABASE__URL to a server of your own."
        ) from None
    return Account(uid, os.getegid(), dropped=False)


def reachable(path: Path, account: Account) -> bool:
    """Whether `account`, without any further group, may pass every folder down to `path` and enter or run it."""
    return all(_passable(step.stat(), account) for step in (*reversed(path.parents), path))


def _passable(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
