// Things that move, tens of thousands of them: a layer of WebGL with two places for each, where it was and where it is,
// between which the graphics card moves it until the next places come.

const EVERY = 2000; // milliseconds between two looks at where they are
const WHOLE = 2 ** 32; // places come as fractions of the world's square in 32 bits
const FAR = 3000 / 40_075_017; // who is further off than that was not on the way, but is somewhere else
const REACH = 10; // pixels beside a thing that still mean it

const VERTEX = `#version 300 es
in vec2 before;
in vec2 after;
in float level;
uniform mat4 view;
uniform float time;
uniform float size;
out float bad;
void main() {
  gl_Position = view * vec4(mix(before, after, time), 0.0, 1.0);
  gl_PointSize = size * (level > 0.0 ? 1.5 : 1.0);
  bad = level;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in float bad;
uniform vec3 colour;
uniform vec3 edge;
uniform vec3 worse[4];
out vec4 drawn;
void main() {
  float off = distance(gl_PointCoord, vec2(0.5));
  if (off > 0.5) discard;
  vec3 ring = bad > 0.5 ? worse[int(bad) - 1] : edge;
  drawn = vec4(off > (bad > 0.5 ? 0.3 : 0.38) ? ring : colour, 1.0);
}`;

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);

/** Little-endian columns: how many, then index, x, y (uint32 each) and level (uint8). */
export function columns(buffer) {
  const count = new DataView(buffer).getUint32(0, true);
  const column = (place) => new Uint32Array(buffer, 4 + place * 4 * count, count);
  return { count, idx: column(0), x: column(1), y: column(2), level: new Uint8Array(buffer, 4 + 12 * count, count) };
}

export class Moving {
  constructor(map, told, look, colours) {
    Object.assign(this, { map, told, id: `moving-${told.type}`, type: "custom", renderingMode: "2d" });
    this.paint = { colour: rgb(told.colour[look]), edge: rgb(look === "night" ? "#0c1117" : "#ffffff"), worse: colours.flatMap(rgb) };
    this.count = 0;
    this.began = 0;
    this.asked = 0;
    this.gone = false;
    this.moved = () => this.refresh();
    map.addLayer(this);
    map.on("moveend", this.moved);
    this.refresh();
    this.timer = setInterval(() => !document.hidden && this.refresh(), EVERY);
  }

  onAdd(map, gl) {
    this.gl = gl;
    const program = (this.program = gl.createProgram());
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    this.place = {};
    for (const name of ["view", "time", "size", "colour", "edge", "worse"]) this.place[name] = gl.getUniformLocation(program, name);
    this.arrays = gl.createVertexArray();
    gl.bindVertexArray(this.arrays);
    this.buffers = {};
    for (const [name, size] of [["before", 2], ["after", 2], ["level", 1]]) {
      const at = gl.getAttribLocation(program, name);
      this.buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
    }
    gl.bindVertexArray(null);
  }

  onRemove(map, gl) {
    for (const buffer of Object.values(this.buffers)) gl.deleteBuffer(buffer);
    gl.deleteVertexArray(this.arrays);
    gl.deleteProgram(this.program);
  }

  render(gl, { defaultProjectionData }) {
    if (!this.count || !this.told.shown) return;
    const time = this.progress();
    gl.useProgram(this.program);
    gl.bindVertexArray(this.arrays);
    gl.uniformMatrix4fv(this.place.view, false, this.from(defaultProjectionData.mainMatrix));
    gl.uniform1f(this.place.time, time);
    gl.uniform1f(this.place.size, this.size() * devicePixelRatio);
    gl.uniform3fv(this.place.colour, this.paint.colour);
    gl.uniform3fv(this.place.edge, this.paint.edge);
    gl.uniform3fv(this.place.worse, this.paint.worse);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.drawArrays(gl.POINTS, 0, this.count);
    gl.bindVertexArray(null);
    if (time < 1) this.map.triggerRepaint();
  }

  progress() {
    return Math.min(1, (performance.now() - this.began) / EVERY);
  }

  size() {
    return Math.max(4, Math.min(18, 2 + (this.map.getZoom() - 8) * 1.6));
  }

  /** The view as seen from our origin: places near it are exact in 32 bits. */
  from(view) {
    const [x, y] = this.origin;
    const moved = Float64Array.from(view);
    for (let row = 0; row < 4; row++) moved[12 + row] += view[row] * x + view[4 + row] * y;
    return Float32Array.from(moved);
  }

  async refresh() {
    if (!this.told.shown || this.busy) return;
    this.busy = true;
    try {
      const box = this.map.getBounds();
      const more = { lng: (box.getEast() - box.getWest()) / 4, lat: (box.getNorth() - box.getSouth()) / 4 };
      const edges = [box.getWest() - more.lng, box.getSouth() - more.lat, box.getEast() + more.lng, box.getNorth() + more.lat];
      const answer = await fetch(`${this.told.src}?bbox=${edges.map((each) => each.toFixed(4))}`);
      if (answer.ok && !this.gone) this.take(columns(await answer.arrayBuffer()));
    } catch {
      // the next look may find somebody again; what is shown stays
    } finally {
      this.busy = false;
    }
  }

  /** New places: each thing goes on from where it is drawn now. */
  take(next) {
    const { count, idx, x, y, level } = next;
    const origin = count ? [x[0] / WHOLE, y[0] / WHOLE] : [0, 0];
    const places = this.shownPlaces();
    const before = new Float32Array(2 * count);
    const after = new Float32Array(2 * count);
    for (let at = 0; at < count; at++) {
      const to = [x[at] / WHOLE - origin[0], y[at] / WHOLE - origin[1]];
      const old = places.get(idx[at]);
      const was = old === undefined ? to : [this.origin[0] + old[0] - origin[0], this.origin[1] + old[1] - origin[1]];
      const there = Math.hypot(to[0] - was[0], to[1] - was[1]) > FAR ? to : was;
      before.set(there, 2 * at);
      after.set(to, 2 * at);
    }
    Object.assign(this, { count, idx, before, after, origin, began: performance.now() });
    const { gl } = this;
    for (const [name, values] of [["before", before], ["after", after], ["level", Float32Array.from(level)]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    }
    this.map.triggerRepaint();
  }

  /** Where each thing is drawn at this moment, from the origin. */
  shownPlaces() {
    const found = new Map();
    const time = this.progress();
    for (let at = 0; at < this.count; at++) {
      const [x, y] = [2 * at, 2 * at + 1];
      const { before, after } = this;
      found.set(this.idx[at], [before[x] + (after[x] - before[x]) * time, before[y] + (after[y] - before[y]) * time]);
    }
    return found;
  }

  at(point) {
    const { lng, lat } = this.map.unproject(point);
    const x = lng / 360 + 0.5 - (this.origin?.[0] ?? 0);
    const y = 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI) - (this.origin?.[1] ?? 0);
    let [nearest, best] = [null, REACH / (512 * 2 ** this.map.getZoom())];
    for (const [idx, [across, down]] of this.shownPlaces()) {
      const off = Math.hypot(across - x, down - y);
      if (off < best) [nearest, best] = [idx, off];
    }
    return nearest;
  }

  show() {
    this.refresh();
    this.map.triggerRepaint();
  }

  remove() {
    this.gone = true;
    clearInterval(this.timer);
    this.map.off("moveend", this.moved);
  }
}
