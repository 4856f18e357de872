// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// The directory of what outlives a gateway, which one gateway at a time has to itself.
///
/// It starts by making what is missing, for this user alone, and by taking the lock; a directory or file that others could
/// change or read is refused. The lock ends with the process, also by kill -9, or with the last reference.
final class StateDirectory {
    /// The directory, without symbolic links.
    let path: String
    /// The database.
    var database: String { "\(path)/gatehouse.db" }
    private let lock: Int32

    init(_ given: String) throws(StoreFailure) {
        try Self.make(given)
        guard let resolved = realpath(given, nil) else { throw Self.failure("reach", given) }
        path = String(cString: resolved)
        free(resolved)
        try Self.check(path, mode: 0o022, kind: mode_t(S_IFDIR), "others may change it")
        lock = try Self.take("\(path)/gatehouse.lock")
        // What is refused from here on gives the lock back, once: an object that is complete is taken down by `deinit`
        // even if its initialiser throws.
        try prepare()
    }

    deinit { Self.release(lock) }

    /// Gives the lock back in words: a process that is being started may hold the descriptor for another moment.
    private static func release(_ lock: Int32) {
        flock(lock, LOCK_UN)
        let result = close(lock)
        assert(result == 0, "a descriptor closed twice is by then another's")
    }

    /// Makes the directory, and those above it that are missing.
    private static func make(_ path: String) throws(StoreFailure) {
        var place = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            place += "/\(part)"
            if mkdir(place, 0o700) != 0, errno != EEXIST, errno != EISDIR, errno != EROFS, errno != EACCES {
                throw failure("make", place)
            }
        }
    }

    private static func take(_ path: String) throws(StoreFailure) -> Int32 {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("open", path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let isTaken = errno == EWOULDBLOCK
            let why = failure("lock", path)
            defer { close(file) }
            guard isTaken else { throw why }
            var text = [UInt8](repeating: 0, count: 16)
            let count = read(file, &text, 16)
            let holder = String(decoding: text.prefix(max(count, 0)), as: UTF8.self)
            let name = Int(holder).map { " (process \($0))" } ?? ""
            throw StoreFailure(.taken, "another gateway\(name) uses the state in \(path)")
        }
        // Who holds it, for the message of another gateway; without it that only says less.
        let text = Array("\(getpid())".utf8)
        if ftruncate(file, 0) == 0 { _ = write(file, text, text.count) }
        return file
    }

    /// Makes an empty database if there is none, so that nobody else ever reads it.
    private func prepare() throws(StoreFailure) {
        let file = open(database, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if file >= 0 {
            close(file)
            guard access("\(database)-wal", F_OK) != 0 else {
                unlink(database)
                let text = "\(database) is missing, although its newest changes are there (gatehouse.db-wal)"
                throw StoreFailure(.refused, text)
            }
            return
        }
        guard errno == EEXIST else { throw Self.failure("make", database) }
        try Self.check(database, mode: 0o077, kind: mode_t(S_IFREG), "others may read or change it")
        guard access(database, R_OK | W_OK) == 0 else { throw Self.failure("write", database) }
    }

    /// Refuses what is of another kind than it should be, or open to others.
    private static func check(
        _ path: String,
        mode: mode_t,
        kind: mode_t,
        _ reason: String
    ) throws(StoreFailure) {
        var found = stat()
        guard lstat(path, &found) == 0 else { throw failure("look at", path) }
        guard found.st_mode & mode_t(S_IFMT) == kind else {
            let wanted = kind == mode_t(S_IFDIR) ? "directory" : "plain file"
            throw StoreFailure(.refused, "\(path) is no \(wanted)")
        }
        guard found.st_mode & mode == 0 else {
            let wanted = kind == mode_t(S_IFDIR) ? "700" : "600"
            throw StoreFailure(.refused, "\(path): \(reason); set its mode to \(wanted)")
        }
    }

    private static func failure(_ verb: String, _ path: String) -> StoreFailure {
        StoreFailure(.refused, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
