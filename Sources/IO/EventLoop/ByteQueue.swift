// Gatehouse. SPDX-License-Identifier: MIT

/// Bytes waiting to be written, at an address that stays as long as nothing is appended.
struct ByteQueue: ~Copyable {
    private var storage: UnsafeMutableRawBufferPointer?
    private(set) var count = 0

    deinit { storage?.deallocate() }

    /// What is held.
    var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            rebasing: storage?[..<count] ?? UnsafeMutableRawBufferPointer(start: nil, count: 0)[...]
        )
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        let end = count + bytes.count
        if end > storage?.count ?? 0 { grow(to: end) }
        guard let storage else { return }
        UnsafeMutableRawBufferPointer(rebasing: storage[count..<end]).copyMemory(from: bytes)
        count = end
    }

    /// Forgets the bytes but keeps the memory, unless it is large.
    mutating func removeAll() {
        count = 0
        if storage?.count ?? 0 > 262_144 {
            storage?.deallocate()
            storage = nil
        }
    }

    private mutating func grow(to needed: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, (storage?.count ?? 0) * 2, 4096),
            alignment: 16
        )
        larger.copyMemory(from: UnsafeRawBufferPointer(bytes))
        storage?.deallocate()
        storage = larger
    }
}
