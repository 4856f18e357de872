// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_CSQLITE_SHIM_H
#define GATEHOUSE_CSQLITE_SHIM_H
#include <sqlite3.h>

// Swift cannot call variadic functions, and does not see macros that are casts.

// Switches one of the options SQLITE_DBCONFIG_… that are on or off.
static inline int gatehouse_sqlite_switch(sqlite3 *_Nonnull database, int option, int isOn) {
    return sqlite3_db_config(database, option, isOn, (int *)0);
}

// SQLite copies the bytes.
static inline int gatehouse_sqlite_bind_text(
    sqlite3_stmt *_Nonnull statement, int index, const char *_Nullable bytes, int count) {
    return sqlite3_bind_text(statement, index, bytes ? bytes : "", count, SQLITE_TRANSIENT);
}

// SQLite copies the bytes. Without any it is empty, not NULL.
static inline int gatehouse_sqlite_bind_blob(
    sqlite3_stmt *_Nonnull statement, int index, const void *_Nullable bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes ? bytes : "", count, SQLITE_TRANSIENT);
}

#endif
