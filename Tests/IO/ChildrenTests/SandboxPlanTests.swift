// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Children

/// A file system in words: directories end with a slash, links have an arrow.
private func files(_ lines: String...) -> SandboxFiles {
    var kinds: [String: SandboxFiles.Kind] = [:]
    for line in lines {
        let parts = line.split(separator: " -> ")
        let path = parts[0].hasSuffix("/") ? String(parts[0].dropLast()) : String(parts[0])
        kinds[path] =
            parts.count == 2 ? .link(String(parts[1])) : parts[0].hasSuffix("/") ? .directory : .other
        var parent = SandboxView.parent(of: path)
        while let directory = parent, directory != "/", kinds[directory] == nil {
            kinds[directory] = .directory
            parent = SandboxView.parent(of: directory)
        }
    }
    let all = kinds
    @Sendable func real(_ path: String, _ depth: Int = 0) -> String? {
        var place = ""
        for part in path.split(separator: "/") {
            place += "/" + part
            guard depth < 8, let kind = all[place] else { return nil }
            guard case .link(let target) = kind else { continue }
            let base = SandboxView.parent(of: place) ?? "/"
            guard let found = real(target.hasPrefix("/") ? target : base + "/" + target, depth + 1) else {
                return nil
            }
            place = found
        }
        return place.isEmpty ? "/" : place
    }
    return SandboxFiles(
        kind: { all[$0] },
        real: { real($0) },
        entries: { directory in
            all.keys.filter { SandboxView.parent(of: $0) == directory }.map {
                String(SandboxView.name(of: $0))
            }
        }
    )
}

private func plan(_ program: String = "/usr/bin/server", home: String? = "/home/me") -> SandboxPlan {
    var plan = SandboxPlan(
        program: program,
        environment: home.map { ["HOME": $0] } ?? [:],
        gatewayDirectory: "/"
    )
    plan.gatewayHome = home
    return plan
}

@Suite struct `What a sandbox shows` {
    @Test func `is the system as it is, and under strict to be read only`() throws {
        let machine = files("/usr/bin/server", "/bin -> usr/bin", "/etc/hosts", "/srv/data")
        var plan = plan()
        let view = try plan.view(machine)
        #expect(view.places["/usr"] == .writable("/usr"))
        #expect(view.places["/bin"] == .link("usr/bin"))
        #expect(view.places["/lib64"] == nil)
        #expect(!view.shows("/srv/data"))
        plan.isStrict = true
        #expect(try plan.view(machine).places["/usr"] == .readable("/usr"))
    }

    @Test func `is an empty directory for temporary files and for the user`() throws {
        let machine = files(
            "/usr/bin/server",
            "/tmp/",
            "/home/me/.ssh/id",
            "/home/me/.cache/uv/",
            "/home/me/.nvm/"
        )
        var plan = plan()
        var view = try plan.view(machine)
        #expect(view.places["/tmp"] == .scratch)
        #expect(view.places["/home/me"] == .scratch)
        #expect(view.sight(of: "/home/me/.ssh/id") == .scratch)
        #expect(view.places["/home/me/.nvm"] == .readable("/home/me/.nvm"))
        #expect(view.places["/home/me/.cache/uv"] == .writable("/home/me/.cache/uv"))
        plan.isStrict = true
        view = try plan.view(machine)
        #expect(view.places["/home/me/.cache/uv"] == .readable("/home/me/.cache/uv"))
    }

    @Test func `is the program with what is installed beside it`() throws {
        let machine = files(
            "/srv/venv/bin/python -> python3",
            "/srv/venv/bin/python3 -> /data/python/bin/python3",
            "/data/python/bin/python3 -> python3.13",
            "/data/python/bin/python3.13",
            "/data/other"
        )
        let view = try plan("/srv/venv/bin/python").view(machine)
        #expect(view.shows("/srv/venv/lib"))
        #expect(view.shows("/data/python/lib"))
        #expect(!view.shows("/data/other"))
    }

    @Test(arguments: [
        // A directory that holds the user's or everyone's files is not shown for the sake of a program.
        ("/home/me/bin/server", "/home/me/bin"), ("/home/me/server", "/home/me/server"),
        ("/tmp/server", "/tmp/server"), ("/srv/app/server", "/srv/app"), ("/server", "/server"),
    ])
    func `is no more than the program needs`(_ program: String, _ shown: String) throws {
        let view = try plan(program).view(files(program, "/home/me/.ssh/id", "/tmp/note"))
        #expect(view.places[shown] == .readable(shown))
        #expect(!view.shows("/home/me/.ssh/id") && !view.shows("/tmp/note"))
    }

    @Test func `is the gateway's directory for one without its own, unless that holds too much`() throws {
        let machine = files("/usr/bin/server", "/srv/work/x", "/home/me/x", "/tmp/x")
        var plan = plan()
        plan.gatewayDirectory = "/srv/work"
        #expect(try plan.view(machine).places["/srv/work"] == .readable("/srv/work"))
        for directory in ["/", "/home", "/home/me", "/tmp"] {
            plan.gatewayDirectory = directory
            let view = try plan.view(machine)
            #expect(!view.shows("/home/me/x") && !view.shows("/tmp/x") && !view.shows("/srv/work/x"))
        }
        plan.gatewayDirectory = "/srv/work"
        plan.workingDirectory = "/home/me"
        let view = try plan.view(machine)
        #expect(view.places["/home/me"] == .writable("/home/me"))
        #expect(!view.shows("/srv/work"))
    }

    @Test func `hides a directory wherever it lies`() throws {
        var plan = plan()
        plan.workingDirectory = "/srv"
        plan.hiddenDirectories = ["/srv/state", "/data/state", "/usr"]
        let view = try plan.view(files("/usr/bin/server", "/srv/state/db", "/srv/x", "/data/state/db"))
        #expect(view.places["/srv/state"] == .hidden)
        #expect(view.shows("/srv/x"))
        #expect(view.places["/data/state"] == nil, "what nobody would see is not even named")
        #expect(view.shows("/usr/bin/server"), "the system stays")
    }

    @Test func `hides a file by showing all else`() throws {
        let machine = files("/usr/bin/server", "/srv/gatehouse.json", "/srv/x", "/srv/sub/", "/srv/y -> x")
        var plan = plan()
        plan.workingDirectory = "/srv"
        plan.readable = ["/srv/gatehouse.json"]
        plan.hiddenFiles = ["/srv/gatehouse.json", "/data/key"]
        let view = try plan.view(machine)
        #expect(view.places["/srv"] == .hidden)
        #expect(view.places["/srv/gatehouse.json"] == nil)
        #expect(view.places["/srv/x"] == .writable("/srv/x"))
        #expect(view.places["/srv/sub"] == .writable("/srv/sub"))
        #expect(view.places["/srv/y"] == .link("x"))
    }

    @Test func `can be named through links`() throws {
        var plan = plan()
        plan.writable = ["/data/here"]
        let view = try plan.view(files("/usr/bin/server", "/data -> /mnt/data", "/mnt/data/here/"))
        #expect(view.places["/mnt/data/here"] == .writable("/mnt/data/here"))
        #expect(view.places["/data/here"] == .writable("/mnt/data/here"))
    }

    @Test func `must exist where it was asked for`() {
        var plan = plan()
        plan.readable = ["/srv/nothing"]
        #expect(throws: SandboxFailure.self) { try plan.view(files("/usr/bin/server")) }
    }
}
