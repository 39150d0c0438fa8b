/* tier.c - names of layers and grades, and what follows from a set of layers. */
#include "box/tier.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const LAYERS[BOX_LAYERS] = {
    [BOX_SECCOMP] = "seccomp", [BOX_LANDLOCK] = "landlock", [BOX_TREE] = "tree",
    [BOX_PIDS] = "pids",       [BOX_NET] = "net",           [BOX_IPC] = "ipc",
    [BOX_USER] = "user",       [BOX_UID] = "uid",
};

static const char *const GRADES[BOX_GRADES] = {
    [BOX_GRADE_NONE] = "none",
    [BOX_GRADE_SECCOMP] = "seccomp",
    [BOX_GRADE_LANDLOCK] = "landlock",
    [BOX_GRADE_NAMESPACES] = "namespaces",
    [BOX_GRADE_UNPRIVILEGED] = "unprivileged",
    [BOX_GRADE_FULL] = "full",
};

/* Without these a process is not on its own. */
static const unsigned NAMESPACES =
    BOX_BIT(BOX_TREE) | BOX_BIT(BOX_PIDS) | BOX_BIT(BOX_NET) | BOX_BIT(BOX_IPC);

static bool has(unsigned layers, unsigned all)
{
    return (layers & all) == all;
}

const char *box_layer_name(enum box_layer layer)
{
    return LAYERS[layer];
}

const char *box_grade_name(enum box_grade grade)
{
    return GRADES[grade];
}

enum box_grade box_grade_of(unsigned layers)
{
    for (enum box_grade grade = BOX_GRADE_FULL; grade > BOX_GRADE_NONE; grade--) {
        /* A user namespace is a way to the others, and one more wall: no grade depends on it. */
        unsigned need = box_grade_layers(grade) & ~BOX_BIT(BOX_USER);
        if (grade <= BOX_GRADE_LANDLOCK)
            need &= ~BOX_BIT(BOX_UID);
        if (has(layers, need))
            return grade;
    }
    return BOX_GRADE_NONE;
}

unsigned box_grade_layers(enum box_grade grade)
{
    const unsigned seccomp = BOX_BIT(BOX_SECCOMP), landlock = BOX_BIT(BOX_LANDLOCK),
                   namespaces = NAMESPACES | BOX_BIT(BOX_USER);

    switch (grade) {
    case BOX_GRADE_SECCOMP:
        return seccomp;
    case BOX_GRADE_LANDLOCK:
        return seccomp | landlock;
    case BOX_GRADE_NAMESPACES:
        return seccomp | namespaces;
    case BOX_GRADE_UNPRIVILEGED:
        return seccomp | landlock | namespaces;
    case BOX_GRADE_FULL:
        return seccomp | landlock | namespaces | BOX_BIT(BOX_UID);
    default:
        return 0;
    }
}

int box_grade_from(struct span name, enum box_grade *ret, struct err *err)
{
    for (enum box_grade grade = 0; grade < BOX_GRADES; grade++)
        if (span_is(name, GRADES[grade])) {
            *ret = grade;
            return 0;
        }
    (void)err_set(err, ERR_INVALID, "'%.*s' is no grade of the box", SPAN_ARG(name));
    return err_hint(err, "There are none, seccomp, landlock, namespaces, unprivileged and full.");
}

int box_uids_get(const char *text, struct box_uids *ret, struct err *err)
{
    enum { PEOPLE = 1000, MOST = 2147483647 };
    unsigned long first = BOX_UID_FIRST, last = BOX_UID_LAST;
    char *end;

    if (text) {
        first = strtoul(text, &end, 10);
        last = *end == '-' && end > text && end[1] >= '0' && end[1] <= '9'
                   ? strtoul(end + 1, &end, 10)
                   : 0;
        if (*end || text[0] < '0' || text[0] > '9' || first < PEOPLE || last < first ||
            last > MOST) {
            err_set(err, ERR_INVALID, "'%.60s' is no range of user ids", text);
            return err_hint(err,
                            "FIRST-LAST, from %d to %d, of ids that nobody else has: "
                            "\"%d-%d\" are the default.",
                            PEOPLE, MOST, BOX_UID_FIRST, BOX_UID_LAST);
        }
    }
    *ret = (struct box_uids){(unsigned)first, (unsigned)last};
    return 0;
}

bool box_is_for_strangers(unsigned layers)
{
    return has(layers, BOX_BIT(BOX_SECCOMP)) &&
           (has(layers, BOX_BIT(BOX_LANDLOCK)) || has(layers, NAMESPACES));
}

bool box_keeps_signals(unsigned layers, int landlock_abi)
{
    enum { SCOPES = 6 }; /* the ABI that has them */

    return layers & (BOX_BIT(BOX_PIDS) | BOX_BIT(BOX_UID)) ||
           (layers & BOX_BIT(BOX_LANDLOCK) && landlock_abi >= SCOPES);
}

void box_layers_put(unsigned layers, char ret[static BOX_LAYERS_TEXT])
{
    size_t at = 0;

    ret[0] = '\0';
    for (enum box_layer layer = 0; layer < BOX_LAYERS; layer++)
        if (layers & BOX_BIT(layer))
            at += (size_t)snprintf(ret + at, BOX_LAYERS_TEXT - at, "%s%s", at > 0 ? "," : "",
                                   LAYERS[layer]);
}

static int layer_from(struct span name, unsigned *layers, struct err *err)
{
    for (enum box_layer layer = 0; layer < BOX_LAYERS; layer++)
        if (span_is(name, LAYERS[layer])) {
            *layers |= BOX_BIT(layer);
            return 0;
        }
    return err_set(err, ERR_INVALID, "'%.*s' is no layer of the box", SPAN_ARG(name));
}

int box_layers_get(struct span text, unsigned *ret, struct err *err)
{
    unsigned layers = 0;
    int r = 0;

    while (text.len > 0 && r == 0) {
        const char *comma = memchr(text.data, ',', text.len);
        size_t n = comma ? (size_t)(comma - text.data) : text.len, used = comma ? n + 1 : n;
        r = layer_from((struct span){text.data, n}, &layers, err);
        text.data += used;
        text.len -= used;
    }
    if (r == 0)
        *ret = layers;
    return r;
}
