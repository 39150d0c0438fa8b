/* labels.c - see labels.h. */
#include "cli/labels.h"

#include <string.h>

#include "cli/clean.h"

static int put_value(struct buf *out, const char *value, int column)
{
    int r = 0;

    while (r == 0) {
        size_t len = strcspn(value, "\n");
        r = clean_put(out, (struct span){value, len});
        if (r == 0)
            r = buf_append(out, "\n", 1);
        if (!value[len])
            break;
        value += len + 1;
        if (r == 0 && value[0] && value[0] != '\n')
            r = buf_print(out, "%*s", column, "");
    }
    return r;
}

int labels_put(struct buf *out, const struct label *labels, size_t count, enum labels_side side,
               int indent)
{
    int widest = 0, r = 0;

    for (size_t i = 0; i < count; i++)
        if ((int)strlen(labels[i].name) > widest)
            widest = (int)strlen(labels[i].name);
    for (size_t i = 0; i < count && r == 0; i++) {
        const char *value = labels[i].value && labels[i].value[0] ? labels[i].value : "-";
        int gap = widest - (int)strlen(labels[i].name);
        r = side == LABELS_LEFT
                ? buf_print(out, "%*s%s:%*s", indent, "", labels[i].name, gap + 2, "")
                : buf_print(out, "%*s%s:  ", indent + gap, "", labels[i].name);
        if (r == 0)
            r = put_value(out, value, indent + widest + 3);
    }
    return r;
}
