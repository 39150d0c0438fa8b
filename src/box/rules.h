/* rules.h - inside box: what the files with filters share: lists of calls as rules, and the
 * compiled program. */
#ifndef CORRAL_BOX_RULES_H
#define CORRAL_BOX_RULES_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "box/box.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Stands for "my own pid" in the compiled filter; replaced when it is entered. */
enum { RULES_OWN_PID = 0x3bd1e995 };

/* `action` for each call of a list of SCMP_SYS numbers.  0, or a negative errno. */
int rules_list(scmp_filter_ctx ctx, uint32_t action, const int *list, size_t n);
/* Allow `call` when argument `arg` is one of the values.  Likewise. */
int rules_values(scmp_filter_ctx ctx, int call, unsigned arg, const uint64_t *values, size_t n);
/* Allow mmap and mprotect without these bits of PROT_, and without huge pages, which no limit
 * counts and no process's memory shows: who asks for one hears that there is none.  Likewise. */
int rules_memory(scmp_filter_ctx ctx, uint64_t without);
/* Allow memfd_create, without huge pages.  Likewise. */
int rules_memory_files(scmp_filter_ctx ctx);
/* The rules of BOX_READER, BOX_TOOL and BOX_PACKAGER.  Likewise. */
enum rules_more {                    /* of BOX_PACKAGER, bits */
                  RULES_SIGNALS = 1, /* to any process that the kernel lets it reach: another layer
                                        keeps them in */
                  RULES_LOCAL_SOCKETS = 2, /* connections to unix sockets */
};
int rules_small(scmp_filter_ctx ctx, enum box_stage stage, enum rules_more more);
/* box_filter_init, of these stages too. */
int rules_filter(struct box_filter *f, enum box_stage stage, enum rules_more more,
                 struct err *err) MUST_CHECK;
/* The program that the rules make; the caller's to box_filter_done.  ERR_SYSTEM, ERR_NOMEM. */
int rules_compile(scmp_filter_ctx ctx, struct box_filter *ret, struct err *err) MUST_CHECK;

#endif
