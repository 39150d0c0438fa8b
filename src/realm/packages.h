/* packages.h - the sub-command `corral-worker packages`: a job on stdin, lines of JSON on stdout.
 *
 * What they say: src/packages/packages.h.  The work is Python's, sdk/python/packager/: here it gets
 * a CPython of its own, isolated from the environment's PYTHON* and without JavaScript, that imports
 * the SDK's modules out of this program.  The process does nothing else, ends with packages_main, and
 * dies with the thread that started it. */
#ifndef CORRAL_REALM_PACKAGES_H
#define CORRAL_REALM_PACKAGES_H

/* The exit code: 0 when the last line was written, be it an error. */
int packages_main(void);

#endif
