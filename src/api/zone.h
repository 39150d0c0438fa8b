/* zone.h - the zones that a node of one's own does not have.
 *
 * Routes name zones, and wrangler asks for their ids.  Here every name of a host is a zone: its id is made of the
 * name alone, 32 hexadecimal digits, and means nothing else. */
#ifndef CORRAL_API_ZONE_H
#define CORRAL_API_ZONE_H

#include <stdbool.h>

#include "base/span.h"
#include "catalog/trigger.h"

void zone_id(struct span name, char out[ID_SIZE]);
/* Does the route belong to it: by the zone it was given with, or by a name that its host ends with? */
bool zone_has(const char *id, const struct route *route);

#endif
