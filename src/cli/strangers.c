/* strangers.c - see strangers.h. */
#include "cli/strangers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/account.h"
#include "cli/ledger.h"
#include "cli/node.h"
#include "text/value.h"

#define FILE_NAME "box.json"

enum { RECORD_MAX = 4096, PATH_ROOM = 4200 };

static const enum box_grade DEFAULT = BOX_GRADE_LANDLOCK;

int strangers_accept(const char *name, enum box_grade *ret, struct err *err)
{
    int r;

    *ret = DEFAULT;
    r = name ? box_grade_from(span_of(name), ret, err) : 0;
    if (r == 0 && *ret != BOX_GRADE_NONE)
        return 0;
    err_set(err, ERR_INVALID, "the grade of the box to accept is not '%.60s'", name);
    return err_hint(err, "seccomp, landlock, namespaces, unprivileged or full: accounts share the "
                         "node from there on.");
}

bool strangers_may_share(unsigned layers, enum box_grade accept)
{
    return box_grade_of(layers) >= accept;
}

int strangers_refuse(enum box_grade has, enum box_grade accept, struct err *err)
{
    const char *name = box_grade_name(has > BOX_GRADE_NONE ? has : BOX_GRADE_SECCOMP);

    err_set(err, ERR_INVALID,
            "more than one account wants a box of the grade '%s', and the node's is '%s': they "
            "could read each other's files",
            box_grade_name(accept), box_grade_name(has));
    return err_hint(err,
                    "`corral doctor` says what is missing and how to raise it. If these accounts "
                    "trust each other: --accept-box %s, or accept = \"%s\" below [box] in "
                    "corral.toml.",
                    name, name);
}

/* ---- what a node found ---- */

static int write_text(const char *path, const char *text, struct err *err)
{
    char fresh[PATH_ROOM + 8];
    int fd, r = 0;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, errno, "write '%s'", fresh);
    if (file_write(fd, span_of(text)) < 0)
        r = err_errno(err, errno, "write '%s'", fresh);
    close(fd);
    if (r == 0 && rename(fresh, path) < 0)
        r = err_errno(err, errno, "write '%s'", path);
    if (r < 0)
        (void)unlink(fresh);
    return r;
}

int strangers_write(const char *data_folder, const struct box_tier *tier, enum box_grade accept,
                    struct err *err)
{
    char path[PATH_ROOM], layers[BOX_LAYERS_TEXT];
    json_t *record;
    char *text;
    int r;

    value_init();
    box_layers_put(tier->layers, layers);
    record = json_pack("{s:s, s:s, s:s, s:I}", "grade", box_grade_name(box_grade_of(tier->layers)),
                       "layers", layers, "accept", box_grade_name(accept), "started_ms",
                       (json_int_t)clock_wall_ms());
    text = record ? json_dumps(record, 0) : NULL;
    snprintf(path, sizeof path, "%.4096s/" FILE_NAME, data_folder);
    r = text ? write_text(path, text, err) : err_nomem(err);
    mem_free(text);
    json_decref(record);
    /* A node serves with a full disk too; of a box that may be another nothing must be left to
     * read. */
    if (r < 0 && err_is_disk_full(err) && (unlink(path) == 0 || errno == ENOENT)) {
        log_warn("%s: commands beside this node go by what they find themselves", err->text);
        r = 0;
    }
    return r;
}

static int take(const json_t *record, struct strangers_record *ret, struct err *err)
{
    const char *layers = json_string_value(json_object_get(record, "layers"));
    const char *accept = json_string_value(json_object_get(record, "accept"));

    if (!layers || !accept || box_layers_get(span_of(layers), &ret->layers, err) < 0 ||
        box_grade_from(span_of(accept), &ret->accept, err) < 0)
        return ERR_NOT_FOUND;
    ret->grade = box_grade_of(ret->layers);
    ret->started_ms = json_integer_value(json_object_get(record, "started_ms"));
    return 0;
}

int strangers_read(const char *data_folder, struct strangers_record *ret, struct err *err)
{
    char path[PATH_ROOM], text[RECORD_MAX];
    json_t *record = NULL;
    json_error_t ignored;
    ssize_t n;
    int fd, r;

    snprintf(path, sizeof path, "%.4096s/" FILE_NAME, data_folder);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    value_init();
    r = n > 0 ? value_parse((struct span){text, (size_t)n}, &record, &ignored) : ERR_NOT_FOUND;
    r = r < 0 ? r : take(record, ret, err);
    json_decref(record);
    if (r == ERR_NOMEM)
        return err_nomem(err);
    return r < 0 ? err_set(err, ERR_NOT_FOUND, "no node says of '%s' what its box is", data_folder)
                 : 0;
}

/* ---- one account more ---- */

/* Of the node, if one has served here; else of one that would be started as we are. */
static int find_grade(struct catalog *catalog, struct strangers_record *ret, bool *ret_is_of_node,
                      struct err *err)
{
    const struct box_tier *tier;
    struct err none;

    *ret = (struct strangers_record){.accept = DEFAULT};
    *ret_is_of_node = strangers_read(catalog_folder(catalog), ret, &none) == 0;
    if (*ret_is_of_node)
        return 0;
    tier = node_box(err);
    if (!tier)
        return err->code;
    ret->layers = tier->layers;
    ret->grade = box_grade_of(tier->layers);
    return 0;
}

static int refuse_new(const char *account, const struct strangers_record *found, bool is_of_node,
                      enum box_grade accept, struct err *err)
{
    char when[LEDGER_TIME];

    (void)strangers_refuse(found->grade, accept, err);
    if (!is_of_node)
        return err_wrap(err, "account '%s' would be the second one here", account);
    ledger_time(found->started_ms, when);
    return err_wrap(err, "account '%s' would be the second one of the node that started at %s UTC",
                    account, when);
}

int strangers_check_new(struct catalog *catalog, const char *account, const char *accept,
                        struct err *err)
{
    struct strangers_record found;
    struct accounts all = {0};
    enum box_grade wanted;
    bool is_one_more, is_of_node;
    int r = strangers_accept(accept, &wanted, err);

    r = r < 0 ? r : account_list(catalog, &all, err);
    is_one_more = all.count > 0;
    for (size_t i = 0; r == 0 && i < all.count; i++)
        if (strcmp(all.items[i].id, account) == 0 || strcmp(all.items[i].name, account) == 0)
            is_one_more = false;
    accounts_done(&all);
    if (r < 0 || !is_one_more)
        return r;
    r = find_grade(catalog, &found, &is_of_node, err);
    if (r < 0)
        return r;
    wanted = accept ? wanted : found.accept;
    return strangers_may_share(found.layers, wanted)
               ? 0
               : refuse_new(account, &found, is_of_node, wanted, err);
}
