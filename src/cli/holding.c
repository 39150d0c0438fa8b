/* holding.c - a node's data folder: whose it is, who may read it, how many accounts share it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "box/layers.h"
#include "catalog/account.h"
#include "cli/ledger.h"
#include "cli/report.h"
#include "cli/strangers.h"

#define ENOUGH_BYTES (UINT64_C(1) << 30)

static void complain(struct report *report, const char *folder, const char *what, const char *hint)
{
    char text[1024];

    snprintf(text, sizeof text, "'%.400s' %s", folder, what);
    report_complain(report, REPORT_PROBLEM, text, hint);
}

static void check_rights(struct report *report, const char *folder, const struct stat *st)
{
    char mode[8], what[200];

    snprintf(mode, sizeof mode, "%04o", (unsigned)(st->st_mode & 07777));
    report_set_in(report, "data", "mode", json_string(mode));
    report_set_in(report, "data", "uid", json_integer((json_int_t)st->st_uid));
    if (st->st_mode & 077) {
        snprintf(what, sizeof what,
                 "has the mode %s: others of this machine can reach tokens' hashes, code and data",
                 mode);
        complain(report, folder, what, "chmod 0700 of the folder.");
    }
    if (st->st_uid != geteuid() && geteuid() != 0) {
        snprintf(what, sizeof what, "belongs to the user %u, and you are %u", (unsigned)st->st_uid,
                 (unsigned)geteuid());
        complain(report, folder, what,
                 "Ask as the user that runs the node: sudo -u USER corral doctor ...");
    } else if (access(folder, R_OK | W_OK | X_OK) < 0) {
        complain(report, folder, "cannot be written", strerror(errno));
    }
}

static void check_key(struct report *report, const char *folder)
{
    char path[4200], mode[80];
    struct stat st;

    snprintf(path, sizeof path, "%.4096s/secrets.key", folder);
    if (stat(path, &st) == 0 && st.st_mode & 077) {
        snprintf(mode, sizeof mode, "has the mode %04o: others can read it and so every secret",
                 (unsigned)(st.st_mode & 07777));
        complain(report, path, mode, "chmod 0600 of that file.");
    }
}

static void check_room(struct report *report, const char *folder)
{
    struct statvfs fs;
    uint64_t left;
    char text[600];

    if (statvfs(folder, &fs) < 0)
        return;
    left = (uint64_t)fs.f_bavail * fs.f_frsize;
    report_set_in(report, "data", "free_bytes", json_integer((json_int_t)left));
    if (fs.f_flag & ST_RDONLY)
        complain(report, folder, "is on a file system that is read-only", "Mount it for writing.");
    if (left >= ENOUGH_BYTES)
        return;
    snprintf(text, sizeof text, "'%.400s' has %llu MiB left", folder,
             (unsigned long long)(left >> 20));
    report_complain(report, REPORT_ADVICE, text, "Databases and bundles of workers lie there.");
}

/* Can what packagers write there be the node's, while they are the accounts'? */
static void check_owners(struct report *report, const char *folder)
{
    const char *const list[] = {folder};
    const struct box_paths paths = {.writes = list, .write_count = 1};
    struct box_owners owners;
    struct err err = {0};
    char text[800];
    int r;

    if (!(report->tier.layers & BOX_BIT(BOX_UID))) {
        report_set_in(report, "data", "account_uids", json_null());
        return;
    }
    r = box_owners_take(&owners, &paths, BOX_UID_LAST, &err);
    report_set_in(report, "data", "account_uids", json_boolean(r == 0));
    if (r == 0) {
        box_owners_done(&owners);
        return;
    }
    snprintf(text, sizeof text,
             "packages of uploads are installed as the node's user, without rights, not as the "
             "account's: %.500s",
             err.text);
    report_complain(report, REPORT_ADVICE, text,
                    "A data folder on ext4, xfs, btrfs or zfs, and a node outside of a chroot.");
}

/* By the folder's node, if it has one; else by what we would be. */
static void check_sharing(struct report *report, const char *folder, size_t accounts,
                          const char *accept)
{
    struct strangers_record found = {.layers = report->tier.layers, .accept = BOX_GRADE_LANDLOCK};
    struct err err = {0};
    enum box_grade wanted;
    char when[LEDGER_TIME];

    if (strangers_read(folder, &found, &err) == 0) {
        ledger_time(found.started_ms, when);
        report_set_in(report, "data", "node",
                      json_pack("{s:s, s:s, s:s}", "grade", box_grade_name(found.grade), "accept",
                                box_grade_name(found.accept), "started", when));
    } else {
        report_set_in(report, "data", "node", json_null());
    }
    if (strangers_accept(accept, &wanted, &err) < 0) {
        report_complain_of(report, REPORT_PROBLEM, &err);
        return;
    }
    wanted = accept ? wanted : found.accept;
    report_set_in(report, "data", "accept", json_string(box_grade_name(wanted)));
    report_set_in(report, "data", "may_share",
                  json_boolean(strangers_may_share(found.layers, wanted)));
    if (accounts < 2 || strangers_may_share(found.layers, wanted))
        return;
    (void)strangers_refuse(box_grade_of(found.layers), wanted, &err);
    report_complain_of(report, REPORT_PROBLEM, &err);
}

static void check_catalog(struct report *report, const char *folder, const char *accept)
{
    const struct catalog_config config = {.data_folder = folder, .has_no_key = true};
    struct catalog *catalog = NULL;
    struct accounts all = {0};
    struct err err = {0};
    char path[4200];
    int r;

    snprintf(path, sizeof path, "%.4096s/catalog.sqlite", folder);
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        report_set_in(report, "data", "accounts", json_integer(0));
        check_sharing(report, folder, 0, accept);
        return;
    }
    r = catalog_open(&config, &catalog, &err);
    r = r < 0 ? r : account_list(catalog, &all, &err);
    if (r < 0) {
        report_complain_of(report, REPORT_PROBLEM, &err);
    } else {
        report_set_in(report, "data", "accounts", json_integer((json_int_t)all.count));
        check_sharing(report, folder, all.count, accept);
    }
    accounts_done(&all);
    catalog_close(catalog);
}

void report_data(struct report *report, const char *folder, const char *accept)
{
    struct stat st;

    if (!folder)
        return;
    report_set(report, "data", json_object());
    report_set_in(report, "data", "folder", report_text(folder));
    if (stat(folder, &st) < 0) {
        report_set_in(report, "data", "exists", json_boolean(errno != ENOENT));
        complain(report, folder, errno == ENOENT ? "is not there" : strerror(errno),
                 "The data folder of `corral serve`, which makes it.");
        return;
    }
    report_set_in(report, "data", "exists", json_true());
    if (!S_ISDIR(st.st_mode)) {
        complain(report, folder, "is no folder", "The data folder of `corral serve`.");
        return;
    }
    check_rights(report, folder, &st);
    check_room(report, folder);
    check_owners(report, folder);
    if (st.st_uid != geteuid() && geteuid() != 0)
        return; /* what we would see of it is not what the node sees */
    check_key(report, folder);
    check_catalog(report, folder, accept);
}
