/* versions.c - `corral versions list|view`, and the table of the others. */
#include "cli/versions.h"

#include <stdio.h>
#include <string.h>

#include "cli/access.h"
#include "cli/clean.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/labels.h"
#include "cli/remote.h"

/* ---- list ---- */

static int list(struct remote *r, void *unused, struct err *err)
{
    json_t *all, *one;
    struct buf out = {0};
    size_t i;
    int code = history_versions(r, &all, err);

    (void)unused;
    if (code < 0)
        return code;
    if (r->is_json)
        return cli_print_json(all, err);
    json_array_foreach(all, i, one) if (code == 0 && (history_put_version(one, &out) < 0 ||
                                                      buf_print(&out, "\n") < 0)) code =
        err_nomem(err);
    if (code == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    json_decref(all);
    return code;
}

static int versions_list(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "versions list",
        .about = "Show the ten newest versions of a worker, the oldest of them first.\n",
        .need = REMOTE_WORKER,
        .has_json = true,
    };

    return remote_run(&SPEC, args, NULL, list);
}

/* ---- view ---- */

/* "fetch, scheduled" */
static int join(json_t *words, struct buf *out)
{
    json_t *word;
    size_t i;
    int r = 0;

    json_array_foreach(words, i, word) if (r == 0 && json_is_string(word)) r =
        buf_print(out, "%s%s", i ? ", " : "", json_string_value(word));
    return r == 0 ? buf_append(out, "", 1) : r;
}

static int put_script(json_t *resources, struct buf *out)
{
    json_t *runtime = json_object_get(resources, "script_runtime");
    struct buf handlers = {0}, flags = {0};
    struct label labels[3];
    size_t n = 0;
    int r = join(json_object_get(json_object_get(resources, "script"), "handlers"), &handlers);

    if (r == 0)
        r = join(json_object_get(runtime, "compatibility_flags"), &flags);
    if (r == 0 && buf_len(&handlers) > 1)
        labels[n++] = (struct label){"Handlers", buf_data(&handlers)};
    if (r == 0 && history_text(runtime, "compatibility_date", NULL)[0])
        labels[n++] =
            (struct label){"Compatibility Date", history_text(runtime, "compatibility_date", NULL)};
    if (r == 0 && buf_len(&flags) > 1)
        labels[n++] = (struct label){"Compatibility Flags", buf_data(&flags)};
    if (r == 0 && n > 0)
        r = buf_print(out, "\n");
    if (r == 0)
        r = labels_put(out, labels, n, LABELS_LEFT, 0);
    buf_done(&handlers);
    buf_done(&flags);
    return r;
}

static bool is_secret(json_t *binding)
{
    return strncmp(history_text(binding, "type", NULL), "secret_", 7) == 0;
}

static int put_bindings(json_t *bindings, struct buf *out)
{
    json_t *others = json_array(), *binding;
    bool has_head = false;
    int r = others ? 0 : ERR_NOMEM;
    size_t i;

    json_array_foreach(bindings, i, binding)
    {
        if (r == 0 && is_secret(binding)) {
            r = buf_print(out, "%sSecret Name:  %s\n", has_head ? "" : "\nSecrets:\n",
                          history_text(binding, "name", NULL));
            has_head = true;
        } else if (r == 0 && json_array_append(others, binding) < 0) {
            r = ERR_NOMEM;
        }
    }
    if (r == 0 && json_array_size(others) > 0)
        r = buf_print(out, "\n");
    if (r == 0 && json_array_size(others) > 0)
        r = access_print_upload(others, NULL, out);
    if (r == 0 && json_array_size(others) > 0)
        r = buf_print(out, "\n");
    json_decref(others);
    return r;
}

static int view(struct remote *r, void *unused, struct err *err)
{
    json_t *version, *resources;
    struct buf out = {0};
    int code = history_version(r, r->words[0], &version, err);

    (void)unused;
    if (code < 0)
        return code;
    if (r->is_json)
        return cli_print_json(version, err);
    resources = json_object_get(version, "resources");
    if (history_put_version(version, &out) < 0 || put_script(resources, &out) < 0 ||
        put_bindings(json_object_get(resources, "bindings"), &out) < 0)
        code = err_nomem(err);
    if (code == 0 && buf_append(&out, "", 1) == 0)
        clean_print(buf_data(&out));
    buf_done(&out);
    json_decref(version);
    return code;
}

static int versions_view(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "versions view VERSION",
        .about = "Show one version of a worker: where it came from, its settings, its bindings.\n",
        .words = "VERSION",
        .need = REMOTE_WORKER,
        .has_json = true,
    };

    return remote_run(&SPEC, args, NULL, view);
}

int versions_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"list", "list", "show the newest ones", versions_list},
        {"view", "view VERSION", "show one", versions_view},
        {"upload", "upload [PROJECT]", "make a new one that does not answer yet", versions_upload},
        {"deploy", "deploy [VERSION@PERCENT...]", "let one or two answer", versions_deploy},
        {"secret", "secret ...", "change secrets in a new version", versions_secret},
        {0},
    };
    static const struct commands ALL = {"corral versions", "Versions of a worker on a node.",
                                        COMMANDS};

    return commands_run(&ALL, args);
}
