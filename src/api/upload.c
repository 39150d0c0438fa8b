/* upload.c - the form that wrangler uploads: metadata, modules, requirements.
 *
 *   metadata                  {"main_module" or "body_part", "bindings", "compatibility_date", ...}
 *   entry.py, helper.py ...   the modules, each under its name
 *   index.js, ./a.wasm ...    likewise, of a JavaScript worker
 *   fastapi                   empty, text/x-python-requirement: a line of requirements.txt
 * (wrangler 3)
 *
 * What a part is called is a stranger's: bundles_put sees to it that it leads nowhere else; names
 * of JavaScript's modules that are no paths get one (link/modules.h).  Of Python the Content-Type
 * says little: `versions upload` of wrangler 3 calls it JavaScript. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/deploy.h"
#include "base/clock.h"
#include "base/mem.h"
#include "link/link.h"
#include "link/modules.h"
#include "project/flags.h"

#define REQUIREMENT  "text/x-python-requirement"
#define REQUIREMENTS "requirements.txt"

enum { REQUIREMENT_MAX = 200, FLAGS_MAX = 100 };

static bool is_named(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

/* ---- what the metadata says ---- */

static bool check_date(struct api_call *call, const char *date)
{
    time_t soon = (time_t)(clock_wall_ms() / 1000) + 24 * 60 * 60;
    struct tm tm = {0}, now;
    char latest[16], same[16] = "";
    const char *end = strptime(date, "%Y-%m-%d", &tm);
    time_t seconds;

    if (end && !*end && strlen(date) == 10) {
        seconds = timegm(&tm);
        gmtime_r(&seconds, &tm);
        strftime(same, sizeof same, "%Y-%m-%d", &tm);
    }
    if (strcmp(date, same) != 0) {
        api_error(call, 400, 10021,
                  "Invalid compatibility date: \"%.40s\"; it must be like \"2026-03-01\"", date);
        return false;
    }
    /* Somewhere it is tomorrow already. */
    gmtime_r(&soon, &now);
    strftime(latest, sizeof latest, "%Y-%m-%d", &now);
    if (strcmp(date, latest) > 0) {
        api_error(call, 400, 10021, "Can't set compatibility date in the future: \"%s\"", date);
        return false;
    }
    return true;
}

static bool check_flags(struct api_call *call, const json_t *flags)
{
    json_t *flag;
    size_t i;

    if (flags && !json_is_array(flags)) {
        api_error(call, 400, 10021, "\"compatibility_flags\" must be an array of strings");
        return false;
    }
    if (json_array_size(flags) > FLAGS_MAX) {
        api_error(call, 400, 10021, "There are more than %d compatibility flags", FLAGS_MAX);
        return false;
    }
    json_array_foreach(flags, i, flag)
    {
        const char *text = json_string_value(flag), *near = NULL;
        if (!text || !*text || strlen(text) > 100 || strpbrk(text, " ,\t\r\n")) {
            api_error(call, 400, 10021, "Compatibility flag %zu is no flag", i + 1);
            return false;
        }
        if (flags_are_odd(text, &near)) {
            api_error(call, 400, 10021, "No such compatibility flag: %s%s%s%s", text,
                      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
            return false;
        }
    }
    return true;
}

static bool is_python_flagged(const json_t *metadata)
{
    json_t *flag;
    size_t i;

    json_array_foreach(json_object_get(metadata, "compatibility_flags"), i, flag)
    {
        if (strcmp(json_string_value(flag), "python_workers") == 0)
            return true;
    }
    return false;
}

bool deploy_annotations(struct api_call *call, const json_t *given, json_t **ret)
{
    json_t *out = json_object(), *value;
    const char *key;

    if (given && !json_is_object(given) && !json_is_null(given)) {
        json_decref(out);
        api_error(call, 400, 10021, "\"annotations\" must be an object of strings");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)given, key, value)
    {
        if (json_is_null(value))
            continue;
        if (!json_is_string(value) || json_string_length(value) > 1000 || strlen(key) > 100 ||
            json_object_size(out) >= 20) {
            json_decref(out);
            api_error(
                call, 400, 10021,
                "Annotation \"%.100s\" must be a string of at most 1000 bytes, one of at most 20",
                key);
            return false;
        }
        /* Whose they are. */
        if (strcmp(key, "workers/triggered_by") != 0)
            json_object_set(out, key, value);
    }
    *ret = out;
    return true;
}

/* What is the worker's and not the version's. */
static json_t *settings_of(json_t *metadata)
{
    static const char *const KEYS[] = {"logpush", "tail_consumers", "observability", "tags"};
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        json_t *value = json_object_get(metadata, KEYS[i]);
        /* An upload is all there is to say: what it does not name goes.  Tags are put apart. */
        if (value || strcmp(KEYS[i], "tags") != 0)
            json_object_set_new(out, KEYS[i], value ? json_incref(value) : json_null());
        json_object_del(metadata, KEYS[i]);
    }
    return out;
}

static bool take_metadata(struct api_call *call, struct deploy *d, struct span text)
{
    static const char *const OWN[] = {"main_module",   "body_part",   "bindings",
                                      "keep_bindings", "annotations", "code_update_strategy"};
    struct err err = {.text = "it is something else"};
    json_t *all = NULL, *value;
    const char *main, *date;

    if (api_json(text, &all, &err) < 0 || !json_is_object(all)) {
        json_decref(all);
        api_error(call, 400, 10021, "The part \"metadata\" is no object of JSON: %s", err.text);
        return false;
    }
    d->metadata = all;
    main = json_string_value(json_object_get(all, "main_module"));
    if (!main || !*main) {
        main = json_string_value(json_object_get(all, "body_part"));
        d->is_script = true;
    }
    if (!main || !*main) {
        api_error(call, 400, 10021, "\"main_module\" is missing in the metadata");
        return false;
    }
    d->main = mem_strdup(main);
    value = json_object_get(all, "bindings");
    d->asked = value && !json_is_null(value) ? json_incref(value) : json_array();
    value = json_object_get(all, "keep_bindings");
    d->keep = value && !json_is_null(value) ? json_incref(value) : NULL;
    if (!d->main || !json_is_array(d->asked) || (d->keep && !json_is_array(d->keep))) {
        api_error(call, 400, 10021, "\"bindings\" and \"keep_bindings\" must be arrays");
        return false;
    }
    if (!deploy_annotations(call, json_object_get(all, "annotations"), &d->annotations))
        return false;
    value = json_object_get(all, "compatibility_date");
    date = json_string_value(value);
    if (value && !json_is_null(value) && !date) {
        api_error(call, 400, 10021,
                  "\"compatibility_date\" must be a string such as \"2026-03-01\"");
        return false;
    }
    if ((date && !check_date(call, date)) ||
        !check_flags(call, json_object_get(all, "compatibility_flags")))
        return false;
    d->settings = settings_of(all);
    if (!settings_check(call, d->settings))
        return false;
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++)
        json_object_del(all, OWN[i]);
    return true;
}

/* ---- its parts ---- */

static bool is_requirement(const struct api_part *part)
{
    return strcmp(part->type, REQUIREMENT) == 0;
}

/* A name of a distribution, with extras and a version perhaps: one line, and no option of pip's. */
static bool requirement_is_plain(const char *text)
{
    if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
          (*text >= '0' && *text <= '9')) ||
        strlen(text) > REQUIREMENT_MAX)
        return false;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '#' || *at == '@')
            return false;
    return true;
}

static bool gather_requirements(struct api_call *call, const struct api_part *parts, size_t count,
                                struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_requirement(&parts[i]))
            continue;
        if (!requirement_is_plain(parts[i].name)) {
            api_error(call, 400, 10021, "\"%.100s\" is no requirement: name a package",
                      parts[i].name);
            return false;
        }
        if (buf_print(out, "%s\n", parts[i].name) < 0) {
            api_error(call, 503, 10013, "This node is out of memory");
            return false;
        }
    }
    return true;
}

/* The stub that `secret put` makes of a worker that is not there: see trap 10 of wrangler.  Its module
 * is called as the worker, and it has no date: who uploads such code as a worker says more. */
static bool is_stub(const struct api_part *part, const struct deploy *d)
{
    static const char STUB[] = "exportdefault{fetch(){}}";
    char plain[sizeof STUB + 1];
    size_t n = 0;

    if (strcmp(part->name, d->main) != 0 || strcmp(d->main, d->worker_name) != 0 ||
        part->bytes.len > 200 || json_object_get(d->metadata, "compatibility_date"))
        return false;
    for (size_t i = 0; i < part->bytes.len && n < sizeof plain - 1; i++)
        if (!strchr(" \t\r\n;", part->bytes.data[i]))
            plain[n++] = part->bytes.data[i];
    plain[n] = '\0';
    return strcmp(plain, STUB) == 0;
}

static bool is_python(const struct deploy *d)
{
    return !link_is_javascript(d->main);
}

/* The main part is what the metadata says, whatever its type says. */
static struct span type_of(const struct deploy *d, const struct api_part *p)
{
    if (is_named(p->name, ".py") && strstr(p->type, "javascript"))
        return SPAN("text/x-python");
    if (is_python(d) || strcmp(p->name, d->main) != 0)
        return span_of(p->type);
    if (d->is_script)
        return SPAN("application/javascript");
    return module_kind(p->type, p->name) == MODULE_ESM && p->type[0]
               ? span_of(p->type)
               : SPAN("application/javascript+module");
}

/* Where a module lies whose name is no path; `paths` keeps it.  false: the call is answered. */
static bool path_of(struct api_call *call, const struct deploy *d, const struct api_part *p,
                    struct buf *paths, size_t *ret_at)
{
    struct err err = {0};

    *ret_at = buf_len(paths);
    if (!is_python(d) && module_path(p->name, paths, &err) < 0) {
        api_fail(call, 10021, &err);
        return false;
    }
    if (buf_append(paths, "", 1) == 0)
        return true;
    api_error(call, 503, 10013, "This node is out of memory");
    return false;
}

/* Paths that differ from their names, now that they do not move any more. */
static void set_paths(struct bundle_part *files, const size_t *at, size_t count,
                      const struct buf *paths)
{
    for (size_t i = 0; i < count; i++) {
        const struct span path = span_of(buf_data(paths) + at[i]);
        if (path.len > 0 &&
            (path.len != files[i].name.len || memcmp(path.data, files[i].name.data, path.len) != 0))
            files[i].path = path;
    }
}

static bool put_bundle(struct api_call *call, struct catalog *catalog, struct deploy *d,
                       const struct api_part *parts, size_t count)
{
    struct bundle_part *files = mem_alloc((count + 1) * sizeof *files);
    size_t *at = mem_alloc((count + 1) * sizeof *at);
    struct buf lines = {0}, paths = {0};
    bool has_requirements = false, is_good = false;
    struct err err = {0};
    size_t n = 0;
    int r;

    if (!files || !at || !gather_requirements(call, parts, count, &lines))
        goto done;
    for (size_t i = 0; i < count; i++) {
        const struct api_part *p = &parts[i];
        if (is_requirement(p) || strcmp(p->name, "metadata") == 0)
            continue;
        has_requirements |= strcmp(p->name, REQUIREMENTS) == 0;
        if (!path_of(call, d, p, &paths, &at[n]))
            goto done;
        files[n++] = (struct bundle_part){
            .name = span_of(p->name), .type = type_of(d, p), .bytes = p->bytes};
    }
    set_paths(files, at, n, &paths);
    if (buf_len(&lines) > 0 && !has_requirements)
        files[n++] = (struct bundle_part){
            .name = SPAN(REQUIREMENTS), .type = SPAN(REQUIREMENT), .bytes = buf_span(&lines)};
    r = bundles_put(catalog, files, n, d->bundle, &d->bytes, &err);
    if (r == ERR_LIMIT)
        api_error(call, 413, 10027, "%s", err.text);
    else if (r < 0)
        api_fail(call, 10021, &err);
    is_good = r == 0;
done:
    if (!is_good && !api_is_answered(call))
        api_error(call, 503, 10013, "This node is out of memory");
    buf_done(&lines);
    buf_done(&paths);
    mem_free(files);
    mem_free(at);
    return is_good;
}

static const struct api_part *find_part(const struct api_part *parts, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    return NULL;
}

/* Python that a JavaScript worker brings along; NULL: none. */
static const struct api_part *find_python(const struct api_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_named(parts[i].name, ".py") || is_requirement(&parts[i]))
            return &parts[i];
    return NULL;
}

/* Is it code that runs here? */
static bool check_main(struct api_call *call, struct deploy *d, const struct api_part *parts,
                       size_t count)
{
    const struct api_part *main = find_part(parts, count, d->main);
    const struct api_part *other = find_python(parts, count);

    if (!main || is_requirement(main)) {
        api_error(call, 400, 10021, "Uncaught Error: No such module \"%.200s\".", d->main);
        return false;
    }
    if (is_python(d) && !d->is_script)
        return true;
    if (is_python(d) || is_python_flagged(d->metadata)) {
        api_error(
            call, 400, 10021,
            d->is_script
                ? "A Python worker names its main module in \"main_module\", not \"%.200s\" in "
                  "\"body_part\""
                : "The main module of a Python worker must be a .py file, not \"%.200s\"",
            d->main);
        return false;
    }
    if (other) {
        api_error(call, 400, 10021,
                  "\"%.200s\" is Python, which a JavaScript worker cannot use: the main module "
                  "\"%.200s\" is JavaScript",
                  other->name, d->main);
        return false;
    }
    /* Its type may be missing, but not another one. */
    if (main->type[0] && !module_is_code(module_kind(main->type, main->name)) &&
        strncmp(main->type, "application/octet-stream", 24) != 0) {
        api_error(call, 400, 10021, "The main module \"%.200s\" is no JavaScript but %.100s",
                  d->main, main->type);
        return false;
    }
    d->is_draft = is_stub(main, d) && count == 2;
    return true;
}

bool deploy_read_form(struct api_call *call, struct catalog *catalog, struct deploy *d)
{
    struct api_part *parts = NULL;
    const struct api_part *metadata;
    struct err err = {0};
    size_t count = 0;
    bool is_good = false;

    if (api_parts(call, &parts, &count, &err) < 0) {
        api_fail(call, 10021, &err);
        return false;
    }
    metadata = find_part(parts, count, "metadata");
    if (!metadata)
        api_error(call, 400, 10021, "The form has no part \"metadata\"");
    else if (take_metadata(call, d, metadata->bytes) && check_main(call, d, parts, count))
        is_good = put_bundle(call, catalog, d, parts, count);
    api_parts_done(parts, count);
    return is_good;
}
