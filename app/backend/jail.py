"""What a worker may not do, whatever SQL gets it to try: enforced by the kernel, for good.

Nothing here needs root; as root more of it holds. ``held`` says in words what does.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522

#: Files that stay open in a worker besides those of its dataset: nothing, twice, and the log.
_STANDARD_FILES = 3

#: Address space that a worker takes before any query: libraries, stacks and arenas of threads.
BASE_ADDRESS_SPACE = 2 * 1024**3

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


def leave_network() -> bool:
    """Move this process and its children to a network of their own that has nothing in it.

    Called while there is one thread. False where the kernel does not let us.
    """
    if os.geteuid() == 0:
        return _libc.unshare(_CLONE_NEWNET) == 0
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            return False
    return True


def step_back(by: int) -> None:
    """Give way to everything else on the machine, and be the first to go when memory runs out.

    Called when all threads are there: each has its own priority. ``by`` is a nice value, 0 to 19;
    a service that was started with a larger one keeps it, as only root may lower it.
    """
    by = max(by, os.getpriority(os.PRIO_PROCESS, 0))
    for thread in os.listdir("/proc/self/task"):
        os.setpriority(os.PRIO_PROCESS, int(thread), by)
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
            file.write("1000")
    except OSError:
        pass  # a kernel without it


def hide_memory() -> None:
    """Keep other processes of the same user from reading this one's memory and environment."""
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit_memory(memory: int) -> None:
    """Bound the address space: ``memory`` bytes for a query, beside what a worker takes anyway."""
    size = memory + BASE_ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def drop_rights(user: int) -> None:
    """Give up root for good, for a user who owns nothing; then all that is left of rights."""
    if os.geteuid() == 0 and user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = _Header(_CAPABILITY_VERSION_3, 0)
    _libc.capset(ctypes.byref(header), ctypes.byref((_Sets * 2)()))
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    hide_memory()


def close_files() -> None:
    """From now on no file can be opened, and none written to.

    What is open stays so. A file descriptor below the limit is never free, since the first three
    are taken; and no file may have a first byte written.
    """
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_STANDARD_FILES, _STANDARD_FILES))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error is enough


def allow_seconds(seconds: float) -> None:
    """Bound the processor time from now on; the kernel ends the process beyond it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def held(user: int, network_left: bool) -> list[str]:
    """Return in words what holds for workers started by this process, for the log."""
    root = os.geteuid() == 0
    return [
        "no file can be opened or written",
        f"run as user {user}"
        if root and user
        else f"run as user {os.geteuid()}, as whom the service was started",
        "no network" if network_left else "the kernel does not let us take the network away",
    ]
