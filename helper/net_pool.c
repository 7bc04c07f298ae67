/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who has which addresses. A slot is a number; the pools, the names of devices and the link addresses follow from it.
 * Slots are given in turn, so an address rests for as long as possible before another cell has it. The caller holds
 * the lock.
 */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "net.h"
#include "util.h"

#define GATEWAY_SLOT   1
#define FIRST_SLOT     2
#define SLOT_FILE_MAX  (16 * 1024 * 1024) /* a list as long as a file of the configuration may hold */
#define SLOT_PATH_SIZE 16
#define BASE_PATH_SIZE 24

void net_place_names(struct net_place *p, const char *name)
{
    (void)snprintf(p->table, sizeof(p->table), "%.10s", name);
    (void)snprintf(p->bridge, sizeof(p->bridge), "%.10s0", name);
    (void)snprintf(p->gate[0], sizeof(p->gate[0]), "%.10s1", name);
    (void)snprintf(p->gate[1], sizeof(p->gate[1]), "%.10s2", name);
}

void net_port_name(const char *table, unsigned slot, char ret[IFNAMSIZ])
{
    (void)snprintf(ret, IFNAMSIZ, "%.10s-%04x", table, slot & 0xffff);
}

int net_place_of(const struct cl_settings *settings, unsigned slot, struct net_place *ret, struct cl_error *e)
{
    const uint8_t mac[6] = {0x02, 'c', 'l', 0, (uint8_t)(slot >> 8), (uint8_t)slot};
    struct net_place p = {.slot = slot};
    struct cl_prefix pool, pool6 = {0};
    uint32_t base;

    if (!cl_prefix_parse(settings->network.pool, &pool) ||
        (settings->network.pool6 && !cl_prefix_parse(settings->network.pool6, &pool6)))
        return cl_fail(e, EINVAL, "parse the pools");
    net_place_names(&p, settings->network.name);
    net_port_name(p.table, slot, p.port);
    memcpy(p.mac, mac, sizeof(mac));
    memcpy(p.bridge_mac, mac, sizeof(mac));
    p.bridge_mac[4] = 0;
    p.bridge_mac[5] = GATEWAY_SLOT;
    memcpy(&base, pool.address, sizeof(base));
    p.address.s_addr = htonl(ntohl(base) + slot);
    p.gateway.s_addr = htonl(ntohl(base) + GATEWAY_SLOT);
    p.length = pool.length;
    p.has_ipv6 = settings->network.pool6 != NULL;
    p.length6 = pool6.length;
    memcpy(&p.address6, pool6.address, sizeof(p.address6));
    p.gateway6 = p.address6;
    p.address6.s6_addr[14] = (uint8_t)(slot >> 8);
    p.address6.s6_addr[15] = (uint8_t)slot;
    p.gateway6.s6_addr[15] = GATEWAY_SLOT;
    *ret = p;
    return 0;
}

bool net_port_parse(const char *port, char ret_table[IFNAMSIZ], unsigned *ret_slot)
{
    unsigned slot;
    int end = 0;

    if (sscanf(port, "%10[a-z0-9]-%4x%n", ret_table, &slot, &end) != 2 || port[end] || slot < FIRST_SLOT)
        return false;
    *ret_slot = slot;
    return true;
}

static void slot_path(unsigned slot, char *buf)
{
    (void)snprintf(buf, SLOT_PATH_SIZE, "net/%04x", slot & 0xffff);
}

void net_resolv_path(unsigned slot, char buf[NET_RESOLV_SIZE])
{
    (void)snprintf(buf, NET_RESOLV_SIZE, "net/%04x.resolv", slot & 0xffff);
}

void net_pool_free(int run_fd, unsigned slot)
{
    char path[NET_RESOLV_SIZE];

    net_resolv_path(slot, path);
    (void)unlinkat(run_fd, path, 0);
    slot_path(slot, path);
    (void)unlinkat(run_fd, path, 0);
}

/* Created exclusively: the file is the proof that the slot was free. */
static int take(int run_fd, unsigned slot, const char *id, struct cl_error *e)
{
    char path[SLOT_PATH_SIZE], line[CL_ID_LENGTH + 2];
    cleanup_fd int fd = -1;
    int r;

    slot_path(slot, path);
    fd = openat(run_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? -EEXIST : cl_fail(e, errno, "make " CL_RUN_DIR "/%s", path);
    (void)snprintf(line, sizeof(line), "%s\n", id);
    r = cl_write_all(fd, line, strlen(line));
    if (r < 0)
        (void)unlinkat(run_fd, path, 0);
    return r < 0 ? cl_fail(e, -r, "write " CL_RUN_DIR "/%s", path) : 0;
}

static unsigned read_last(int lock)
{
    unsigned last = 0;
    char text[8] = "";

    if (pread(lock, text, sizeof(text) - 1, 0) > 0)
        (void)sscanf(text, "%4x", &last);
    return last;
}

static void write_last(int lock, unsigned slot)
{
    char text[8];

    (void)snprintf(text, sizeof(text), "%04x\n", slot & 0xffff);
    (void)!pwrite(lock, text, strlen(text), 0);
}

int net_pool_take(int run_fd, int lock, const struct cl_settings *settings, const char *id, unsigned *ret,
                  struct cl_error *e)
{
    unsigned n, last = read_last(lock), slot;
    struct cl_prefix pool;
    int r;

    if (!cl_prefix_parse(settings->network.pool, &pool))
        return cl_fail(e, EINVAL, "parse the pool");
    n = (1u << (32 - pool.length)) - 1 - FIRST_SLOT; /* the last address is the broadcast's */
    for (unsigned i = 1; i <= n; i++) {
        slot = FIRST_SLOT + (last < FIRST_SLOT ? i - 1 : last - FIRST_SLOT + i) % n;
        r = take(run_fd, slot, id, e);
        if (r == -EEXIST)
            continue;
        if (r < 0)
            return r;
        write_last(lock, slot);
        *ret = slot;
        return 0;
    }
    return -EADDRNOTAVAIL;
}

int net_pool_keep(int run_fd, unsigned slot, const char *id, const char *rules, struct cl_error *e)
{
    cleanup_free char *text = NULL;
    char path[SLOT_PATH_SIZE];
    int r = cl_asprintf(&text, "%s\n%s", id, rules);

    slot_path(slot, path);
    if (r == 0 && strlen(text) >= SLOT_FILE_MAX)
        r = -EFBIG;
    if (r == 0)
        r = cl_replace_file_at(run_fd, path, text, strlen(text), 0600);
    return r < 0 ? cl_fail(e, -r, "write " CL_RUN_DIR "/%s", path) : 0;
}

static void base_path(const char *table, char buf[BASE_PATH_SIZE])
{
    (void)snprintf(buf, BASE_PATH_SIZE, "net/rules-%.10s", table);
}

int net_base_keep(int run_fd, const char *table, const char *rules, struct cl_error *e)
{
    char path[BASE_PATH_SIZE];
    int r;

    base_path(table, path);
    r = cl_replace_file_at(run_fd, path, rules, strlen(rules), 0600);
    return r < 0 ? cl_fail(e, -r, "write " CL_RUN_DIR "/%s", path) : 0;
}

char *net_base_kept(int run_fd, const char *table, const char *rules)
{
    char path[BASE_PATH_SIZE], *text = NULL;
    cleanup_fd int fd = -1;
    size_t size;

    base_path(table, path);
    fd = openat(run_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || cl_read_all(fd, SLOT_FILE_MAX, &text, &size) < 0)
        return NULL;
    if (strncmp(text, rules, strlen(rules)) == 0)
        return text;
    free(text); /* an older release's */
    return NULL;
}

void net_base_forget(int run_fd, const char *table)
{
    char path[BASE_PATH_SIZE];

    base_path(table, path);
    (void)unlinkat(run_fd, path, 0);
}

/* Cuts the text after its first line, which is the id: "" where a crash left less. NULL: it cannot be read, which says
 * nothing of its owner. */
static char *read_slot(int run_fd, unsigned slot, char **ret_rules)
{
    cleanup_free char *text = NULL;
    char path[SLOT_PATH_SIZE], *end, *id;
    cleanup_fd int fd = -1;
    size_t size;

    slot_path(slot, path);
    fd = openat(run_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || cl_read_all(fd, SLOT_FILE_MAX, &text, &size) < 0)
        return NULL;
    end = strchr(text, '\n');
    if (end)
        *end = '\0';
    else
        text[0] = '\0';
    *ret_rules = end ? end + 1 : text;
    id = text;
    text = NULL;
    return id;
}

void net_pool_give(int run_fd, unsigned slot, const char *id)
{
    cleanup_free char *owner = NULL;
    char *rules;

    owner = read_slot(run_fd, slot, &rules);
    if (owner && strcmp(owner, id) == 0)
        net_pool_free(run_fd, slot);
}

void net_pool_each(int run_fd, void (*visit)(unsigned slot, const char *id, const char *rules, void *arg), void *arg)
{
    int fd = openat(run_fd, "net", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        cl_close(&fd);
        return;
    }
    while ((entry = readdir(dir))) {
        cleanup_free char *id = NULL;
        char *rules = NULL;
        unsigned slot;
        int end = 0;

        if (sscanf(entry->d_name, "%4x%n", &slot, &end) != 1 || entry->d_name[end])
            continue;
        id = read_slot(run_fd, slot, &rules);
        if (id)
            visit(slot, id, rules, arg);
    }
    (void)closedir(dir);
}
