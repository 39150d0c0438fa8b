/* cells.h - which cells of JavaScript's heap are PyProxies, by address.
 *
 * Every object that crosses is asked whether it is one.  The engine answers
 * that under its lock, several times over (80 ns); nearly always the answer is
 * no, and this table gives that one in 3 ns.
 *
 * A cell may end, and its place be used again, before the collector says so:
 * an entry found is a hint to be made sure of, none found is the truth.
 *
 * Thread: the one that has the engine; cells_remove also from inside its
 * collector, so it allocates nothing. */
#ifndef CORRAL_REALM_BRIDGE_CELLS_H
#define CORRAL_REALM_BRIDGE_CELLS_H

struct py_proxy;

/* Room for n entries more; 0 or ERR_NOMEM.  cells_add needs it. */
int cells_reserve(unsigned n);
void cells_add(const void *cell, struct py_proxy *p);
/* NULL when there is none. */
struct py_proxy *cells_find(const void *cell);
/* Nothing when the cell belongs to another one by now. */
void cells_remove(const void *cell, const struct py_proxy *p);

#endif
