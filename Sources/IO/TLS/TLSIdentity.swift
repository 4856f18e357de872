// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// The context of a listener, which is made anew when its files change.
///
/// Connections keep the context that they began with. Files that changed into something that does not work leave the old
/// context in place, and are tried again when they change again: a certificate may come before its key.
package final class TLSIdentity {
    /// What distinguishes a file from the one that had its name before.
    private struct Stamp: Equatable {
        var device: UInt = 0
        var inode: UInt = 0
        var size = 0
        var seconds = 0
        var nanoseconds = 0
    }

    /// What new connections speak with.
    package private(set) var context: TLSContext
    private let settings: TLSSettings
    private var stamps: [Stamp]

    /// Reads the files.
    package init(_ settings: TLSSettings) throws(TLSFailure) {
        // Taken before the files are read: what changes in between is read again.
        stamps = Self.stamps(of: settings)
        context = try TLSContext(settings)
        self.settings = settings
    }

    /// Reads the files again if one of them is another than it was.
    ///
    /// - Returns: Whether new connections use new files.
    /// - Throws: Why they go on with the old ones; once for each change.
    package func renewIfChanged() throws(TLSFailure) -> Bool {
        let found = Self.stamps(of: settings)
        guard found != stamps else { return false }
        stamps = found
        context = try TLSContext(settings)
        return true
    }

    private static func stamps(of settings: TLSSettings) -> [Stamp] {
        settings.files.map { file in
            var found = stat()
            guard stat(file, &found) == 0 else { return Stamp() }
            return Stamp(
                device: UInt(found.st_dev),
                inode: UInt(found.st_ino),
                size: Int(found.st_size),
                seconds: found.st_mtim.tv_sec,
                nanoseconds: found.st_mtim.tv_nsec
            )
        }
    }
}
