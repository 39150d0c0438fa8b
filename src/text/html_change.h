/* html_change.h - between html_rewrite.c and html_change.c: changes of a token, and how it is
 * written.
 *
 * Errors: ERR_NOMEM. */
#ifndef CORRAL_TEXT_HTML_CHANGE_H
#define CORRAL_TEXT_HTML_CHANGE_H

#include "text/html_rewrite.h"

void html_changes_done(struct html_changes *c);
void html_ending_free(struct html_ending *e);
/* Forget what was done to the token at hand. */
void html_change_clear(struct html_rewriter *rw);
/* What was passed on as it came before the token at hand, to `out`. */
int html_change_flush_run(struct html_rewriter *rw) MUST_CHECK;
/* To `out`, unless it belongs to what was removed. */
int html_change_write(struct html_rewriter *rw, struct span bytes) MUST_CHECK;
/* The token with its changes. */
int html_change_flush(struct html_rewriter *rw) MUST_CHECK;

#endif
