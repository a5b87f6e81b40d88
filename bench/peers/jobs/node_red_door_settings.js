// Node-RED without an editor and without a console, for a flow that takes readings by HTTP.
module.exports = {
  uiHost: "127.0.0.1",
  httpAdminRoot: false,
  credentialSecret: false,
  logging: { console: { level: "fatal" } },
  editorTheme: { tours: false },
  telemetry: { enabled: false },
};
