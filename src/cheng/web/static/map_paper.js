// Where no graphics card helps: a picture of the map as it is, on which what moves is drawn dot by dot. It hides the map
// below, since to see one through the other costs a browser that draws by itself more than all the rest.

const TURNS = [0.125, 0.375, 0.625, 0.875]; // where in a pixel it is asked whether the disc covers it
const SMALL = 6; // pixels across, below which a disc has hard edges
const WHOLE = 256;
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
const EDGE = 48; // pixels around the picture, so that no disc has to be cut

/** Whether the browser draws by itself what a graphics card should: WebGL tells only by name. */
export const slow = (() => {
  const gl = document.createElement("canvas").getContext("webgl2");
  const told = gl?.getExtension("WEBGL_debug_renderer_info");
  return Boolean(gl) && SOFTWARE.test(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
})();

/** A colour as a pixel of a picture: little-endian, as all machines with browsers are. */
export function ink(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

function mixed(under, over, share) {
  const rest = WHOLE - share;
  const even = (((under & 0xff00ff) * rest + (over & 0xff00ff) * share) >>> 8) & 0xff00ff;
  const odd = (((under & 0xff00) * rest + (over & 0xff00) * share) >>> 8) & 0xff00;
  return (0xff000000 | even | odd) >>> 0;
}

/** A disc with a ring: the pixels it covers, as steps from its upper left one in a picture so wide, their colours and
 * how much of each is covered, of WHOLE. */
export function disc(size, ring, colour, edge, wide) {
  const across = Math.max(1, Math.round(size));
  const [radius, inner] = [across / 2, (across / 2) * (1 - ring)];
  const steps = [], inks = [], shares = [];
  for (let row = 0; row < across; row++) {
    for (let column = 0; column < across; column++) {
      const off = Math.hypot(column + 0.5 - radius, row + 0.5 - radius);
      const covered = TURNS.flatMap((down) => TURNS.map((over) => Math.hypot(column + over - radius, row + down - radius) <= radius));
      const share = covered.filter(Boolean).length / covered.length;
      if (share === 0 || (across < SMALL && share < 0.4)) continue;
      steps.push(row * wide + column);
      inks.push(off > inner ? edge : colour);
      shares.push(across < SMALL ? WHOLE : Math.round(share * WHOLE));
    }
  }
  return { across, hard: across < SMALL, steps: Int32Array.from(steps), inks: Uint32Array.from(inks), shares: Int32Array.from(shares) };
}

/** Puts a disc on the pixels from this place on; all of it lies in the picture. */
function stamp(pixels, at, { hard, steps, inks, shares }) {
  const dots = steps.length;
  if (hard) for (let dot = 0; dot < dots; dot++) pixels[at + steps[dot]] = inks[dot];
  else for (let dot = 0; dot < dots; dot++) pixels[at + steps[dot]] = mixed(pixels[at + steps[dot]], inks[dot], shares[dot]);
}

/** `map_moving.js` tells what a sheet is. */
export class Paper {
  constructor(canvas, map) {
    Object.assign(this, { canvas, map, discs: new Map() });
    this.sheet = canvas.getContext("2d", { alpha: false });
    this.copy = document.createElement("canvas").getContext("2d", { alpha: false, willReadFrequently: true });
  }

  bring() {}

  forget() {}

  /** Takes the picture of the map, which is there only while it has just been drawn. */
  see() {
    const [width, height] = [this.canvas.width + 2 * EDGE, this.canvas.height + 2 * EDGE];
    if (this.picture?.width !== width || this.picture.height !== height) {
      Object.assign(this.copy.canvas, { width, height });
      this.picture = new ImageData(width, height);
      this.pixels = new Uint32Array(this.picture.data.buffer);
      this.discs.clear();
    }
    this.copy.drawImage(this.map.getCanvas(), EDGE, EDGE);
    this.ground = new Uint32Array(this.copy.getImageData(0, 0, width, height).data.buffer);
  }

  draw(layers, view) {
    this.pixels.set(this.ground);
    for (const layer of layers) this.dots(layer, view(layer.origin));
    this.sheet.putImageData(this.picture, -EDGE, -EDGE, EDGE, EDGE, this.canvas.width, this.canvas.height);
  }

  /** The discs of a layer by level. */
  shapes(layer) {
    const { colour, edge, worse } = layer.paint;
    const size = layer.size() * devicePixelRatio;
    const key = `${size.toFixed(1)} ${colour} ${edge}`;
    if (!this.discs.has(key)) {
      const plain = disc(size, size < SMALL ? 0 : 0.24, ink(colour), ink(edge), this.picture.width);
      const bad = worse.map((hex) => disc(size * 1.5, 0.4, ink(colour), ink(hex), this.picture.width));
      this.discs.set(key, [plain, ...bad]);
    }
    return this.discs.get(key);
  }

  dots(layer, m) {
    const { count, before, after, level } = layer;
    const { pixels, picture } = this;
    const [shapes, time, wide] = [this.shapes(layer), layer.progress(), picture.width];
    const [halfWide, halfHigh] = [this.canvas.width / 2, this.canvas.height / 2];
    for (let at = 0; at < count; at++) {
      const x = before[2 * at] + (after[2 * at] - before[2 * at]) * time;
      const y = before[2 * at + 1] + (after[2 * at + 1] - before[2 * at + 1]) * time;
      const depth = m[3] * x + m[7] * y + m[15];
      if (depth <= 0) continue; // behind one's back
      const shape = shapes[level[at]];
      const half = shape.across / 2;
      const left = Math.round(EDGE + halfWide * (1 + (m[0] * x + m[4] * y + m[12]) / depth) - half);
      const top = Math.round(EDGE + halfHigh * (1 - (m[1] * x + m[5] * y + m[13]) / depth) - half);
      if (left < 0 || top < 0 || left + shape.across > wide || top + shape.across > picture.height) continue;
      stamp(pixels, top * wide + left, shape);
    }
  }
}
