// Gatehouse. SPDX-License-Identifier: MIT

import CProcess
import EventLoop
import Glibc

/// A process that no child object stands for any more: it is killed, and reaped on the spawning thread.
enum AbandonedProcess {
    /// Ends the process behind a descriptor, which is closed then.
    ///
    /// From any thread.
    static func end(_ process: Int32, _ pid: Int32, usesLauncher: Bool) {
        if usesLauncher {
            _ = gatehouse_signal(process, SIGUSR1)
            // One that somebody has stopped would not even notice.
            _ = gatehouse_signal(process, SIGCONT)
        } else {
            kill(-pid, SIGKILL)
        }
        guard let loop = try? SpawnThread.loop() else {
            close(process)
            return
        }
        loop.post { reapLater(process, loop) }
    }

    private static func reapLater(_ process: Int32, _ loop: EventLoop) {
        var watcher: DescriptorWatcher?
        watcher = try? DescriptorWatcher(loop, descriptor: process, events: .readable) { _ in
            var status: Int32 = 0
            guard gatehouse_reap(process, &status) != 0 else { return }
            watcher?.close()
            watcher = nil
            close(process)
        }
        if watcher == nil { close(process) }
    }
}
