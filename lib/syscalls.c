/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Young system calls. libseccomp's tables end with the kernel that it was released for. A rule about a
 * younger call would be lost, and a profile that denies chmod would let fchmodat2 pass: such calls are listed
 * here. From number 424 on the kernel gives new calls the same number on every architecture (mips adds its
 * offset).
 */
#include "config.h"

#include <string.h>

#include "syscalls.h"
#include "util.h"

static const struct {
    const char *name;
    int number;
} recent[] = {
    {"set_mempolicy_home_node", 450},
    {"cachestat", 451},
    {"fchmodat2", 452},
    {"map_shadow_stack", 453},
    {"futex_wake", 454},
    {"futex_wait", 455},
    {"futex_requeue", 456},
    {"statmount", 457},
    {"listmount", 458},
    {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460},
    {"lsm_list_modules", 461},
    {"mseal", 462},
    {"setxattrat", 463},
    {"getxattrat", 464},
    {"listxattrat", 465},
    {"removexattrat", 466},
    {"open_tree_attr", 467},
    {"file_getattr", 468},
    {"file_setattr", 469},
};

int cl_syscall_recent_number(const char *name)
{
    for (size_t i = 0; i < CL_ARRAY_SIZE(recent); i++)
        if (strcmp(recent[i].name, name) == 0)
            return recent[i].number;
    return -1;
}

const char *cl_syscall_recent_name(int number)
{
    for (size_t i = 0; i < CL_ARRAY_SIZE(recent); i++)
        if (recent[i].number == number)
            return recent[i].name;
    return NULL;
}

const char *cl_syscall_recent_at(size_t i)
{
    return i < CL_ARRAY_SIZE(recent) ? recent[i].name : NULL;
}
