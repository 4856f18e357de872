// Gatehouse. SPDX-License-Identifier: MIT

/// Bytes that wait to be written or to be read, at an address that stays as long as nothing is added.
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

    /// Memory behind the bytes, for more of them: at least `least`, and as much as `total` has in all.
    mutating func room(_ least: Int, total: Int) -> UnsafeMutableRawBufferPointer {
        if (storage?.count ?? 0) - count < least { grow(to: max(count + least, total)) }
        guard let storage else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return UnsafeMutableRawBufferPointer(rebasing: storage[count...])
    }

    /// So many bytes have been put into the room.
    mutating func extend(by bytes: Int) {
        count = min(count + bytes, storage?.count ?? 0)
    }

    /// Forgets the first bytes, and gives memory back that the others do not need.
    mutating func removeFirst(_ bytes: Int) {
        guard bytes > 0, let storage else { return }
        let rest = UnsafeRawBufferPointer(rebasing: storage[min(bytes, count)..<count])
        count = rest.count
        guard rest.isEmpty || rest.count * 4 < storage.count else { return storage.copyMemory(from: rest) }
        self.storage = nil
        if !rest.isEmpty {
            let smaller = UnsafeMutableRawBufferPointer.allocate(byteCount: rest.count, alignment: 16)
            smaller.copyMemory(from: rest)
            self.storage = smaller
        }
        storage.deallocate()
    }

    private mutating func grow(to needed: Int) {
        let size = max(needed, (storage?.count ?? 0) * 2, 4096)
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(bytes))
        storage?.deallocate()
        storage = larger
    }
}
