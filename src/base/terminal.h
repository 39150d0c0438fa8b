/* terminal.h - the terminal that a person types into, seen from the processes that we start. */
#ifndef CORRAL_BASE_TERMINAL_H
#define CORRAL_BASE_TERMINAL_H

/* Where a child may write its words: standard error.  A shell opens a terminal for both ways: it
 * is opened once more then, for writing alone, since whoever takes a child over should not read
 * what a person types.  To be closed (terminal_done) when the child has it. */
int terminal_for_words(void);
void terminal_done(int fd);

#endif
