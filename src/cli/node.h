/* node.h - what `corral dev` and `corral serve` have in common: they are nodes.
 *
 * Names of CORRAL_TEST_... settings are for tests and benchmarks: deadlines and numbers that nobody else
 * needs to turn.  Loop thread only. */
#ifndef CORRAL_CLI_NODE_H
#define CORRAL_CLI_NODE_H

#include <stdint.h>

#include "base/err.h"
#include "box/tier.h"
#include "cli/program.h"
#include "cli/uids.h"
#include "front/front.h"
#include "herd/herd.h"
#include "keeper/keeper.h"
#include "project/diagnostic.h"
#include "service/service.h"

enum {
    NODE_CONNECTIONS = 16 * 1024,
    NODE_DESCRIPTORS_FEW = 4096, /* below: a warning */
};

struct node_programs {
    char worker[PROGRAM_PATH_MAX];
    char store[PROGRAM_PATH_MAX];
};
/* ERR_SYSTEM: one is not there. */
int node_find_programs(struct node_programs *ret, struct err *err) MUST_CHECK;

/* corral-worker alone, as every command that reads a project needs it.  Unless node_box has looked before,
 * it is asked to enter what every machine has, and Landlock where that is. */
int node_find_worker(char ret_path[PROGRAM_PATH_MAX], struct err *err) MUST_CHECK;

/* A connection costs a descriptor: take as many as the system lets us have, and say so when those
 * are few. */
void node_raise_descriptor_limit(void);
/* How many clients may be connected at once: `wanted` (0 or less: NODE_CONNECTIONS), or as many as leave
 * a quarter of the descriptors to workers, databases and what workers fetch. */
unsigned node_connections(int64_t wanted);

/* A number that a test or a benchmark asks for through the environment. */
int node_setting(const char *name, int otherwise);

/* What this machine offers to keep workers in; the first call looks, and must come before there are
 * threads.  CORRAL_TEST_BOX=GRADE lowers it: tests only.  NULL: that is no grade. */
const struct box_tier *node_box(struct err *err);

/* What all workers may hold together: so many MiB; below 1: three quarters of what the machine has, or lets us
 * have. */
int64_t node_memory_bytes(int64_t mb);

/* Configurations with the test settings in them; what is not about them is zero. */
struct front_timeouts node_timeouts(int drain_ms);
struct service_config node_service(struct keeper *keeper);
/* Where accounts have user ids: hold the range that they are out of until this process ends (uids.h).
 * Warns when nobody can tell whether it is another node's.  ERR_INVALID: somebody has it. */
int node_claim_uids(struct uids *uids, struct err *err) MUST_CHECK;
/* keeper_config.box_uid of who has no accounts: all of it is the first one's of the range. */
int node_box_uid(void *self, const char *folder, unsigned *ret_uid, struct err *err);
struct keeper_config node_keeper(const struct node_programs *programs, enum keeper_sync sync);

/* Wheels that workers install are kept in FOLDER/wheels. */
int node_keep_wheels(struct service *service, const char *folder, struct err *err) MUST_CHECK;

/* Its grade and layers in the log: a warning when it is only for code that one trusts. */
void node_say_box(const struct box_tier *box);
/* What workers of a node that was killed have left running, where no pid namespace ended it. */
void node_end_leftovers(const struct box_tier *box, const struct node_programs *programs);

/* Each as a line of the log. */
void node_say_diagnostics(const struct diagnostics *d);

/* Was an error of front_listen "somebody has this port"?  Then say who, and `advice` as the hint. */
bool node_is_port_taken(const struct err *err);
int node_explain_port(const char *ip, int port, const char *advice, struct err *err);

#endif
