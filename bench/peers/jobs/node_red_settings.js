// Node-RED without an editor and without a console, for a flow that ends by itself.
// The last words of the command: NDJSON, where the alerting things are written, and the lateness (not used).
const fs = require("fs");
const [source, target] = process.argv.slice(-3);
let began;
let used;

module.exports = {
  uiHost: "127.0.0.1",
  uiPort: Number(process.env.PORT),
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: false,
  flowFile: "flows.json",
  logging: { console: { level: "fatal" } },
  editorTheme: { tours: false },
  telemetry: { enabled: false },
  functionGlobalContext: {
    source,
    start() {
      used = process.cpuUsage();
      began = process.hrtime.bigint();
    },
    finish(alerts) {
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      const { user, system } = process.cpuUsage(used);
      fs.writeFileSync(target, alerts.map((thing) => thing + "\n").join(""));
      process.stdout.write(JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6 }) + "\n", () => process.exit(0));
    },
  },
};
