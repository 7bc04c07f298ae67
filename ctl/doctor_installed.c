/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: the programs of Cloister, the user that root of a cell is, and the folders of its state.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "doctor.h"
#include "session.h"
#include "util.h"

#define HELPER_MODE 04755

static bool is_regular(struct doctor *d, const char *path, struct stat *ret)
{
    if (lstat(path, ret) < 0) {
        doctor_find(d, FINDING_PROGRAM_MISSING, path,
                    "make install # in Cloister's sources, or install its package again", "%s: %s", path,
                    strerror(errno));
        return false;
    }
    if (!S_ISREG(ret->st_mode)) {
        doctor_find(d, FINDING_PROGRAM_MISSING, path,
                    "make install # in Cloister's sources, or install its package again", "%s is not a regular file",
                    path);
        return false;
    }
    return true;
}

/* Whoever may write to a folder above can put another program there. */
static void check_parents(struct doctor *d, const char *path)
{
    char parent[PATH_MAX];
    struct stat st;

    snprintf(parent, sizeof(parent), "%s", path);
    for (char *slash = strrchr(parent, '/'); slash; slash = strrchr(parent, '/')) {
        cleanup_free char *fix = NULL;

        slash[slash == parent] = '\0';
        if (stat(parent, &st) == 0 && (st.st_uid != 0 || ((st.st_mode & 022) && !(st.st_mode & S_ISVTX)))) {
            if (cl_asprintf(&fix, "chown root:root %s && chmod go-w %s", parent, parent) < 0)
                fix = NULL;
            doctor_find(d, FINDING_PROGRAM_WRITABLE, parent, fix, "others than root may write to %s, above %s",
                        parent, path);
        }
        if (slash == parent)
            return;
    }
}

static void check_helper(struct doctor *d)
{
    struct statvfs fs;
    struct stat st;

    if (!is_regular(d, CL_HELPER_PATH, &st))
        return;
    check_parents(d, CL_HELPER_PATH);
    if (st.st_uid != 0 || st.st_gid != 0 || (st.st_mode & 07777) != HELPER_MODE)
        doctor_find(d, FINDING_HELPER_MODE, CL_HELPER_PATH,
                    "chown root:root " CL_HELPER_PATH " && chmod 4755 " CL_HELPER_PATH,
                    CL_HELPER_PATH " has owner %u:%u and mode %04o, not 0:0 and %04o", st.st_uid, st.st_gid,
                    st.st_mode & 07777, HELPER_MODE);
    if (statvfs(CL_HELPER_PATH, &fs) == 0 && (fs.f_flag & (ST_NOSUID | ST_NOEXEC)))
        doctor_find(d, FINDING_HELPER_NOSUID, CL_HELPER_PATH,
                    "mount -o remount,bind,suid,exec \"$(findmnt -n -o TARGET -T " CL_HELPER_PATH ")\"",
                    CL_HELPER_PATH " is on a filesystem that is mounted nosuid or noexec");
}

/* Programs that root runs: root's, and nobody else's to write. mode: bits that it must have. */
static void check_program(struct doctor *d, const char *path, mode_t mode)
{
    cleanup_free char *fix = NULL;
    struct stat st;

    if (!is_regular(d, path, &st))
        return;
    if (st.st_uid == 0 && !(st.st_mode & 022) && (st.st_mode & mode) == mode)
        return;
    if (cl_asprintf(&fix, "chown root:root %s && chmod %s %s", path, mode & 0111 ? "0755" : "0644", path) < 0)
        fix = NULL;
    doctor_find(d, FINDING_PROGRAM_WRITABLE, path, fix, "%s has owner %u:%u and mode %04o", path, st.st_uid,
                st.st_gid, st.st_mode & 07777);
}

void doctor_installed(struct doctor *d)
{
    const struct passwd *cell_user = getpwnam(CL_CELL_USER);

    check_helper(d);
    check_program(d, CL_INIT_PATH, 0555);
    check_program(d, CL_PAM_DIR "/" CL_PAM_MODULE, 0444);
    if (!cell_user)
        doctor_find(d, FINDING_CELL_USER, CL_CELL_USER,
                    "useradd -r -U -M -d /nonexistent -s /usr/sbin/nologin " CL_CELL_USER,
                    "there is no system user " CL_CELL_USER);
    else if (cell_user->pw_uid == 0)
        doctor_find(d, FINDING_CELL_USER, CL_CELL_USER,
                    "userdel -f " CL_CELL_USER
                    "; useradd -r -U -M -d /nonexistent -s /usr/sbin/nologin " CL_CELL_USER,
                    "the system user " CL_CELL_USER " is root");
    doctor_ok(d, CL_HELPER_PATH " is root's and setuid, cloister-init and " CL_PAM_MODULE " are there");
}

static void check_folder(struct doctor *d, const char *path)
{
    cleanup_free char *fix = NULL;
    struct stat st;

    if (lstat(path, &st) < 0)
        return; /* made at the next login */
    if (!S_ISDIR(st.st_mode)) {
        if (cl_asprintf(&fix, "rm -f %s", path) < 0)
            fix = NULL;
        doctor_find(d, FINDING_FOLDER_OWNER, path, fix, "%s is not a folder", path);
        return;
    }
    if (st.st_uid == 0 && (st.st_mode & 07777) == 0700)
        return;
    if (cl_asprintf(&fix, "chown root:root %s && chmod 0700 %s", path, path) < 0)
        fix = NULL;
    doctor_find(d, st.st_uid != 0 || (st.st_mode & 022) ? FINDING_FOLDER_OWNER : FINDING_FOLDER_MODE, path, fix,
                "%s has owner %u and mode %04o, not 0 and 0700", path, st.st_uid, st.st_mode & 07777);
}

void doctor_folders(struct doctor *d)
{
    static const char *const folders[] = {CL_RUN_DIR "/cells",     CL_RUN_DIR "/locks",  CL_RUN_DIR "/root",
                                          CL_STATE_DIR "/seccomp", CL_STATE_DIR "/hits", CL_STATE_DIR "/policy"};

    check_folder(d, CL_RUN_DIR);
    check_folder(d, CL_STATE_DIR);
    if (!doctor_is_root(d, "the folders in " CL_RUN_DIR " and " CL_STATE_DIR))
        return;
    for (size_t i = 0; i < CL_ARRAY_SIZE(folders); i++)
        check_folder(d, folders[i]);
    doctor_ok(d, CL_RUN_DIR " and " CL_STATE_DIR " are root's alone");
}
