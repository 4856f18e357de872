// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_FAULTY_DISK_H
#define GATEHOUSE_FAULTY_DISK_H

// Disks for SQLite ("VFS") named "faulty-0" and "faulty-1", over the system's: they fail when they are told to.
//
// Each counts every operation that changes a file: writes, syncs, truncations, and creations. One suite of tests uses one.

#include <sqlite3.h>

/// Makes the disks known to SQLite.
void faulty_disk_register(void);

/// From now on, operation `first` (from 1) of a disk and the `length - 1` after it fail with `code`, such as SQLITE_FULL.
///
/// 0 for `first` lets all succeed. The count begins anew.
void faulty_disk_fail(int disk, int first, int length, int code);

/// From now on no file of a disk may become larger; 0 takes the bound away.
void faulty_disk_limit(int disk, int bytes);

/// Operations of a disk since the count began.
int faulty_disk_count(int disk);

#endif
