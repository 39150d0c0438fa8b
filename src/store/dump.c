/* dump.c - the database as SQL text. */
#include "store/inside.h"

int connection_dump(struct connection *c, const struct dump_options *options,
                    const struct sink *sink, struct err *err)
{
    (void)c;
    (void)options;
    (void)sink;
    return err_set(err, ERR_SYSTEM, "there is no export yet");
}
