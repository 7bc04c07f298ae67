/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pam-open SERVICE USER: opens and closes a session as a service does that shows its user what PAM says,
 * which sshd can't before it has a channel. Prints each message and then "opened" or "refused: CODE".
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <security/pam_appl.h>

static int show(int n, const struct pam_message **messages, struct pam_response **ret, void *data)
{
    (void)data;
    for (int i = 0; i < n; i++)
        (void)printf("message: %s\n", messages[i]->msg);
    *ret = calloc((size_t)n, sizeof(**ret));
    return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

int main(int argc, char **argv)
{
    const struct pam_conv conversation = {.conv = show};
    pam_handle_t *pamh;
    int r;

    if (argc != 3 || pam_start(argv[1], argv[2], &conversation, &pamh) != PAM_SUCCESS)
        return 2;
    (void)pam_setcred(pamh, PAM_ESTABLISH_CRED);
    r = pam_open_session(pamh, 0);
    if (r == PAM_SUCCESS) {
        (void)printf("opened\n");
        (void)pam_close_session(pamh, 0);
    } else {
        (void)printf("refused: %d\n", r);
    }
    (void)pam_end(pamh, r);
    return r == PAM_SUCCESS ? 0 : 1;
}
