/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Traffic control: the guards, and the rate. Guards are classic BPF programs of a few instructions in tc-bpf(8)'s direct
 * action mode. They stay where they are when the firewall is flushed, and then find no mark on any packet.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "net.h"
#include "rtnl.h"
#include "util.h"

#define PRIORITY  1
#define BURST_MIN (64 * 1024)

static const struct sock_filter only_from_cells[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_MARK)),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, NET_MARK_MASK),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NET_MARK_OUT, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NET_MARK_ALLOWED, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
    BPF_STMT(BPF_RET | BPF_K, TC_ACT_OK),
};

static const struct sock_filter only_to_cells[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_MARK)),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, NET_MARK_MASK),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NET_MARK_IN, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
    BPF_STMT(BPF_RET | BPF_K, TC_ACT_OK),
};

static int add_filter(struct rtnl *n, unsigned index, uint32_t hook, const struct sock_filter *program, size_t size)
{
    const struct tcmsg header = {.tcm_ifindex = (int)index,
                                 .tcm_parent = TC_H_MAKE(TC_H_CLSACT, hook),
                                 .tcm_handle = 1,
                                 .tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_ALL))};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    struct nlattr *options;
    int r;

    mnl_attr_put_strz(m, TCA_KIND, "bpf");
    options = mnl_attr_nest_start(m, TCA_OPTIONS);
    mnl_attr_put_u16(m, TCA_BPF_OPS_LEN, (uint16_t)(size / sizeof(*program)));
    mnl_attr_put(m, TCA_BPF_OPS, size, program);
    mnl_attr_put_u32(m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
    mnl_attr_nest_end(m, options);
    r = rtnl_do(n);
    return r == -EEXIST ? 0 : r;
}

static int add_hooks(struct rtnl *n, unsigned index)
{
    const struct tcmsg header = {
        .tcm_ifindex = (int)index, .tcm_parent = TC_H_CLSACT, .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0)};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    int r;

    mnl_attr_put_strz(m, TCA_KIND, "clsact");
    r = rtnl_do(n);
    return r == -EEXIST ? 0 : r;
}

int net_guard_bridge(struct rtnl *n, unsigned index, struct cl_error *e)
{
    int r = add_hooks(n, index);

    if (r == 0)
        r = add_filter(n, index, TC_H_MIN_INGRESS, only_from_cells, sizeof(only_from_cells));
    if (r == 0)
        r = add_filter(n, index, TC_H_MIN_EGRESS, only_to_cells, sizeof(only_to_cells));
    return r < 0 ? cl_fail(e, -r, "guard the bridge of the cells") : 0;
}

static int see_filter(const struct nlmsghdr *message, void *arg)
{
    const struct nlattr *attribute;

    mnl_attr_for_each(attribute, message, sizeof(struct tcmsg))
        if (mnl_attr_get_type(attribute) == TCA_KIND && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0 &&
            strcmp(mnl_attr_get_str(attribute), "bpf") == 0)
            *(bool *)arg = true;
    return MNL_CB_OK;
}

int net_guarded(struct rtnl *n, unsigned index, bool *ret)
{
    static const uint32_t hooks[] = {TC_H_MIN_INGRESS, TC_H_MIN_EGRESS};
    bool all = true;

    for (size_t i = 0; i < CL_ARRAY_SIZE(hooks); i++) {
        const struct tcmsg header = {.tcm_ifindex = (int)index, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, hooks[i])};
        bool found = false;
        int r;

        (void)rtnl_begin(n, RTM_GETTFILTER, NLM_F_DUMP, &header, sizeof(header));
        r = rtnl_dump(n, see_filter, &found);
        if (r < 0)
            return r;
        all = all && found;
    }
    *ret = all;
    return 0;
}

/* Frames to some multicast addresses are delivered by the port itself, past the bridge and its guard. */
int net_guard_port(struct rtnl *n, unsigned index, const uint8_t mac[6], struct cl_error *e)
{
    const struct sock_filter only_to_bridge[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                 (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 | (uint32_t)mac[2] << 8 | mac[3], 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)mac[4] << 8 | mac[5], 0, 1),
        BPF_STMT(BPF_RET | BPF_K, TC_ACT_OK),
        BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
    };
    int r = add_hooks(n, index);

    if (r == 0)
        r = add_filter(n, index, TC_H_MIN_INGRESS, only_to_bridge, sizeof(only_to_bridge));
    return r < 0 ? cl_fail(e, -r, "guard the port of the cell") : 0;
}

/* tc-tbf(8); a quarter of a second's worth may wait. */
int net_limit(struct rtnl *n, unsigned index, uint64_t bytes, struct cl_error *e)
{
    const struct tcmsg header = {
        .tcm_ifindex = (int)index, .tcm_parent = TC_H_ROOT, .tcm_handle = TC_H_MAKE(1 << 16, 0)};
    uint64_t burst = bytes / 50 > BURST_MIN ? bytes / 50 : BURST_MIN, limit = burst + bytes / 4;
    struct tc_tbf_qopt options = {.rate = {.linklayer = TC_LINKLAYER_ETHERNET,
                                           .rate = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes},
                                  .limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));
    struct nlattr *nest;
    int r;

    mnl_attr_put_strz(m, TCA_KIND, "tbf");
    nest = mnl_attr_nest_start(m, TCA_OPTIONS);
    mnl_attr_put(m, TCA_TBF_PARMS, sizeof(options), &options);
    mnl_attr_put_u32(m, TCA_TBF_BURST, burst > UINT32_MAX ? UINT32_MAX : (uint32_t)burst);
    if (bytes > UINT32_MAX)
        mnl_attr_put_u64(m, TCA_TBF_RATE64, bytes);
    mnl_attr_nest_end(m, nest);
    r = rtnl_do(n);
    return r < 0 ? cl_fail(e, -r, "limit the rate of the cell's port") : 0;
}
