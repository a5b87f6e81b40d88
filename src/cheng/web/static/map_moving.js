// Things that move, tens of thousands of them: two places in WebGL for each, where it was and where it is, between which
// the graphics card moves it until the next places come.

const EVERY = 2000; // milliseconds between two looks at where they are
const WHOLE = 2 ** 32; // places come as fractions of the world's square in 32 bits
const FAR = 3000 / 40_075_017; // who is further off than that was not on the way, but is somewhere else
const REACH = 10; // pixels beside a thing that still mean it
const CROWD = 10_000; // so many are drawn smaller
const calm = matchMedia("(prefers-reduced-motion: reduce)");

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

/** A sheet of glass over a map on which everything that moves is drawn: the map below is drawn anew only when one looks
 * elsewhere. A layer of the map without a drawing of its own tells how one looks. */
class Glass {
  static over(map) {
    map.glass ||= new Glass(map);
    return map.glass;
  }

  constructor(map) {
    Object.assign(this, { map, id: "moving", type: "custom", renderingMode: "2d" });
    this.layers = new Set();
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-glass";
    map.getCanvasContainer().append(this.canvas);
    const gl = (this.gl = this.canvas.getContext("webgl2", { antialias: false, depth: false }));
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
    gl.clearColor(0, 0, 0, 0);
  }

  add(layer) {
    this.layers.add(layer);
    if (!this.map.getLayer(this.id)) this.map.addLayer(this);
  }

  /** MapLibre draws, since one looks elsewhere: so do we, at once. */
  render(_, { defaultProjectionData }) {
    this.view = Float64Array.from(defaultProjectionData.mainMatrix);
    this.draw();
  }

  again() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.view) this.draw();
    });
  }

  draw() {
    const { gl, map } = this;
    const { width, height } = map.getCanvas();
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.program);
    let moving = false;
    for (const layer of this.layers) moving = layer.draw(this) || moving;
    if (moving) this.again();
  }

  /** The view as seen from a place on the square: what is near it is exact in 32 bits. */
  from([x, y]) {
    const moved = Float64Array.from(this.view);
    for (let row = 0; row < 4; row++) moved[12 + row] += this.view[row] * x + this.view[4 + row] * y;
    return Float32Array.from(moved);
  }
}

export class Moving {
  constructor(map, told, look, colours) {
    Object.assign(this, { map, told, count: 0, began: 0, gone: false });
    this.paint = { colour: rgb(told.colour[look]), edge: rgb(look === "night" ? "#0c1117" : "#ffffff"), worse: colours.flatMap(rgb) };
    this.glass = Glass.over(map);
    this.buffer(this.glass);
    this.glass.add(this);
    this.moved = () => this.refresh();
    map.on("moveend", this.moved);
    this.refresh();
    this.timer = setInterval(() => !document.hidden && this.refresh(), EVERY);
  }

  buffer({ gl, program }) {
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
  }

  /** Draws all of them; whether they have not arrived yet. */
  draw({ gl, place }) {
    if (!this.count || !this.told.shown) return false;
    const time = this.progress();
    gl.bindVertexArray(this.arrays);
    gl.uniformMatrix4fv(place.view, false, this.glass.from(this.origin));
    gl.uniform1f(place.time, time);
    gl.uniform1f(place.size, this.size() * devicePixelRatio);
    gl.uniform3fv(place.colour, this.paint.colour);
    gl.uniform3fv(place.edge, this.paint.edge);
    gl.uniform3fv(place.worse, this.paint.worse);
    gl.drawArrays(gl.POINTS, 0, this.count);
    return time < 1;
  }

  progress() {
    return calm.matches ? 1 : Math.min(1, (performance.now() - this.began) / EVERY);
  }

  /** Pixels across a thing: smaller far out, and where there are very many. */
  size() {
    const size = Math.max(4, Math.min(16, 2.5 + (this.map.getZoom() - 9) * 1.4));
    return this.count > CROWD ? Math.max(3, size * 0.6) : size;
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
  take({ count, idx, x, y, level }) {
    const origin = count ? [x[0] / WHOLE, y[0] / WHOLE] : [0, 0];
    const known = this.numbers(idx);
    const now = this.drawn();
    const before = new Float32Array(2 * count);
    const after = new Float32Array(2 * count);
    const moved = this.origin ? [this.origin[0] - origin[0], this.origin[1] - origin[1]] : [0, 0];
    for (let at = 0; at < count; at++) {
      const across = x[at] / WHOLE - origin[0];
      const down = y[at] / WHOLE - origin[1];
      const old = known ? known.get(idx[at]) ?? -1 : at;
      let [left, top] = [across, down];
      if (old >= 0) [left, top] = [now[2 * old] + moved[0], now[2 * old + 1] + moved[1]];
      if (Math.abs(left - across) + Math.abs(top - down) > FAR) [left, top] = [across, down];
      before[2 * at] = left;
      before[2 * at + 1] = top;
      after[2 * at] = across;
      after[2 * at + 1] = down;
    }
    Object.assign(this, { count, idx, before, after, origin, began: performance.now() });
    const { gl } = this.glass;
    for (const [name, values] of [["before", before], ["after", after], ["level", Float32Array.from(level)]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    }
    this.glass.again();
  }

  /** Number by index of what is drawn; null when the same things come in the same order again. */
  numbers(idx) {
    if (this.count && this.count === idx.length && idx.every((each, at) => each === this.idx[at])) return null;
    const found = new Map();
    for (let at = 0; at < this.count; at++) found.set(this.idx[at], at);
    return found;
  }

  /** Where each thing is drawn at this moment, from the origin. */
  drawn() {
    const { before, after } = this;
    const time = this.progress();
    return Float32Array.from({ length: 2 * this.count }, (_, at) => before[at] + (after[at] - before[at]) * time);
  }

  at(point) {
    const { lng, lat } = this.map.unproject(point);
    const x = lng / 360 + 0.5 - (this.origin?.[0] ?? 0);
    const y = 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI) - (this.origin?.[1] ?? 0);
    const now = this.drawn();
    let [nearest, best] = [null, REACH / (512 * 2 ** this.map.getZoom())];
    for (let at = 0; at < this.count; at++) {
      const off = Math.hypot(now[2 * at] - x, now[2 * at + 1] - y);
      if (off < best) [nearest, best] = [this.idx[at], off];
    }
    return nearest;
  }

  show() {
    this.refresh();
    this.glass.again();
  }

  remove() {
    this.gone = true;
    clearInterval(this.timer);
    this.map.off("moveend", this.moved);
    this.glass.layers.delete(this);
    for (const buffer of Object.values(this.buffers)) this.glass.gl.deleteBuffer(buffer);
    this.glass.gl.deleteVertexArray(this.arrays);
  }
}
