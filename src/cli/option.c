/* option.c - walk argv by the table. */
#include "cli/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/nearest.h"

static const struct option *find(const struct option *table, const char *arg, size_t len)
{
    for (; table->name; table++) {
        if (strlen(table->name) == len && strncmp(table->name, arg, len) == 0)
            return table;
        if (table->letter && strlen(table->letter) == len && strncmp(table->letter, arg, len) == 0)
            return table;
    }
    return NULL;
}

static int refuse(const struct option *table, const char *arg, size_t len, struct err *err)
{
    char word[NEAREST_LEN_MAX + 2];
    struct nearest near;

    snprintf(word, sizeof word, "%.*s", (int)len, arg);
    nearest_init(&near, word);
    for (; table->name; table++)
        nearest_try(&near, table->name);
    err_set(err, ERR_INVALID, "unknown option '%s'", word);
    if (near.best)
        err_hint(err, "Did you mean %s? --help lists all.", near.best);
    else
        err_hint(err, "--help lists what there is.");
    return ERR_INVALID;
}

/* The switch that `--no-name` turns off. */
static const struct option *find_negated(const struct option *table, const char *arg, size_t len)
{
    char name[NEAREST_LEN_MAX + 2];
    const struct option *option;

    if (len < 6 || len > NEAREST_LEN_MAX || strncmp(arg, "--no-", 5) != 0)
        return NULL;
    snprintf(name, sizeof name, "--%.*s", (int)len - 5, arg + 5);
    option = find(table, name, strlen(name));
    return option && !option->argument ? option : NULL;
}

static int read_switch(const struct option *option, const char *value, struct err *err)
{
    if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
        return 0;
    return err_set(err, ERR_INVALID, "%s is true or false, not '%s'", option->name, value);
}

int option_parse(const struct option *table, char **args, option_take_fn take, void *self,
                 struct err *err)
{
    int r, is_over = 0;

    for (; *args; args++) {
        const char *arg = *args, *value = NULL;
        const struct option *option;
        size_t len = strcspn(arg, "=");
        if (is_over || arg[0] != '-' || arg[1] == '\0') {
            r = take(self, NULL, arg, err);
            if (r < 0)
                return r;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            is_over = 1;
            continue;
        }
        option = find(table, arg, len);
        if (!option && !arg[len]) {
            option = find_negated(table, arg, len);
            value = "false";
        }
        if (!option)
            return refuse(table, arg, len, err);
        if (option->argument) {
            value = arg[len] == '=' ? arg + len + 1 : *++args;
            if (!value)
                return err_set(err, ERR_INVALID, "%s needs a value: %s %s", option->name,
                               option->name, option->argument);
        } else if (arg[len] == '=') {
            value = arg + len + 1;
        }
        if (!option->argument && value && read_switch(option, value, err) < 0)
            return err->code;
        r = take(self, option, value, err);
        if (r < 0)
            return r;
    }
    return 0;
}

bool option_is_on(const char *value)
{
    return !value || strcmp(value, "false") != 0;
}

void option_print(const struct option *table, size_t count)
{
    char left[64];

    for (const struct option *end = table + count; table < end; table++) {
        if (!table->help)
            continue;
        snprintf(left, sizeof left, "%s%s%s%s%s", table->letter ? table->letter : "",
                 table->letter ? ", " : "", table->name, table->argument ? " " : "",
                 table->argument ? table->argument : "");
        printf("  %-32s %s\n", left, table->help);
    }
}

int option_number(const char *name, const char *text, long min, long max, long *ret,
                  struct err *err)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (end == text || *end || errno || n < min || n > max)
        return err_set(err, ERR_INVALID, "%s takes a number from %ld to %ld, not '%s'", name, min,
                       max, text);
    *ret = n;
    return 0;
}
