/* patch.c - make a configuration's new text, be sure of it, and write it.
 *
 * Written beside and renamed, with the mode of the file before: whoever reads
 * the configuration sees the old text or the new one. */
#include "project/patch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "project/config.h"
#include "project/patch_inside.h"
#include "project/path.h"
#include "project/toml.h"
#include "text/jsonc.h"
#include "text/value.h"

enum { NESTING_MAX = 8 }; /* of tables with bindings in them */

/* ---- is the binding free? ---- */

/* "binding": text, wherever in a level of the configuration. */
static bool has_binding(const json_t *value, const char *text, int depth)
{
    const char *key, *other;
    json_t *inside;
    size_t i;

    if (depth == NESTING_MAX)
        return false;
    other = json_string_value(json_object_get(value, "binding"));
    if (other && strcmp(other, text) == 0)
        return true;
    json_object_foreach((json_t *)value, key,
                        inside) if ((depth > 0 || strcmp(key, "env") != 0) &&
                                    has_binding(inside, text, depth + 1)) return true;
    json_array_foreach(value, i, inside) if (has_binding(inside, text, depth + 1)) return true;
    return false;
}

static bool is_taken(const json_t *level, const char *text)
{
    const json_t *objects = json_object_get(json_object_get(level, "durable_objects"), "bindings");
    const char *name;
    json_t *object;
    size_t i;

    if (json_object_get(json_object_get(level, "vars"), text) || has_binding(level, text, 0))
        return true;
    json_array_foreach(objects, i, object)
    {
        name = json_string_value(json_object_get(object, "name"));
        if (name && strcmp(name, text) == 0)
            return true;
    }
    return false;
}

static int check_free(const struct config *c, const char *env, const char *binding, struct err *err)
{
    const json_t *level = c->root;

    if (env[0])
        level = json_object_get(json_object_get(level, "env"), env);
    if (!is_taken(level, binding))
        return 0;
    err_set(err, ERR_LIMIT, "%s has a binding or variable '%s' already", c->shown, binding);
    return err_hint(err, "Choose another name with --binding.");
}

/* ---- is it right? ---- */

/* root[name], made when it is not there; borrowed.  NULL: no memory, or it is something else. */
static json_t *need(json_t *root, const char *name, json_t *(*make)(void))
{
    json_t *value = json_object_get(root, name);

    if (!value && json_object_set_new(root, name, make()) < 0)
        return NULL;
    return json_object_get(root, name);
}

/* What the new text should say. */
static json_t *expected(const struct config *c, const char *env, const struct patch_database *db)
{
    json_t *root = json_deep_copy(c->root), *level = root, *list;
    json_t *entry = json_pack("{s:s, s:s, s:s}", "binding", db->binding, "database_name", db->name,
                              "database_id", db->id);

    if (env[0])
        level = need(need(root, "env", json_object), env, json_object);
    list = need(level, "d1_databases", json_array);
    if (entry && json_array_append(list, entry) == 0) {
        json_decref(entry);
        return root;
    }
    json_decref(entry);
    json_decref(root);
    return NULL;
}

static int read_again(const struct config *c, struct span text, const char *worker_program,
                      json_t **ret_root, struct err *err)
{
    struct toml_error toml = {0};
    json_error_t ignored;
    char *plain;
    int r;

    if (c->format == CONFIG_TOML) {
        r = toml_read(worker_program, text, ret_root, &toml, err);
        toml_error_done(&toml);
        return r;
    }
    plain = mem_copy(text.data, text.len);
    if (!plain)
        return err_nomem(err);
    jsonc_blank(plain, text.len);
    r = value_parse((struct span){plain, text.len}, ret_root, &ignored);
    mem_free(plain);
    return r == ERR_NOMEM ? err_nomem(err) : r;
}

/* 0, ERR_INVALID: the text says something else. */
static int check(const struct config *c, struct span text, const json_t *wanted,
                 const char *worker_program, struct err *err)
{
    json_t *root = NULL;
    int r = read_again(c, text, worker_program, &root, err);

    if (r == 0 && !json_equal(root, wanted))
        r = ERR_INVALID;
    json_decref(root);
    return r;
}

/* ---- make ---- */

static int try_all(const struct config *c, const char *env, const char *worker_program,
                   const struct patch_database *db, struct buf *out, struct err *err)
{
    json_t *wanted = expected(c, env, db);
    int r = wanted ? ERR_INVALID : err_nomem(err);

    for (int try = 0; r == ERR_INVALID; try++) {
        buf_eat(out, buf_len(out));
        r = c->format == CONFIG_TOML ? patch_toml(c, env, db, try, out)
                                     : patch_json(c, env, db, try, out);
        if (r == 0)
            r = check(c, buf_span(out), wanted, worker_program, err);
        else if (r == ERR_NOMEM)
            err_nomem(err);
    }
    json_decref(wanted);
    if (r != ERR_NOT_FOUND)
        return r;
    err_set(err, ERR_INVALID, "%s is written in a way that Corral cannot add to", c->shown);
    return err_hint(err, "Leave --write-config out, and put what is shown then where it belongs.");
}

int patch_make(const char *config, const char *shown, const char *env, const char *worker_program,
               const struct patch_database *database, struct patch *ret, struct err *err)
{
    struct diagnostics said = {0};
    struct config c = {0};
    int r;

    *ret = (struct patch){.shown = shown};
    ret->path = path_real(config);
    if (!ret->path)
        return errno == ENOMEM ? err_nomem(err) : err_errno(err, errno, "read '%s'", shown);
    r = config_read(config, shown, worker_program, &c, &said, err);
    if (r == ERR_INVALID)
        err_set(err, ERR_INVALID, "'%s' cannot be read", shown);
    if (r == 0)
        r = check_free(&c, env, database->binding, err);
    if (r == 0)
        r = try_all(&c, env, worker_program, database, &ret->after, err);
    if (r == 0) {
        ret->before = c.text;
        ret->before_len = c.len;
        c.text = NULL;
    }
    diagnostics_done(&said);
    config_done(&c);
    if (r < 0)
        patch_done(ret);
    return r;
}

void patch_done(struct patch *patch)
{
    mem_free(patch->path);
    mem_free(patch->before);
    buf_done(&patch->after);
    *patch = (struct patch){0};
}

/* ---- write ---- */

static int check_same(const struct patch *patch, struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    int r = config_read_file(patch->path, patch->shown, CONFIG_BYTES_MAX, &text, &len, err);

    if (r == 0 && (len != patch->before_len || memcmp(text, patch->before, len) != 0)) {
        err_set(err, ERR_GONE, "'%s' was changed by somebody else just now", patch->shown);
        r = err_hint(err, "Run the command again.");
    }
    mem_free(text);
    return r;
}

/* The mode of the file before, and its owner when root edits another's. */
static int keep_owner(int fd, const struct stat *before)
{
    if (geteuid() == 0 && fchown(fd, before->st_uid, before->st_gid) < 0)
        return -1;
    return fchmod(fd, before->st_mode & 07777);
}

int patch_write(const struct patch *patch, struct err *err)
{
    char *folder = path_parent(patch->path);
    struct buf spare = {0};
    struct stat st;
    int fd = -1, r;

    if (!folder ||
        buf_print(&spare, "%s/.%s.%d", folder, path_base(patch->path), (int)getpid()) < 0 ||
        buf_append(&spare, "", 1) < 0) {
        r = err_nomem(err);
        goto done;
    }
    r = check_same(patch, err);
    if (r < 0)
        goto done;
    unlink(buf_data(&spare));
    fd = open(buf_data(&spare), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || stat(patch->path, &st) < 0 || file_write(fd, buf_span(&patch->after)) < 0 ||
        fsync(fd) < 0 || keep_owner(fd, &st) < 0 || rename(buf_data(&spare), patch->path) < 0) {
        r = err_errno(err, errno, "write '%s'", patch->shown);
        if (fd >= 0)
            unlink(buf_data(&spare));
    }
done:
    if (fd >= 0)
        close(fd);
    buf_done(&spare);
    mem_free(folder);
    return r;
}
