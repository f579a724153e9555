"""Numbers of the system calls that a confined child may not make, per architecture.

From the kernel's asm/unistd_64.h (x86_64) and asm-generic/unistd.h (aarch64); None = does not exist there.
Calls whose arguments decide are in `CONDITIONAL`; `seccomp.py` knows the conditions.
"""

from collections.abc import Mapping

Numbers = tuple[int | None, int | None]
ARCHITECTURES = ("x86_64", "aarch64")

NEWEST_KNOWN = 462
"""The last call of the table this list was made from: whatever is newer is answered with ENOSYS, as on an older
kernel. On x86_64 this also catches the x32 calls, whose numbers start at 2^30."""

DENIED: Mapping[str, Numbers] = {
    # The network. socketpair stays: event loops wake themselves with it.
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    # Other programs and processes.
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # Namespaces and mounts.
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "open_tree": (428, 428), "move_mount": (429, 429), "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    # The kernel and the machine.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "acct": (163, 89), "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162), "syslog": (103, 116),
    "personality": (135, 92), "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # What Landlock leaves open: the names of files in folders that others use, and attributes of files.
    "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "truncate": (76, 45),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    # Memory that counts against no limit of the process, or outlives it.
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180),
    # The disk of all: waiting for every write of the machine holds up the ledger's own.
    "sync": (162, 81), "syncfs": (306, 267),
}  # fmt: skip

CONDITIONAL: Mapping[str, Numbers] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "prlimit64": (302, 261),
    "prctl": (157, 167),
    "socketpair": (53, 199),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
}

REMOVALS: Mapping[str, Numbers] = {"unlink": (87, None), "unlinkat": (263, 35)}
"""Calls that remove files: see `keep_files` in seccomp."""

SETUP: Mapping[str, Numbers] = {"seccomp": (317, 277), "capset": (126, 91)}
"""Calls that confinement itself makes."""


def number(table: Mapping[str, Numbers], name: str, machine: str) -> int | None:
    """The number of a call on `machine` (one of ARCHITECTURES); None where it does not exist."""
    return table[name][ARCHITECTURES.index(machine)]
