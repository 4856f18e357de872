// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_REPORT_H
#define GATEHOUSE_REPORT_H

#include <stdint.h>

// What the launcher writes to descriptor 3: either one failure, or RUNNING and later ENDED. Around a wrapper RUNNING and
// ENDED are written by the launcher inside, and the outer one adds what it knows.

enum {
    /// The server runs; the value is its process id.
    REPORT_RUNNING = 1,
    /// The server's wait status, once nothing of it is left.
    REPORT_ENDED = 2,
    /// An errno value: the working directory.
    REPORT_CHDIR_FAILED = 3,
    /// An errno value: the program.
    REPORT_EXEC_FAILED = 4,
    /// An errno value: the system refused something before.
    REPORT_SETUP_FAILED = 5,
    /// The wait status of a wrapper, once nothing is left of what it wrapped.
    REPORT_WRAPPER_ENDED = 6,
    /// How many processes were killed for their memory; only if there were any.
    REPORT_MEMORY_KILLS = 7,
    /// How often a further process was refused; only if one was.
    REPORT_PROCESS_REFUSALS = 8,
    /// An errno value: the wrapper's program.
    REPORT_WRAPPER_FAILED = 9,
    /// An errno value: a control group.
    REPORT_GROUP_FAILED = 10,
};

struct report {
    int32_t kind;
    int32_t value;
};

#endif
