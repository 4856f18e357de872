// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Glibc

extension Child {
    /// How far stopping has come; it only goes forward.
    enum StopStage: Int {
        case none
        /// Its input has been closed.
        case closing
        /// It has been sent SIGTERM.
        case terminating
        /// It has been sent SIGKILL.
        case killing
    }

    /// Ends the child: closes its input, waits, sends SIGTERM to its whole tree, waits, kills the whole tree.
    ///
    /// `childExited` tells when it is over. Once begun, further calls change nothing; `kill` still does.
    package func stop(_ schedule: StopSchedule = StopSchedule()) {
        guard isRunning, stopStage == .none else { return }
        stopStage = .closing
        endInput()
        let timer = LoopTimer(loop) { self.nextStopStage(schedule) }
        timer.schedule(after: schedule.closeInputThenWait)
        stopTimer = timer
    }

    /// Kills the child's whole tree at once.
    package func kill() {
        guard isRunning, stopStage != .killing else { return }
        stopStage = .killing
        stopTimer?.close()
        stopTimer = nil
        signal(launcher: SIGUSR1, group: SIGKILL)
        // A launcher that somebody has stopped would not even notice.
        signal(launcher: SIGCONT, group: SIGCONT)
    }

    private func nextStopStage(_ schedule: StopSchedule) {
        guard stopStage == .closing else { return kill() }
        stopStage = .terminating
        signal(launcher: SIGTERM, group: SIGTERM)
        stopTimer?.schedule(after: schedule.terminateThenWait)
    }
}
