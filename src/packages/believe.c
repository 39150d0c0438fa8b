/* believe.c - each path of an answer, followed to its end. */
#include "packages/believe.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_DIGITS = 32 };

/* Below `folder`, by its letters. */
static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && path[n] == '/' && path[n + 1];
}

static bool is_plain(const char *path)
{
    return path && !strchr(path, '\n') && !strstr(path, "/../") && !strstr(path, "//") &&
           (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

/* Below it once every link is followed, too. */
static bool ends_below(const char *path, const char *folder)
{
    char *end = realpath(path, NULL), *place = realpath(folder, NULL);
    bool is_in = end && place && is_below(end, place);

    free(end);
    free(place);
    return is_in;
}

static bool is_in(json_t *path, const char *folder)
{
    const char *text = json_string_value(path);

    return is_plain(text) && is_below(text, folder) && ends_below(text, folder);
}

static bool is_hash(const char *text)
{
    size_t n = 0;

    while (text && isxdigit((unsigned char)text[n]))
        n++;
    return n == HASH_DIGITS && !text[n];
}

static int doubt(json_t *said, struct err *err)
{
    const char *text = json_string_value(said);

    return err_set(err, ERR_SYSTEM,
                   "the packager's answer names '%.200s', which is none of its places",
                   text ? text : "?");
}

/* What it read: files of the project, which are there or are not. */
static bool is_of_project(json_t *path, const char *project)
{
    const char *text = json_string_value(path);

    return is_plain(text) && is_below(text, project);
}

static bool is_left_out(json_t *path)
{
    const char *text = json_string_value(path);

    return is_plain(text) && is_below(text, "python_modules");
}

int believe_answer(json_t *answer, const char *home, const char *state, const char *project,
                   struct err *err)
{
    json_t *environment = json_object_get(answer, "environment"), *one;
    json_t *set = json_object_get(answer, "set");
    const char *text = json_string_value(environment), *name = json_string_value(set);
    size_t i;

    if (!is_hash(json_string_value(json_object_get(answer, "hash"))) || !text || !name)
        return err_set(err, ERR_SYSTEM, "the packager's answer is none");
    if (text[0] && (!is_in(environment, state) || !is_hash(text + strlen(state) + 1)))
        return doubt(environment, err);
    if (name[0] && !is_in(set, home))
        return doubt(set, err);
    json_array_foreach(json_object_get(answer, "folders"), i,
                       one) if (!is_in(one, home) && !is_in(one, state)) return doubt(one, err);
    json_array_foreach(json_object_get(answer, "inputs"), i,
                       one) if (!is_of_project(one, project)) return doubt(one, err);
    json_array_foreach(json_object_get(answer, "left_out"), i,
                       one) if (!is_left_out(one)) return doubt(one, err);
    return 0;
}
