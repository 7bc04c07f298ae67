/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Every system call that Docker's default profile denies to a container without capabilities, for the architectures
 * x86_64, x86 and x32: one table for the program that tries them and for the test that asks the compiled filter.
 *
 *   X(name, expected errno, KERNEL_TOO or FILTER_ONLY, six arguments)
 *
 * Arguments are harmless even for root and, where the kernel looks at them before it looks at privileges, invalid.
 * KERNEL_TOO: the kernel itself may answer an unprivileged process as the filter does; there the program can't tell
 * the two apart, and only the test of the compiled filter proves the denial. FILTER_ONLY: it never does.
 */
#ifndef PROBE_DENIED_H
#define PROBE_DENIED_H

#define FILTER_ONLY 0
#define KERNEL_TOO  1
#define BAD         (-1L) /* an address or descriptor that is none */

/* Calls with a number on x86_64. */
#define DENIED_CALLS(X)                                                                                       \
    X(_sysctl, EPERM, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                        \
    X(acct, EPERM, KERNEL_TOO, BAD, 0, 0, 0, 0, 0)                                                            \
    X(add_key, EPERM, FILTER_ONLY, BAD, BAD, 0, 0, BAD, 0)                                                    \
    X(afs_syscall, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)                                                      \
    X(bpf, EPERM, KERNEL_TOO, 0, BAD, 8, 0, 0, 0)                                                             \
    X(chroot, EPERM, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                         \
    X(clock_settime, EPERM, FILTER_ONLY, 999, BAD, 0, 0, 0, 0)                                                \
    X(clone3, ENOSYS, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                        \
    X(create_module, EPERM, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                  \
    X(delete_module, EPERM, KERNEL_TOO, BAD, 0, 0, 0, 0, 0)                                                   \
    X(fanotify_init, EPERM, KERNEL_TOO, 0x7fff0000, 0, 0, 0, 0, 0)                                            \
    X(finit_module, EPERM, KERNEL_TOO, BAD, BAD, 0, 0, 0, 0)                                                  \
    X(fsconfig, EPERM, FILTER_ONLY, BAD, 99, 0, 0, 0, 0)                                                      \
    X(fsmount, EPERM, KERNEL_TOO, BAD, 0, 0, 0, 0, 0)                                                         \
    X(fsopen, EPERM, KERNEL_TOO, BAD, 0, 0, 0, 0, 0)                                                          \
    X(fspick, EPERM, KERNEL_TOO, BAD, BAD, 0, 0, 0, 0)                                                        \
    X(get_kernel_syms, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)                                                  \
    X(get_mempolicy, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0x7000, 0)                                               \
    X(getpmsg, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)                                                          \
    X(init_module, EPERM, KERNEL_TOO, BAD, 0, BAD, 0, 0, 0)                                                   \
    X(io_uring_enter, EPERM, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                 \
    X(io_uring_register, EPERM, FILTER_ONLY, BAD, 9999, 0, 0, 0, 0)                                           \
    X(io_uring_setup, EPERM, FILTER_ONLY, 1, BAD, 0, 0, 0, 0)                                                 \
    X(ioperm, EPERM, FILTER_ONLY, BAD, 1, 1, 0, 0, 0)                                                         \
    X(iopl, EPERM, FILTER_ONLY, 99, 0, 0, 0, 0, 0)                                                            \
    X(kcmp, EPERM, FILTER_ONLY, 0x7ffffff0, 0x7ffffff0, 0, 0, 0, 0)                                           \
    X(kexec_file_load, EPERM, KERNEL_TOO, BAD, BAD, 0, BAD, 0xff00, 0)                                        \
    X(kexec_load, EPERM, KERNEL_TOO, 0, 0, 0, 0xff00, 0, 0)                                                   \
    X(keyctl, EPERM, FILTER_ONLY, 9999, 0, 0, 0, 0, 0)                                                        \
    X(lookup_dcookie, EPERM, FILTER_ONLY, 0, BAD, 0, 0, 0, 0)                                                 \
    X(mbind, EPERM, FILTER_ONLY, 0, 4096, 99, 0, 0, 0)                                                        \
    X(migrate_pages, EPERM, FILTER_ONLY, 0x7ffffff0, 0x7fffffff, 0, 0, 0, 0)                                  \
    X(mount, EPERM, FILTER_ONLY, BAD, BAD, BAD, 0, 0, 0)                                                      \
    X(mount_setattr, EPERM, FILTER_ONLY, BAD, BAD, 0x40000000, BAD, 32, 0)                                    \
    X(move_mount, EPERM, KERNEL_TOO, BAD, BAD, BAD, BAD, 0, 0)                                                \
    X(move_pages, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0xff00)                                                  \
    X(nfsservctl, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)                                                       \
    X(open_by_handle_at, EPERM, KERNEL_TOO, BAD, BAD, 0, 0, 0, 0)                                             \
    X(open_tree, EPERM, FILTER_ONLY, BAD, BAD, 0, 0, 0, 0)                                                    \
    X(perf_event_open, EPERM, KERNEL_TOO, BAD, 0, 0, BAD, 0, 0)                                               \
    X(pidfd_getfd, EPERM, FILTER_ONLY, BAD, BAD, 0, 0, 0, 0)                                                  \
    X(pivot_root, EPERM, KERNEL_TOO, BAD, BAD, 0, 0, 0, 0)                                                    \
    X(process_madvise, EPERM, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                \
    X(putpmsg, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)                                                          \
    X(query_module, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)                                                     \
    X(quotactl, EPERM, FILTER_ONLY, 0x7fff0000, BAD, 0, 0, 0, 0)                                              \
    X(quotactl_fd, EPERM, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                    \
    X(reboot, EPERM, KERNEL_TOO, 0, 0, 0, 0, 0, 0)                                                            \
    X(request_key, EPERM, FILTER_ONLY, BAD, BAD, 0, 0, 0, 0)                                                  \
    X(security, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)                                                         \
    X(set_mempolicy, EPERM, FILTER_ONLY, 99, 0, 0, 0, 0, 0)                                                   \
    X(set_mempolicy_home_node, EPERM, FILTER_ONLY, 1, 1, 9999, 1, 0, 0)                                       \
    X(setdomainname, EPERM, KERNEL_TOO, BAD, BAD, 0, 0, 0, 0)                                                 \
    X(sethostname, EPERM, KERNEL_TOO, BAD, BAD, 0, 0, 0, 0)                                                   \
    X(setns, EPERM, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                          \
    X(settimeofday, EPERM, FILTER_ONLY, BAD, BAD, 0, 0, 0, 0)                                                 \
    X(swapoff, EPERM, KERNEL_TOO, BAD, 0, 0, 0, 0, 0)                                                         \
    X(swapon, EPERM, FILTER_ONLY, BAD, 0x7fff0000, 0, 0, 0, 0)                                                \
    X(sysfs, EPERM, FILTER_ONLY, 99, 0, 0, 0, 0, 0)                                                           \
    X(syslog, EPERM, KERNEL_TOO, 99, 0, 0, 0, 0, 0)                                                           \
    X(tuxcall, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)                                                          \
    X(umount2, EPERM, FILTER_ONLY, BAD, 0x7fff0000, 0, 0, 0, 0)                                               \
    X(unshare, EPERM, FILTER_ONLY, 0x7, 0, 0, 0, 0, 0)                                                        \
    X(uselib, EPERM, FILTER_ONLY, BAD, 0, 0, 0, 0, 0)                                                         \
    X(userfaultfd, EPERM, KERNEL_TOO, 0x7fff0000, 0, 0, 0, 0, 0)                                              \
    X(ustat, EPERM, FILTER_ONLY, 0, BAD, 0, 0, 0, 0)                                                          \
    X(vhangup, EPERM, KERNEL_TOO, 0, 0, 0, 0, 0, 0)                                                           \
    X(vserver, EPERM, FILTER_ONLY, 0, 0, 0, 0, 0, 0)

/* Calls that only 32-bit programs have: for the test of the compiled filter. */
#define DENIED_CALLS_32(X)                                                                                    \
    X(bdflush) X(break) X(clock_settime64) X(ftime) X(gtty) X(idle) X(lock) X(mpx) X(nice) X(oldfstat) X(oldlstat)\
    X(oldolduname) X(oldstat) X(olduname) X(prof) X(profil) X(readdir) X(sgetmask) X(sigaction) X(signal)     \
    X(sigpending) X(sigsuspend) X(ssetmask) X(stime) X(stty) X(ulimit) X(umount) X(vm86) X(vm86old)

/* Calls younger than Debian 12's headers: X(name, number, errno). The last three are younger than the profile. */
#define DENIED_CALLS_RECENT(X)                                                                                \
    X(lsm_get_self_attr, 459, EPERM)                                                                          \
    X(lsm_set_self_attr, 460, EPERM)                                                                          \
    X(lsm_list_modules, 461, EPERM)                                                                           \
    X(open_tree_attr, 467, ENOSYS)                                                                            \
    X(file_getattr, 468, ENOSYS)                                                                              \
    X(file_setattr, 469, ENOSYS)

#endif
