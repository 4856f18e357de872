// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import Testing

@testable import Configuration

/// The examples and the published schema say the same as the reader.
@Suite("Examples and schema")
struct ExampleTests {
    private func load(_ name: String) throws -> ConfigurationReport {
        let set = [
            "PATH": "/bin", "MSSQL_SERVER": "db", "MSSQL_DATABASE": "sales", "MYSQL_USER": "me",
            "MYSQL_PASSWORD": "hidden", "MYSQL_DATABASE": "sales", "GITHUB_TOKEN": "hidden",
            "TIME_ZONE": "UTC",
        ]
        let environment = ConfigurationEnvironment.fake(
            set,
            programs: ["/bin/uvx", "/bin/python", "/bin/everything-server"],
            directories: ["/place/."]
        )
        return ConfigurationReader.read(
            try Repository.bytes(of: "examples/" + name),
            file: name,
            in: environment
        )
    }

    @Test func `There are examples`() {
        #expect(Repository.examples.count >= 10)
    }

    @Test(arguments: Repository.examples) func `An example has no mistake`(name: String) throws {
        let report = try load(name)
        #expect(report.issues.map(\.description) == [])
        #expect(report.isValid && report.mayStart)
        #expect(report.configuration.servers.count == 1)
        #expect(report.configuration.defaultServer != nil)
    }

    @Test func `The limits of the shared server come from its environment, which it keeps`() throws {
        let configuration = try load("shared.json").configuration
        let server = try #require(configuration.servers.first)
        #expect(server.limits.sessions == 10)
        #expect(server.sessionTimeout == .seconds(3600))
        #expect(server.environment["MAX_CONCURRENT_SESSIONS"] == "10")
        #expect(server.isolation == .session)
        #expect(configuration.host == "0.0.0.0" && configuration.port == 8080)
        #expect(configuration.hosts == ["mcp.example.com"])
        #expect(configuration.authentication == .none)
    }

    @Test func `The complete example is the defaults, and every key stands in it`() throws {
        let configuration = try load("everything-set.json").configuration
        let fresh = GatewayConfiguration()
        #expect(configuration.limits == fresh.limits)
        #expect(configuration.timeouts == fresh.timeouts)
        #expect(configuration.host == fresh.host && configuration.port == fresh.port)
        #expect(configuration.authentication == fresh.authentication)
        let server = try #require(configuration.servers.first)
        let plain = ServerConfiguration(name: "everything", command: "everything-server")
        #expect("\(server)" == "\(plain)")

        let root = try JSON5Reader.read(try Repository.bytes(of: "examples/everything-set.json"))
        let written = root["mcpServers"]?["everything"]
        #expect(names(written) == Set(ConfigurationKeys.server).subtracting(["url", "headers", "envFile"]))
        #expect(names(written?["limits"]) == Set(ConfigurationKeys.serverLimits))
        #expect(names(root["gateway"]) == Set(ConfigurationKeys.gateway))
        #expect(names(root["gateway"]?["limits"]) == Set(ConfigurationKeys.limits))
        #expect(names(root["gateway"]?["federation"]) == Set(ConfigurationKeys.federation))
        #expect(names(root["gateway"]?["egress"]) == Set(ConfigurationKeys.egress))
        #expect(names(root["gateway"]?["log"]) == Set(ConfigurationKeys.log))
        #expect(names(root["gateway"]?["timeouts"]) == Set(ConfigurationKeys.timeouts))
    }

    @Test func `The schema has the keys that the reader knows, and no others`() throws {
        let schema = try JSON5Reader.read(try Repository.bytes(of: "schema/gatehouse.schema.json"))
        let definitions = try #require(schema["$defs"])
        let server = definitions["server"]?["properties"]
        let gateway = definitions["gateway"]?["properties"]
        #expect(names(schema["properties"]) == Set(ConfigurationKeys.file))
        #expect(names(schema["properties"]?["mcp"]?["properties"]) == Set(ConfigurationKeys.editorSection))
        #expect(names(server) == Set(ConfigurationKeys.server))
        #expect(names(server?["limits"]?["properties"]) == Set(ConfigurationKeys.serverLimits))
        #expect(names(server?["auth"]?["properties"]) == Set(ConfigurationKeys.auth))
        #expect(names(gateway?["tls"]?["properties"]) == Set(ConfigurationKeys.tls))
        #expect(names(gateway?["egress"]?["properties"]) == Set(ConfigurationKeys.egress))
        #expect(names(gateway?["log"]?["properties"]) == Set(ConfigurationKeys.log))
        #expect(names(gateway?["tracing"]?["properties"]) == Set(ConfigurationKeys.tracing))
        let subsystems = gateway?["log"]?["properties"]?["levels"]?["propertyNames"]?["enum"]
        #expect(texts(subsystems) == ConfigurationKeys.logLevels)
        #expect(names(gateway) == Set(ConfigurationKeys.gateway))
        #expect(names(gateway?["limits"]?["properties"]) == Set(ConfigurationKeys.limits))
        #expect(names(gateway?["timeouts"]?["properties"]) == Set(ConfigurationKeys.timeouts))
    }

    @Test func `The schema has the defaults and bounds of the reader`() throws {
        let schema = try JSON5Reader.read(try Repository.bytes(of: "schema/gatehouse.schema.json"))
        let gateway = try #require(schema["$defs"]?["gateway"]?["properties"])
        for setting in CountSetting<Limits>.gateway {
            let property = gateway["limits"]?["properties"]?[setting.name]
            #expect(
                number(property?["default"]) == Double(Limits()[keyPath: setting.path]),
                "\(setting.name)"
            )
            #expect(bounds(property) == Double(setting.range.lowerBound)...Double(setting.range.upperBound))
        }
        for setting in DurationSetting<Limits>.limits {
            let property = gateway["limits"]?["properties"]?[setting.name]
            #expect(seconds(property?["default"]) == Limits()[keyPath: setting.path])
            #expect(bounds(property) == setting.range)
        }
        for setting in DurationSetting<Timeouts>.timeouts {
            let property = gateway["timeouts"]?["properties"]?[setting.name]
            #expect(seconds(property?["default"]) == Timeouts()[keyPath: setting.path], "\(setting.name)")
            #expect(bounds(property) == setting.range)
        }
    }

    @Test func `The documentation has every key, and the defaults and bounds of the reader`() throws {
        let page = try Repository.text(of: "docs/configuration.md")
        let keys = ConfigurationKeys.file + ConfigurationKeys.server + ConfigurationKeys.gateway
        for key in keys { #expect(page.contains("`\(key)`") || page.contains("\"\(key)\""), "\(key)") }
        for setting in CountSetting<Limits>.gateway {
            let fresh = Limits()[keyPath: setting.path]
            let bounds = "\(setting.range.lowerBound) … \(setting.range.upperBound)"
            #expect(page.contains("| `\(setting.name)` | \(fresh) | \(bounds) |"), "\(setting.name)")
        }
        for setting in DurationSetting<Timeouts>.timeouts {
            let fresh = Timeouts()[keyPath: setting.path].components.seconds
            #expect(page.contains("| `\(setting.name)` | \(fresh) | "), "\(setting.name)")
        }
    }

    @Test func `The documentation names every subsystem of the log`() throws {
        let page = try Repository.text(of: "docs/observability.md")
        let row = page.split(separator: "\n").first { $0.hasPrefix("| `levels` |") }
        let names = ConfigurationKeys.logLevels.map { "`\($0)`" }.joined(separator: ", ")
        #expect(row?.contains(": \(names);") == true)
    }

    private func texts(_ value: JSON5Value?) -> [String]? {
        guard case .array(let elements) = value?.content else { return nil }
        return elements.compactMap { element in
            if case .string(let text) = element.content { text } else { nil }
        }
    }

    private func names(_ value: JSON5Value?) -> Set<String>? {
        guard case .object(let members) = value?.content else { return nil }
        return Set(members.map(\.name))
    }

    private func number(_ value: JSON5Value?) -> Double? {
        guard case .number(let number) = value?.content else { return nil }
        return number.double
    }

    private func seconds(_ value: JSON5Value?) -> Duration? {
        number(value).map { .seconds($0) }
    }

    private func bounds(_ property: JSON5Value?) -> ClosedRange<Double>? {
        guard case .array(let forms) = property?["anyOf"]?.content, let form = forms.first,
            let least = number(form["minimum"]), let most = number(form["maximum"]), least <= most
        else { return nil }
        return least...most
    }
}
