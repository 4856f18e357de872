// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_OPTIONS_H
#define GATEHOUSE_OPTIONS_H

#include <sys/types.h>

#include "groups.h"

/// What the launcher was asked for; zero where nothing was said.
struct options {
    pid_t parent;
    const char *directory;
    /// The command is a wrapper, which runs another launcher that runs the server.
    int is_wrapper;
    /// This is that other launcher: the first process of a process namespace.
    int is_inside;
    /// Bytes of address space, for each process of the server.
    unsigned long memory;
    /// Processes and threads of the server's user.
    unsigned long processes;
    struct groups groups;
    char **command;
};

/// Options come in pairs, so that more can be added; false for anything that is not understood.
int parse_options(int count, char **arguments, struct options *options);

#endif
