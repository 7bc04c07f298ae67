/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rules into the kernel and out of it, through libnftables(3): the commands of one call are one transaction.
 */
#include "config.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "util.h"

static struct nft_ctx *context(struct cl_error *e)
{
    struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);

    if (!ctx || nft_ctx_buffer_output(ctx) != 0 || nft_ctx_buffer_error(ctx) != 0) {
        if (ctx)
            nft_ctx_free(ctx);
        (void)cl_fail(e, ENOMEM, "start libnftables");
        return NULL;
    }
    return ctx;
}

int net_nft_run(const char *commands, struct cl_error *e)
{
    struct nft_ctx *ctx = context(e);
    const char *why;
    int r = 0;

    if (!ctx)
        return -ENOMEM;
    if (nft_run_cmd_from_buffer(ctx, commands) != 0) {
        why = nft_ctx_get_error_buffer(ctx);
        r = cl_fail(e, EIO, "nftables: %.*s", (int)strcspn(why ? why : "", "\n"), why ? why : "");
    }
    nft_ctx_free(ctx);
    return r;
}

/* Each by itself, since any may be gone. */
void net_nft_forget(const char *table, unsigned slot)
{
    char command[160];

    (void)snprintf(command, sizeof(command), "delete element inet %s cells { 0x%x }\n", table, NET_MARK_OUT | slot);
    (void)!net_nft_run(command, NULL);
    (void)snprintf(command, sizeof(command), "flush chain inet %s c-%04x\ndelete chain inet %s c-%04x\n", table, slot,
                   table, slot);
    (void)!net_nft_run(command, NULL);
    (void)snprintf(command, sizeof(command), "flush chain netdev %s i-%04x\ndelete chain netdev %s i-%04x\n", table, slot,
                   table, slot);
    (void)!net_nft_run(command, NULL);
}
