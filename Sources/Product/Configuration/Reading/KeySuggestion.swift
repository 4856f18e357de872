// Gatehouse. SPDX-License-Identifier: MIT

/// Finds what someone meant to write.
enum KeySuggestion {
    /// The known word nearest to an unknown one, if one is near; nil otherwise.
    static func nearest(to word: String, among known: [String]) -> String? {
        let bare = bareLetters(word)
        guard !bare.isEmpty, bare.count <= 64 else { return nil }
        let allowed = bare.count < 4 ? 1 : min(3, 1 + bare.count / 4)
        let ranked = known.map { (word: $0, distance: distance(bare, bareLetters($0))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= allowed else {
            return nil
        }
        return best.word
    }

    /// `did you mean "command"?`, if there is something to mean.
    static func hint(for word: String, among known: [String]) -> String? {
        nearest(to: word, among: known).map { "did you mean \"\($0)\"?" }
    }

    /// Letters and digits in lower case: `workingDir` and `working_dir` are the same mistake.
    private static func bareLetters(_ word: String) -> [Character] {
        word.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// How many letters must be inserted, removed, replaced or swapped with their neighbour.
    private static func distance(_ first: [Character], _ second: [Character]) -> Int {
        var beforeLast = [Int](repeating: 0, count: second.count + 1)
        var last = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let replaced = last[column] + (first[row] == second[column] ? 0 : 1)
                var best = min(replaced, last[column + 1] + 1, current[column] + 1)
                let isSwap =
                    row > 0 && column > 0 && first[row] == second[column - 1]
                    && first[row - 1] == second[column]
                if isSwap { best = min(best, beforeLast[column - 1] + 1) }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[second.count]
    }
}
