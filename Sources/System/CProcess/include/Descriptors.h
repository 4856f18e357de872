// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_DESCRIPTORS_H
#define GATEHOUSE_DESCRIPTORS_H

// Descriptors of kinds that Swift's Glibc module does not know. Failures are negative errno values.

/// A counter that wakes a poller (eventfd), close-on-exec and non-blocking.
int gatehouse_eventfd(void);

/// A pipe with both ends close-on-exec, blocking; ends[0] reads, ends[1] writes.
int gatehouse_pipe(int *_Nonnull ends);

/// Sets close-on-exec.
int gatehouse_set_cloexec(int descriptor);

enum gatehouse_kind {
    /// Nothing that can be polled: a regular file, a directory, /dev/null.
    GATEHOUSE_OTHER,
    GATEHOUSE_FIFO,
    GATEHOUSE_SOCKET,
    GATEHOUSE_TERMINAL,
};

/// What stands behind a descriptor.
int gatehouse_descriptor_kind(int descriptor);

/// Names the calling thread; the kernel keeps 15 bytes of it.
void gatehouse_name_thread(const char *_Nonnull name);

/// Asks for a larger buffer of a pipe; does nothing where the system does not grant it.
void gatehouse_widen_pipe(int fd, int bytes);

#endif
