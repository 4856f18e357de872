// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_REPORT_H
#define GATEHOUSE_REPORT_H

#include <stdint.h>

// What the launcher writes to descriptor 3: either one failure, or RUNNING and later ENDED.

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
};

struct report {
    int32_t kind;
    int32_t value;
};

#endif
