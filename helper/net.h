/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * network.mode = "nat": what its parts share. net.c tells the story. Everything of the host's network is changed under
 * one lock (CL_RUN_DIR/locks/net).
 */
#ifndef CL_NET_H
#define CL_NET_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "configuration.h"
#include "err.h"
#include "record.h"
#include "session.h"

#define NET_CELL_DEVICE "eth0"

/* Marks of packets, by which the rules and the guards of the bridge know each other; the low 16 bits are the slot. Only
 * the rules set them: without the rules, nothing passes the guards. */
#define NET_MARK_MASK    0xffff0000u
#define NET_MARK_OUT     0x0c100000u /* from a cell, its source checked, come through the gate */
#define NET_MARK_ALLOWED 0x0c110000u /* and to a place that the policy names */
#define NET_MARK_IN      0x0c120000u /* to a cell, let through */
#define NET_MARK_PINNED  0x0c130000u /* from a cell, its source checked, not yet through the gate */

/* A cell's place in the network, all of it by its slot: the number of its addresses in the pools. */
struct net_place {
    unsigned slot;
    char table[IFNAMSIZ], bridge[IFNAMSIZ], port[IFNAMSIZ];
    char gate[2][IFNAMSIZ]; /* where it is entered, and the port of the bridge */
    uint8_t mac[6], bridge_mac[6];
    struct in_addr address, gateway;
    unsigned length; /* of the pool */
    bool has_ipv6;
    struct in6_addr address6, gateway6;
    unsigned length6;
};

/* net_pool.c: slots, one file for each that is taken: CL_RUN_DIR/net/SLOT, the cell's id on its first line, then its
 * rules. lock is the open lock file, which also remembers the slot given last. */
int net_place_of(const struct cl_settings *settings, unsigned slot, struct net_place *ret, struct cl_error *e) CL_WARN_UNUSED;
/* The names that follow from network.name. */
void net_place_names(struct net_place *p, const char *name);
void net_port_name(const char *table, unsigned slot, char ret[IFNAMSIZ]);
/* The slot and the table of a port's name. */
bool net_port_parse(const char *port, char ret_table[IFNAMSIZ], unsigned *ret_slot);
int net_pool_take(int run_fd, int lock, const struct cl_settings *settings, const char *id, unsigned *ret,
                  struct cl_error *e) CL_WARN_UNUSED;
int net_pool_keep(int run_fd, unsigned slot, const char *id, const char *rules, struct cl_error *e) CL_WARN_UNUSED;
/* The same for the rules that all cells of a table share: CL_RUN_DIR/net/rules-TABLE. Kept are they with their signature; NULL:
 * they are not, or others are. */
int net_base_keep(int run_fd, const char *table, const char *rules, struct cl_error *e) CL_WARN_UNUSED;
char *net_base_kept(int run_fd, const char *table, const char *rules);
void net_base_forget(int run_fd, const char *table);
/* Give a slot back if it is this cell's. */
void net_pool_give(int run_fd, unsigned slot, const char *id);
void net_pool_free(int run_fd, unsigned slot); /* whoever's it is */
/* Call visit for each taken slot, with its cell's id and rules. */
void net_pool_each(int run_fd, void (*visit)(unsigned slot, const char *id, const char *rules, void *arg), void *arg);

/* net_link.c, net_gate.c, net_cell.c: the links. */
struct rtnl;
int net_is_ours(const char *device, const uint8_t mac[6], struct cl_error *e) CL_WARN_UNUSED; /* by its link address */
int net_join_bridge(struct rtnl *n, unsigned port, unsigned bridge) CL_WARN_UNUSED;           /* 0 or -errno */
int net_gate(struct rtnl *n, const struct net_place *p, struct cl_error *e) CL_WARN_UNUSED;
int net_bridge(struct rtnl *n, const struct net_place *p, struct cl_error *e) CL_WARN_UNUSED;
/* A veth to the network namespace open as netns, its host end on the bridge, but down. */
int net_port(struct rtnl *n, const struct net_place *p, int netns, struct cl_error *e) CL_WARN_UNUSED;
/* What makes the cell reachable: forwarding entry, neighbours, up. */
int net_port_up(struct rtnl *n, const struct net_place *p, struct cl_error *e) CL_WARN_UNUSED;
void net_port_remove(struct rtnl *n, const char *port);
/* The cell's own end: addresses and routes. */
int net_cell(const struct net_place *p, int netns, struct cl_error *e) CL_WARN_UNUSED;
int net_link_up(struct rtnl *n, unsigned index, struct cl_error *e) CL_WARN_UNUSED;
int net_add_address(struct rtnl *n, unsigned index, int family, const void *address, unsigned length,
                    struct cl_error *e) CL_WARN_UNUSED;
int net_add_neighbour(struct rtnl *n, unsigned index, int family, const void *address, const uint8_t mac[6],
                      struct cl_error *e) CL_WARN_UNUSED;
/* net_sysctl: write /proc/sys/net/FAMILY/conf/DEVICE/NAME of the namespace that the process is in. */
int net_sysctl(const char *family, const char *device, const char *name, const char *value, struct cl_error *e) CL_WARN_UNUSED;
bool net_has_ipv6(void); /* the kernel */

/* net_tc.c */
/* Guards: on the bridge, nothing passes without a mark; on a port, nothing that is not for the bridge. */
int net_guard_bridge(struct rtnl *n, unsigned index, struct cl_error *e) CL_WARN_UNUSED;
int net_guard_port(struct rtnl *n, unsigned index, const uint8_t bridge_mac[6], struct cl_error *e) CL_WARN_UNUSED;
/* Are the bridge's guards there? */
int net_guarded(struct rtnl *n, unsigned index, bool *ret) CL_WARN_UNUSED; /* 0 or -errno */
/* At most so many bytes a second go out through the device. */
int net_limit(struct rtnl *n, unsigned index, uint64_t bytes, struct cl_error *e) CL_WARN_UNUSED;

/* net_dns.c: which servers the cell asks, and its resolv.conf, CL_RUN_DIR/net/SLOT.resolv. */
struct net_dns {
    char **servers; /* addresses */
    char *search;   /* NULL: none */
};
#define NET_RESOLV_SIZE 24
int net_dns_find(const struct cl_policy *policy, struct net_dns *ret) CL_WARN_UNUSED; /* 0 or -ENOMEM */
void net_dns_clear(struct net_dns *dns);
int net_dns_write(int run_fd, unsigned slot, const struct net_dns *dns, struct cl_error *e) CL_WARN_UNUSED;
void net_resolv_path(unsigned slot, char buf[NET_RESOLV_SIZE]); /* below CL_RUN_DIR */

/* net_conntrack.c */
int net_forget_connections(unsigned slot) CL_WARN_UNUSED;

/* net_rules.c: the text of the rules; net_nft.c: gives it to the kernel. */
/* The text is the caller's to free. */
int net_rules_base(const struct net_place *p, char **ret) CL_WARN_UNUSED;
int net_rules_cell(const struct net_place *p, const struct cl_policy *policy, char *const *dns, char **ret) CL_WARN_UNUSED;
int net_nft_run(const char *commands, struct cl_error *e) CL_WARN_UNUSED; /* one transaction */
void net_nft_forget(const char *table, unsigned slot);
/* net_restore.c: what somebody took away of the rules of cells that live. */
void net_restore(int run_fd);

#endif
