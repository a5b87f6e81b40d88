// Points as GeoJSON → geojson-vt → vt-pbf, again and again, as they are when something has moved: indexed, cut, encoded.
// Arguments: folder of both packages, file of points (n × longitude, latitude, level as float64), file for the last tile,
// z, x, y, rounds. Says seconds and CPU seconds of each round as JSON; two rounds before are not counted.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [home, source, target, ...numbers] = process.argv.slice(2);
const [z, x, y, rounds] = numbers.map(Number);
const require = createRequire(`${home}/`);
const load = async (name) => {
  const found = await import(pathToFileURL(require.resolve(name)));
  return found.default ?? found;
};
const GeoJSONVT = await load("geojson-vt");
const { fromGeojsonVt } = await load("vt-pbf");

const bytes = readFileSync(source);
const columns = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const features = [];
for (let at = 0; at < columns.length; at += 3) {
  features.push({
    type: "Feature",
    id: at / 3,
    properties: { type: "Cover", ...(columns[at + 2] && { level: columns[at + 2] }) },
    geometry: { type: "Point", coordinates: [columns[at], columns[at + 1]] },
  });
}
const points = { type: "FeatureCollection", features };
const how = { maxZoom: z, indexMaxZoom: 0, indexMaxPoints: 0, buffer: 128, extent: 4096, tolerance: 0 };
const told = [];
let tile = null;
for (let round = -2; round < rounds; round++) {
  const [began, used] = [process.hrtime.bigint(), process.cpuUsage()];
  const cut = new GeoJSONVT(points, how).getTile(z, x, y);
  tile = fromGeojsonVt({ things: cut }, { version: 2, extent: 4096 });
  const cpu = process.cpuUsage(used);
  const spent = Number(process.hrtime.bigint() - began) / 1e9;
  if (round >= 0) told.push({ seconds: spent, cpu_seconds: (cpu.user + cpu.system) / 1e6 });
}
writeFileSync(target, tile);
console.log(JSON.stringify(told));
