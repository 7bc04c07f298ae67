/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * See the kernel's Documentation/networking/ip-sysctl.rst.
 */
#include "config.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "forwarding.h"
#include "util.h"

const char *cl_forwarding_off(bool ipv6)
{
    static const struct {
        const char *path, *name;
    } keys[] = {{"/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"},
                {"/proc/sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding"}};

    for (size_t i = 0; i < (ipv6 ? 2 : 1); i++) {
        cleanup_free char *value = NULL;

        if (cl_read_file_at(AT_FDCWD, keys[i].path, &value) < 0 || strcmp(value, "0") == 0)
            return keys[i].name;
    }
    return NULL;
}
