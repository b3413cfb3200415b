"""The system calls a student's process has no use for, by what they would let it do: name, x86_64 and aarch64 number.

None where an architecture has no such call; numbers from 424 on are the same everywhere. `seccomp` makes the filter.
"""

Calls = dict[str, tuple[int | None, int | None]]

NEW_PROCESSES: Calls = {"fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281)}

OTHER_PROCESSES: Calls = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "migrate_pages": (256, 238), "move_pages": (279, 239),
}  # fmt: skip

# Sockets reach the network; a pair of datagram sockets can be addressed to any other socket of the machine.
CHANNELS: Calls = {
    "socketpair": (53, 199), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190),
    "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "inotify_init": (253, None), "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
}  # fmt: skip

# What is in the page cache and what is not can be written and read by any two processes that may open the same file.
PAGE_CACHE: Calls = {
    "fadvise64": (221, 223), "mincore": (27, 232), "cachestat": (451, 451), "preadv2": (327, 286),
    "pwritev2": (328, 287), "readahead": (187, 213), "sync": (162, 81), "syncfs": (306, 267),
}  # fmt: skip

# Landlock leaves these to ownership, and below tier B the files are the grader's own.
FILE_ATTRIBUTES: Calls = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "removexattrat": (466, 466), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "truncate": (76, 45),
}  # fmt: skip

SYSTEM: Calls = {
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_by_handle_at": (304, 265), "personality": (135, 92), "fsopen": (430, 430),
    "move_mount": (429, 429), "open_tree": (428, 428), "mount_setattr": (442, 442), "bpf": (321, 280),
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "kexec_load": (246, 104), "io_uring_setup": (425, 425),
    # Memory that no limit of ours counts.
    "memfd_create": (319, 279), "memfd_secret": (447, 447),
}  # fmt: skip

REFUSED: Calls = NEW_PROCESSES | OTHER_PROCESSES | CHANNELS | PAGE_CACHE | FILE_ATTRIBUTES | SYSTEM

# Refused besides where no Landlock keeps the process to its scratch folder.
CHANGES_TO_FOLDERS: Calls = {
    "creat": (85, None), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None),
    "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, None),
    "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33),
}  # fmt: skip

# Looked at argument by argument.
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
KILL, TGKILL, PRLIMIT = (62, 129), (234, 131), (302, 261)
PRCTL, FCNTL, IOCTL = (157, 167), (72, 25), (16, 29)
OPEN, OPENAT, OPENAT2 = (2, None), (257, 56), (437, 437)
