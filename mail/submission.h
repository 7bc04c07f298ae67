/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What cloister-sendmail, in a cell, and cloister-mail, on the host, say to each other over a stream socket:
 *
 *   client: lines "t" (recipients are in the message's header, too) and "r ADDRESS", then an empty line, then the
 *           message, until it shuts its side down; one that goes away without has sent nothing
 *   server: a line with a status of sysexits.h in decimal, then what the real sendmail said, until the end
 *
 * Whose mail it is, the server has from the kernel (SO_PEERCRED, unix(7)): no line says so.
 */
#ifndef CL_MAIL_SUBMISSION_H
#define CL_MAIL_SUBMISSION_H

#define MAIL_ADDRESS_MAX    320 /* bytes: RFC 5321 has 64 before and 255 after the @ */
#define MAIL_RECIPIENTS_MAX 500
#define MAIL_MESSAGE_MAX    (64 << 20) /* bytes; the host's sendmail may take less */
#define MAIL_REPLY_MAX      4096 /* bytes of text; more is cut */

#endif
