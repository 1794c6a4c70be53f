/* SPDX-License-Identifier: Apache-2.0 */
/* A flag that is set when time is up or somebody interrupts, for work that looks at a flag and no
 * clock (db_stop_when). One at a time in a process, which ends three seconds later if the work does
 * not. */
#ifndef DEADLINE_H
#define DEADLINE_H

/* Starts to count; the flag is 0 until the process has computed for so long. */
const volatile int *deadline_open(int milliseconds);
/* Returns 1 if time was up. */
int deadline_close(void);

#endif
