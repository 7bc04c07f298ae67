/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names and numbers of system calls. libseccomp's tables end with the kernel that it was released for. A rule
 * about a younger call would be lost: lib/syscalls.c lists such calls.
 */
#include "config.h"

#include <errno.h>
#include <linux/net.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "seccomp_names.h"
#include "syscalls.h"
#include "util.h"

#define X32_BIT 0x40000000

/* ipc(2) keeps a version in the upper half of its first argument; the calls' numbers are the kernel's SEMOP …
 * SHMCTL. */
static const struct seccomp_multiplexed multiplexed[] = {
    {"socket", "socketcall", SYS_SOCKET, 0xffffffff},
    {"bind", "socketcall", SYS_BIND, 0xffffffff},
    {"connect", "socketcall", SYS_CONNECT, 0xffffffff},
    {"listen", "socketcall", SYS_LISTEN, 0xffffffff},
    {"accept", "socketcall", SYS_ACCEPT, 0xffffffff},
    {"getsockname", "socketcall", SYS_GETSOCKNAME, 0xffffffff},
    {"getpeername", "socketcall", SYS_GETPEERNAME, 0xffffffff},
    {"socketpair", "socketcall", SYS_SOCKETPAIR, 0xffffffff},
    {"send", "socketcall", SYS_SEND, 0xffffffff},
    {"recv", "socketcall", SYS_RECV, 0xffffffff},
    {"sendto", "socketcall", SYS_SENDTO, 0xffffffff},
    {"recvfrom", "socketcall", SYS_RECVFROM, 0xffffffff},
    {"shutdown", "socketcall", SYS_SHUTDOWN, 0xffffffff},
    {"setsockopt", "socketcall", SYS_SETSOCKOPT, 0xffffffff},
    {"getsockopt", "socketcall", SYS_GETSOCKOPT, 0xffffffff},
    {"sendmsg", "socketcall", SYS_SENDMSG, 0xffffffff},
    {"recvmsg", "socketcall", SYS_RECVMSG, 0xffffffff},
    {"accept4", "socketcall", SYS_ACCEPT4, 0xffffffff},
    {"recvmmsg", "socketcall", SYS_RECVMMSG, 0xffffffff},
    {"sendmmsg", "socketcall", SYS_SENDMMSG, 0xffffffff},
    {"semop", "ipc", 1, 0xffff},
    {"semget", "ipc", 2, 0xffff},
    {"semctl", "ipc", 3, 0xffff},
    {"semtimedop", "ipc", 4, 0xffff},
    {"msgsnd", "ipc", 11, 0xffff},
    {"msgrcv", "ipc", 12, 0xffff},
    {"msgget", "ipc", 13, 0xffff},
    {"msgctl", "ipc", 14, 0xffff},
    {"shmat", "ipc", 21, 0xffff},
    {"shmdt", "ipc", 22, 0xffff},
    {"shmget", "ipc", 23, 0xffff},
    {"shmctl", "ipc", 24, 0xffff},
};

/* What libseccomp calls an architecture where it isn't SCMP_ARCH_ in lower case, is derived; the list is the
 * OCI runtime specification's. */
static const char *const oci_arches[] = {
    "X86",    "X86_64",   "X32",         "ARM",         "AARCH64", "MIPS",    "MIPS64", "MIPS64N32",
    "MIPSEL", "MIPSEL64", "MIPSEL64N32", "PPC",         "PPC64",   "PPC64LE", "S390",   "S390X",
    "PARISC", "PARISC64", "RISCV64",     "LOONGARCH64", "M68K",    "SH",      "SHEB",
};

static bool has_own_offset(uint32_t arch)
{
    return arch == SCMP_ARCH_MIPS || arch == SCMP_ARCH_MIPS64 || arch == SCMP_ARCH_MIPS64N32 ||
           arch == SCMP_ARCH_MIPSEL || arch == SCMP_ARCH_MIPSEL64 || arch == SCMP_ARCH_MIPSEL64N32;
}

bool seccomp_name_in_library(const char *name)
{
    return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

bool seccomp_name_is_recent(const char *name)
{
    return !seccomp_name_in_library(name) && cl_syscall_recent_number(name) >= 0;
}

bool seccomp_name_known(const char *name)
{
    return seccomp_name_in_library(name) || cl_syscall_recent_number(name) >= 0;
}

const struct seccomp_multiplexed *seccomp_multiplexed(const char *name)
{
    for (size_t i = 0; i < CL_ARRAY_SIZE(multiplexed); i++)
        if (strcmp(multiplexed[i].name, name) == 0)
            return &multiplexed[i];
    return NULL;
}

/* For a multiplexed call libseccomp gives a number of its own, also where the call has one of the kernel's
 * beside. */
static int direct_number(uint32_t arch, const char *name)
{
    for (int number = 0; number < 512; number++) {
        cleanup_free char *found = seccomp_syscall_resolve_num_arch(arch, number);

        if (found && strcmp(found, name) == 0)
            return number;
    }
    return -1;
}

int seccomp_number(uint32_t arch, const char *name)
{
    int number;

    if (seccomp_name_in_library(name)) {
        number = seccomp_syscall_resolve_name_arch(arch, name);
        if (number >= 0)
            return number;
        return seccomp_multiplexed(name) ? direct_number(arch, name) : -1;
    }
    number = has_own_offset(arch) ? -1 : cl_syscall_recent_number(name);
    return number >= 0 && arch == SCMP_ARCH_X32 ? (number | X32_BIT) : number;
}

uint32_t seccomp_arch_by_name(const char *name, bool *ret_known)
{
    static const char prefix[] = "SCMP_ARCH_";
    char lower[32];
    size_t i;

    *ret_known = false;
    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return 0;
    name += sizeof(prefix) - 1;
    for (i = 0; i < CL_ARRAY_SIZE(oci_arches); i++)
        if (strcmp(oci_arches[i], name) == 0)
            break;
    if (i == CL_ARRAY_SIZE(oci_arches))
        return 0;
    *ret_known = true;
    for (i = 0; i < sizeof(lower) - 1 && name[i] != '\0'; i++)
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    lower[i] = '\0';
    return seccomp_arch_resolve_name(lower);
}

const char *seccomp_arch_docker_name(uint32_t arch)
{
    switch (arch) {
    case SCMP_ARCH_X86:
        return "x86";
    case SCMP_ARCH_X86_64:
        return "amd64";
    case SCMP_ARCH_ARM:
        return "arm";
    case SCMP_ARCH_AARCH64:
        return "arm64";
    case SCMP_ARCH_MIPS64:
        return "mips64";
    case SCMP_ARCH_MIPS64N32:
        return "mips64n32";
    case SCMP_ARCH_MIPSEL64:
        return "mipsel64";
    case SCMP_ARCH_MIPSEL64N32:
        return "mips3l64n32"; /* as Docker spells it */
    case SCMP_ARCH_MIPSEL:
        return "mipsel";
    case SCMP_ARCH_PPC:
        return "ppc";
    case SCMP_ARCH_PPC64:
        return "ppc64";
    case SCMP_ARCH_PPC64LE:
        return "ppc64le";
    case SCMP_ARCH_RISCV64:
        return "riscv64";
    case SCMP_ARCH_S390:
        return "s390";
    case SCMP_ARCH_S390X:
        return "s390x";
#ifdef SCMP_ARCH_LOONGARCH64
    case SCMP_ARCH_LOONGARCH64:
        return "loongarch64";
#endif
    default:
        return NULL;
    }
}
