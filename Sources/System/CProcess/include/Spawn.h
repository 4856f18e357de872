// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_SPAWN_H
#define GATEHOUSE_SPAWN_H

#include <stdint.h>

// Starting, signalling and reaping child processes. Failures are negative errno values.

/// A child and this process's descriptors for it, all close-on-exec.
struct gatehouse_child {
    int32_t pid;
    /// A descriptor for the process itself: readable once it has ended.
    int32_t process;
    /// Writes to its standard input.
    int32_t input;
    /// Reads its standard output.
    int32_t output;
    /// Reads its standard error.
    int32_t errors;
    /// Reads its descriptor 3, or -1.
    int32_t status;
};

/// Starts a program in a session of its own, with default signals and pipes at descriptors 0 to 2 (3 if `with_status`).
///
/// It has no other descriptors. `directory` may be null. On failure nothing is left open and no process is left.
int gatehouse_spawn(
    const char *_Nonnull path,
    char *_Nullable const *_Nonnull arguments,
    char *_Nullable const *_Nonnull environment,
    const char *_Nullable directory,
    int with_status,
    struct gatehouse_child *_Nonnull child
);

/// Signals a process by its descriptor.
int gatehouse_signal(int process, int number);

/// Reaps a process that has ended; 1 if it had, 0 if not yet. `*status` is a wait status.
int gatehouse_reap(int process, int *_Nonnull status);

#endif
