"""Takes rights away from the process that it runs in, for good. Linux only; nothing here gives any back.

Three fences, of which the first is there with bubblewrap only:
namespaces (an own list of processes, own mounts, no network), Landlock (files outside the private folder cannot be written, and
few can be read), and seccomp (no new processes, no sockets, no signals to others, no tracing).
"""

import contextlib
import ctypes
import errno
import os
import resource
import sys

from .limits import MIB

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 0x1000, 0x4000, 0x40000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER, _INSTRUCTION = 2, 8  # bytes of an instruction in a program for the kernel
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # the same numbers on every architecture

# Calls of the kernel that numpy and matplotlib do not need, and that reach beyond the process. Landlock does not watch over
# rights, owners, times and attributes of files.
_DENIED = """
fork vfork execve execveat socket bind connect listen accept accept4 ptrace process_vm_readv process_vm_writev
process_madvise kcmp mount umount2 pivot_root chroot unshare setns bpf perf_event_open userfaultfd keyctl add_key request_key
io_uring_setup io_uring_enter io_uring_register open_by_handle_at name_to_handle_at fsopen fsconfig fsmount move_mount open_tree
mount_setattr reboot swapon swapoff init_module finit_module delete_module kexec_load kexec_file_load acct quotactl personality
prlimit64 setrlimit pidfd_open pidfd_getfd pidfd_send_signal kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo
chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat
setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
shmget shmat shmctl semget semop semctl msgget msgsnd msgrcv msgctl mq_open mq_unlink setpriority sched_setaffinity
sched_setscheduler sched_setparam sched_setattr ioprio_set memfd_secret landlock_create_ruleset seccomp setuid setgid
""".split()


def die_with_parent():
    """The kernel ends this process when the thread that started it ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)


def own_namespaces():
    """Enter new namespaces of users, mounts, processes, messages and networks; False where the kernel refuses.

    The next process that is forked is the first of the new list of processes.
    """
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWPID | _CLONE_NEWNS | _CLONE_NEWIPC | _CLONE_NEWNET):
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    return True


def own_mounts(folder, megabytes):
    """In new namespaces: an empty private `folder` in memory, and no view of other processes."""
    _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    _mount(b"tmpfs", folder.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, b"size=%dm,nr_inodes=4000" % megabytes)
    if not any(path.startswith("/tmp/") for path in (sys.prefix, sys.base_prefix)):
        _mount(folder.encode(), b"/tmp", None, _MS_BIND, None)  # the one that was there can only be read
    quiet = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    with contextlib.suppress(OSError):
        _mount(b"proc", b"/proc", b"proc", quiet, None)
        return
    # Where a fresh list cannot be mounted in a nested namespace, an empty folder covers the one of the parents.
    _mount(b"tmpfs", b"/proc", b"tmpfs", quiet | _MS_RDONLY, None)


def _mount(source, target, kind, flags, options):
    if _libc.mount(source, target, kind, flags, options):
        raise OSError(ctypes.get_errno(), f"mount of {target.decode()}")


def has_landlock():
    """Whether the kernel has Landlock (Linux 5.13 or newer, and not switched off)."""
    return sys.platform == "linux" and _libc.syscall(_LANDLOCK_CREATE, None, 0, 1) >= 1


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("rights", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def only_these_files(readable, writable):
    """From now on only what is below the folders `readable` can be read, and below `writable` written; False without Landlock."""
    version = _libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    # The rights that this kernel knows: 13 at first, REFER with version 2, TRUNCATE with 3, IOCTL_DEV with 5.
    every = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    # From version 4 on, TCP is refused too; from 6 on, signals to and abstract sockets of processes outside.
    attributes = (ctypes.c_uint64 * 3)(every, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    rules = _libc.syscall(_LANDLOCK_CREATE, ctypes.byref(attributes), 8 if version < 4 else 16 if version < 6 else 24, 0)
    if rules < 0:
        return False
    execute, read_file, read_folder, make_device_and_socket = 1, 4, 8, 0x40 | 0x200 | 0x400 | 0x800
    write_file = 2
    for paths, rights in (
        (readable, execute | read_file | read_folder),
        (writable, every & ~execute & ~make_device_and_socket),
        (("/dev/null", "/dev/zero", "/dev/urandom"), read_file | write_file),
    ):
        for path in filter(os.path.exists, paths):
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
            _libc.syscall(_LANDLOCK_ADD, rules, 1, ctypes.byref(_PathRule(rights, opened)), 0)
            os.close(opened)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    restricted = _libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return restricted


def call_filter():
    """A seccomp filter as a program for the kernel, to be loaded by each fork; None where libseccomp is not there."""
    try:
        import pyseccomp
    except (ImportError, OSError, RuntimeError):
        return None
    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in _DENIED:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # a call that this architecture does not have
            made.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
    # A thread is made with CLONE_THREAD; without it, clone makes a process. clone3 hides its flags, and glibc then takes clone.
    made.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    made.add_rule(pyseccomp.ERRNO(errno.EPERM), "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, 0x10000, 0))
    # A pair of streams reaches nobody else, and asyncio wants one; from a pair of another kind datagrams could be sent anywhere.
    for kind in {*range(16)} - {1}:
        made.add_rule(pyseccomp.ERRNO(errno.EPERM), "socketpair", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xF, kind))
    with open(os.memfd_create("calls"), "w+b") as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()


def address_space():
    """Bytes of address space that this process takes; asked for while /proc can still be read."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def limit_resources(limits, bytes_now, is_alone):
    """Set the process's limits from a `Limits`, for good.

    bytes_now: its address space as it is. is_alone: whether it is in a user namespace of its own, where no other threads count.
    """
    values = {
        "CPU": limits.processor_seconds,
        "AS": bytes_now + limits.memory_mib * MIB,
        "FSIZE": limits.file_mib * MIB,
        "NOFILE": limits.open_files,
        "CORE": 0,
    }
    if is_alone:
        values["NPROC"] = limits.threads
    for name, value in values.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


class _CapabilityHead(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("process", ctypes.c_int)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def drop_rights(calls):
    """No capabilities, no way to new rights, not traceable, and then the filter of calls."""
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.capset(ctypes.byref(_CapabilityHead(0x20080522, 0)), (ctypes.c_uint32 * 6)())
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    program = _Program(len(calls) // _INSTRUCTION, calls)
    if _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of calls")
