/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: which of the host's filesystems can be id-mapped? Tried as a login does, on copies that are mounted
 * nowhere.
 */
#include "config.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "idmap.h"
#include "mnt.h"
#include "session.h"
#include "util.h"

static bool can_map(const char *path, int userns_fd)
{
    cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), copy = -1;
    bool mapped = true;

    copy = fd < 0 ? -1 : mnt_clone(fd, 0, userns_fd, &mapped, NULL);
    return copy < 0 || mapped;
}

void doctor_idmap(struct doctor *d)
{
    static const char *const places[] = {"/", "/usr", "/home", "/opt", "/srv", "/var"};
    dev_t seen[CL_ARRAY_SIZE(places)];
    const struct passwd *cell_user = getpwnam(CL_CELL_USER);
    cleanup_fd int userns_fd = -1;
    size_t n = 0;

    if (!doctor_is_root(d, "whether filesystems can be id-mapped") || !cell_user ||
        idmap_mount_userns(cell_user->pw_uid, cell_user->pw_gid, &userns_fd, NULL) < 0)
        return;
    for (size_t i = 0; i < CL_ARRAY_SIZE(places); i++) {
        struct stat st;
        bool again = stat(places[i], &st) < 0;

        for (size_t j = 0; j < n; j++)
            again = again || seen[j] == st.st_dev;
        if (again)
            continue;
        seen[n++] = st.st_dev;
        if (!can_map(places[i], userns_fd))
            doctor_find(d, FINDING_IDMAP, places[i], "", "the filesystem of %s cannot be id-mapped", places[i]);
    }
}
