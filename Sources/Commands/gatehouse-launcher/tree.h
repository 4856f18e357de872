// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_TREE_H
#define GATEHOUSE_TREE_H

#include <sys/types.h>

// The descendants of this process. Since it is their subreaper, none of them can leave: one whose parent ends becomes
// a child of this process, in whatever session or group it is.

/// Sends a signal to every descendant.
void signal_tree(int number);

/// Sends a signal to the children of one process, and not to their descendants.
void signal_children(pid_t parent, int number);

/// Kills every descendant and reaps them, those that appear meanwhile too. Keeps the wait status of `server`.
///
/// Gives up after ten seconds, which only processes stuck in the kernel can outlast.
void kill_tree(pid_t server, int *status);

/// Sets close-on-exec.
void close_on_exec(int descriptor);

#endif
