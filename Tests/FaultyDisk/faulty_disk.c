// Gatehouse. SPDX-License-Identifier: MIT

#include "faulty_disk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

typedef struct {
    sqlite3_vfs disk;
    atomic_int count, first, length, code, largest;
} Disk;

static Disk disks[2];
static sqlite3_vfs *system_disk;

void faulty_disk_fail(int disk, int first, int length, int code) {
    atomic_store(&disks[disk].count, 0);
    atomic_store(&disks[disk].first, first);
    atomic_store(&disks[disk].length, length);
    atomic_store(&disks[disk].code, code);
}

void faulty_disk_limit(int disk, int bytes) {
    atomic_store(&disks[disk].largest, bytes);
}

int faulty_disk_count(int disk) {
    return atomic_load(&disks[disk].count);
}

/// The code that the next operation fails with, or SQLITE_OK.
static int next(Disk *disk) {
    int number = atomic_fetch_add(&disk->count, 1) + 1;
    int begin = atomic_load(&disk->first);
    if (begin == 0 || number < begin || number - begin >= atomic_load(&disk->length)) return SQLITE_OK;
    return atomic_load(&disk->code);
}

// A file, followed in memory by the system's file that it stands for.
typedef struct {
    sqlite3_file base;
    sqlite3_io_methods methods;
    Disk *disk;
} File;

static sqlite3_file *inner(sqlite3_file *file) {
    return (sqlite3_file *)((File *)file + 1);
}

static int close_file(sqlite3_file *f) { return inner(f)->pMethods->xClose(inner(f)); }
static int read_file(sqlite3_file *f, void *bytes, int n, sqlite3_int64 at) {
    return inner(f)->pMethods->xRead(inner(f), bytes, n, at);
}
static int write_file(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at) {
    int failure = next(((File *)f)->disk);
    int largest = atomic_load(&((File *)f)->disk->largest);
    if (!failure && largest && at + n > largest) failure = SQLITE_FULL;
    // A full disk takes a part.
    if (failure == SQLITE_FULL && n > 1) inner(f)->pMethods->xWrite(inner(f), bytes, n / 2, at);
    return failure ? failure : inner(f)->pMethods->xWrite(inner(f), bytes, n, at);
}
static int truncate_file(sqlite3_file *f, sqlite3_int64 size) {
    int failure = next(((File *)f)->disk);
    return failure ? failure : inner(f)->pMethods->xTruncate(inner(f), size);
}
static int sync_file(sqlite3_file *f, int flags) {
    int failure = next(((File *)f)->disk);
    return failure ? failure : inner(f)->pMethods->xSync(inner(f), flags);
}
static int file_size(sqlite3_file *f, sqlite3_int64 *size) { return inner(f)->pMethods->xFileSize(inner(f), size); }
static int lock_file(sqlite3_file *f, int level) { return inner(f)->pMethods->xLock(inner(f), level); }
static int unlock_file(sqlite3_file *f, int level) { return inner(f)->pMethods->xUnlock(inner(f), level); }
static int check_lock(sqlite3_file *f, int *result) {
    return inner(f)->pMethods->xCheckReservedLock(inner(f), result);
}
static int file_control(sqlite3_file *f, int what, void *value) {
    return inner(f)->pMethods->xFileControl(inner(f), what, value);
}
static int sector_size(sqlite3_file *f) { return inner(f)->pMethods->xSectorSize(inner(f)); }
static int characteristics(sqlite3_file *f) { return inner(f)->pMethods->xDeviceCharacteristics(inner(f)); }

static int open_file(sqlite3_vfs *disk, sqlite3_filename name, sqlite3_file *f, int flags, int *out) {
    File *file = (File *)f;
    file->disk = disk->pAppData;
    memset(&file->methods, 0, sizeof file->methods);
    file->base.pMethods = 0;
    if (flags & SQLITE_OPEN_CREATE) {
        int failure = next(file->disk);
        if (failure) return failure;
    }
    int result = system_disk->xOpen(system_disk, name, inner(f), flags, out);
    if (!inner(f)->pMethods) return result;
    // Version 1: no shared memory and no mapping, which one user alone needs neither of.
    file->methods = (sqlite3_io_methods){
        .iVersion = 1, .xClose = close_file, .xRead = read_file, .xWrite = write_file, .xTruncate = truncate_file,
        .xSync = sync_file, .xFileSize = file_size, .xLock = lock_file, .xUnlock = unlock_file,
        .xCheckReservedLock = check_lock, .xFileControl = file_control, .xSectorSize = sector_size,
        .xDeviceCharacteristics = characteristics,
    };
    file->base.pMethods = &file->methods;
    return result;
}

static void register_disks(void) {
    static const char *const names[2] = {"faulty-0", "faulty-1"};
    system_disk = sqlite3_vfs_find(0);
    if (!system_disk) return;
    for (int index = 0; index < 2; index++) {
        sqlite3_vfs *disk = &disks[index].disk;
        *disk = *system_disk;
        disk->pNext = 0;
        disk->zName = names[index];
        disk->szOsFile = (int)sizeof(File) + system_disk->szOsFile;
        disk->pAppData = &disks[index];
        disk->xOpen = open_file;
        sqlite3_vfs_register(disk, 0);
    }
}

void faulty_disk_register(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_disks);
}
