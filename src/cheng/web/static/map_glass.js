// A sheet of glass over a map on which the graphics card draws what moves: the map below is drawn anew only when one looks
// elsewhere.

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

/** `map_moving.js` tells what a sheet is. */
export class Glass {
  constructor(canvas, map) {
    Object.assign(this, { canvas, map, kept: new Map() });
    const gl = (this.gl = canvas.getContext("webgl2", { antialias: false, depth: false }));
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

  see() {}

  bring(layer) {
    if (!this.kept.has(layer)) this.kept.set(layer, this.buffer());
    const { gl } = this;
    const { buffers } = this.kept.get(layer);
    const { before, after, level } = layer;
    for (const [name, values] of Object.entries({ before, after, level: Float32Array.from(level) })) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    }
  }

  buffer() {
    const { gl, program } = this;
    const arrays = gl.createVertexArray();
    gl.bindVertexArray(arrays);
    const buffers = {};
    for (const [name, size] of [["before", 2], ["after", 2], ["level", 1]]) {
      const at = gl.getAttribLocation(program, name);
      buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
    }
    return { arrays, buffers };
  }

  draw(layers, view) {
    const { gl, place } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.program);
    for (const layer of layers) {
      gl.bindVertexArray(this.kept.get(layer).arrays);
      gl.uniformMatrix4fv(place.view, false, Float32Array.from(view(layer.origin)));
      gl.uniform1f(place.time, layer.progress());
      gl.uniform1f(place.size, layer.size() * devicePixelRatio);
      gl.uniform3fv(place.colour, rgb(layer.paint.colour));
      gl.uniform3fv(place.edge, rgb(layer.paint.edge));
      gl.uniform3fv(place.worse, layer.paint.worse.flatMap(rgb));
      gl.drawArrays(gl.POINTS, 0, layer.count);
    }
  }

  forget(layer) {
    const { arrays, buffers } = this.kept.get(layer) ?? { buffers: {} };
    for (const buffer of Object.values(buffers)) this.gl.deleteBuffer(buffer);
    if (arrays) this.gl.deleteVertexArray(arrays);
    this.kept.delete(layer);
  }
}
