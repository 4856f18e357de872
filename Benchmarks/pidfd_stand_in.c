// Gatehouse. SPDX-License-Identifier: MIT

// valgrind knows no process descriptors. This library, loaded before the program, gives it ones that never tell of an
// end: enough to count what calls cost, while no child ends.
#define _GNU_SOURCE
#include <sys/eventfd.h>
#include <sys/types.h>

int pidfd_open(pid_t pid, unsigned int flags) {
    (void)pid;
    (void)flags;
    return eventfd(0, EFD_CLOEXEC);
}
