/* browser.h - show an address in the browser of whoever sits here. */
#ifndef CORRAL_CLI_BROWSER_H
#define CORRAL_CLI_BROWSER_H

#include <uv.h>

#include "base/err.h"

/* By $BROWSER, xdg-open or open, the first that is there.  What comes of it later
 * is logged; the program does not wait for it.  ERR_SYSTEM with a hint. */
int browser_open(uv_loop_t *loop, const char *url, struct err *err) MUST_CHECK;

#endif
