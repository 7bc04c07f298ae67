/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The files that keep the users' stories: see story.h.
 */
#ifndef CL_STORY_FILE_H
#define CL_STORY_FILE_H

#include <jansson.h>
#include <sys/types.h>

/* The story of a user, never NULL but when memory runs out: one that is missing, unreadable or another user's
 * is empty. A new reference. */
json_t *story_load(uid_t uid, const char *user);
void story_save(uid_t uid, const json_t *story);
/* The array of that name, made where there is none; borrowed. */
json_t *story_array(json_t *story, const char *name);

#endif
