/* status.h - the standard words for a status code; "" when there are none. */
#ifndef CORRAL_TEXT_STATUS_H
#define CORRAL_TEXT_STATUS_H

#include "base/span.h"

struct span status_text(unsigned status);

#endif
