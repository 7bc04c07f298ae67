/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The cell's /etc/resolv.conf. The host's is of no use there where it names a server on the host's loopback, as
 * systemd-resolved's does: then the servers that the host itself asks are taken, from where resolved writes them down.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "net.h"
#include "util.h"

#define SERVERS_MAX  3 /* MAXNS of resolv.h */
#define FILE_MAX     65536
#define SEARCH_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_ \t"

static const char *const files[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};

/* Loopback, or nothing at all: the cell's own. */
static bool is_useless(const char *address)
{
    static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT, any = IN6ADDR_ANY_INIT;
    struct cl_prefix p;

    if (strchr(address, '/') || !cl_prefix_parse(address, &p))
        return true;
    if (p.family == AF_INET)
        return p.address[0] == 127 || p.address[0] == 0;
    return memcmp(p.address, &loopback, sizeof(loopback)) == 0 || memcmp(p.address, &any, sizeof(any)) == 0;
}

/* Never waits: it may not be the regular file that it should be. */
static char *read_file(const char *path)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    char *text = NULL;
    struct stat st;
    size_t size;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || cl_read_all(fd, FILE_MAX, &text, &size) < 0)
        return NULL;
    return text;
}

static int read_line(struct net_dns *dns, char *line)
{
    char *rest = NULL, *word = strtok_r(line, " \t", &rest);

    if (!word)
        return 0;
    if (strcmp(word, "search") == 0 || strcmp(word, "domain") == 0) {
        free(dns->search);
        dns->search = rest && strspn(rest, SEARCH_CHARS) == strlen(rest) ? strdup(rest) : NULL;
        return 0;
    }
    word = strcmp(word, "nameserver") == 0 ? strtok_r(NULL, " \t", &rest) : NULL;
    if (!word || is_useless(word) || cl_strv_length(dns->servers) >= SERVERS_MAX)
        return 0;
    return cl_strv_add(&dns->servers, word);
}

static int read_host(struct net_dns *dns)
{
    size_t before = cl_strv_length(dns->servers);
    int r = 0;

    for (size_t i = 0; r == 0 && i < CL_ARRAY_SIZE(files) && cl_strv_length(dns->servers) == before; i++) {
        cleanup_free char *text = read_file(files[i]);
        char *rest = NULL;

        for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; r == 0 && line;
             line = strtok_r(NULL, "\n", &rest))
            r = read_line(dns, line);
    }
    return r;
}

int net_dns_find(const struct cl_policy *policy, struct net_dns *ret)
{
    struct net_dns dns = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && policy->network.dns && policy->network.dns[i]; i++)
        r = strcmp(policy->network.dns[i], "host") == 0 ? read_host(&dns)
                                                        : cl_strv_add(&dns.servers, policy->network.dns[i]);
    if (r < 0)
        net_dns_clear(&dns);
    else
        *ret = dns;
    return r;
}

void net_dns_clear(struct net_dns *dns)
{
    cl_strv_free(dns->servers);
    free(dns->search);
    *dns = (struct net_dns){0};
}

int net_dns_write(int run_fd, unsigned slot, const struct net_dns *dns, struct cl_error *e)
{
    char path[NET_RESOLV_SIZE], *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    int r = 0;

    if (!f)
        return cl_fail(e, ENOMEM, "write the cell's resolv.conf");
    fprintf(f, "# By Cloister, for this cell: network.dns, see cloister.conf(5).\n");
    for (size_t i = 0; dns->servers && dns->servers[i]; i++)
        fprintf(f, "nameserver %s\n", dns->servers[i]);
    if (dns->search)
        fprintf(f, "search %s\n", dns->search);
    net_resolv_path(slot, path);
    if (fclose(f) != 0)
        r = -ENOMEM;
    if (r == 0)
        r = cl_replace_file_at(run_fd, path, text, size, 0644);
    free(text);
    return r < 0 ? cl_fail(e, -r, "write " CL_RUN_DIR "/%s", path) : 0;
}
