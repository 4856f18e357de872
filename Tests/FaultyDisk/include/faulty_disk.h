// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_FAULTY_DISK_H
#define GATEHOUSE_FAULTY_DISK_H

// A disk for SQLite (a "VFS") named "faulty", over the system's: it fails when it is told to.
//
// It counts every operation that changes a file: writes, syncs, truncations, and creations. One thread sets it while no
// database writes.

#include <sqlite3.h>

/// Makes the disk known to SQLite; once.
void faulty_disk_register(void);

/// From now on, operation `first` (from 1) and the `length - 1` after it fail with `code`, such as SQLITE_FULL.
///
/// 0 for `first` lets all succeed. The count begins anew.
void faulty_disk_fail(int first, int length, int code);

/// Operations since the count began.
int faulty_disk_count(void);

#endif
