/* kv_inside.h - what kv.c needs of kv_changes.c. */
#ifndef CORRAL_SERVICE_KV_INSIDE_H
#define CORRAL_SERVICE_KV_INSIDE_H

#include "service/kv.h"

/* The body is whole: a call as row/row.h has it. */
int kv_changes_close(struct kv_changes *changes, struct err *err) MUST_CHECK;

#endif
