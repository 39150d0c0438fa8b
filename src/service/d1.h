/* d1.h - calls of workers on D1 databases: an outcall on one side, a store's call on the other.
 *
 * Inside of service.c.  What passes is not read: the worker and the store know
 * what it means, and both check it. */
#ifndef CORRAL_SERVICE_D1_H
#define CORRAL_SERVICE_D1_H

#include "herd/herd.h"
#include "keeper/keeper.h"
#include "service/outlets.h"

/* Answers the outcall, whatever it asks for. */
void d1_call(struct keeper *keeper, const struct outlets *outlets, const struct outlet *outlet,
             struct outcall *outcall, const struct outcall_head *head, bool is_end);

#endif
