/**
 * MessagePack, as far as the protocol speaks it: nil, booleans, numbers, text, arrays and maps with text for keys.
 * The format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */

const UTF8 = new TextEncoder();
const TEXT = new TextDecoder("utf-8", { fatal: true });

/** @param {unknown} value made of what JSON has @returns {Uint8Array} */
export function encode(value) {
  const out = new Writer();
  out.value(value);
  return out.bytes();
}

/** @param {ArrayBuffer} buffer with one value @returns {any} */
export function decode(buffer) {
  const reader = new Reader(buffer);
  const value = reader.value();
  if (!reader.atEnd) throw new RangeError("something follows the value");
  return value;
}

/** Heads of what has a length: up to which length there is a short form, its head, then those of 8, 16 and 32 bits. */
const STRING = { short: 32, head: 0xa0, wide: [0xd9, 0xda, 0xdb] };
const ARRAY = { short: 16, head: 0x90, wide: [null, 0xdc, 0xdd] };
const MAP = { short: 16, head: 0x80, wide: [null, 0xde, 0xdf] };

class Writer {
  #view = new DataView(new ArrayBuffer(256));
  #at = 0;

  bytes() {
    return new Uint8Array(this.#view.buffer, 0, this.#at);
  }

  value(value) {
    if (value == null) this.#byte(0xc0);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.#text(value);
    else if (Array.isArray(value)) this.#array(value);
    else this.#map(Object.entries(value).filter(([, field]) => field !== undefined));
  }

  #number(value) {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#put(0xcb, 8, "setFloat64", value);
    else if (value >= -32 && value < 128) this.#byte(value & 0xff);
    else if (value >= -(2 ** 31) && value < 2 ** 31) this.#put(0xd2, 4, "setInt32", value);
    else this.#put(0xd3, 8, "setBigInt64", BigInt(value));
  }

  #text(value) {
    const bytes = UTF8.encode(value);
    this.#head(STRING, bytes.length);
    this.#room(bytes.length);
    new Uint8Array(this.#view.buffer).set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #array(items) {
    this.#head(ARRAY, items.length);
    for (const item of items) this.value(item);
  }

  #map(entries) {
    this.#head(MAP, entries.length);
    for (const [key, value] of entries) {
      this.#text(key);
      this.value(value);
    }
  }

  #head({ short, head, wide: [in8, in16, in32] }, length) {
    if (length < short) this.#byte(head | length);
    else if (in8 !== null && length < 2 ** 8) this.#put(in8, 1, "setUint8", length);
    else if (length < 2 ** 16) this.#put(in16, 2, "setUint16", length);
    else this.#put(in32, 4, "setUint32", length);
  }

  #byte(byte) {
    this.#room(1);
    this.#view.setUint8(this.#at++, byte);
  }

  #put(head, size, method, value) {
    this.#byte(head);
    this.#room(size);
    this.#view[method](this.#at, value);
    this.#at += size;
  }

  #room(size) {
    if (this.#at + size <= this.#view.byteLength) return;
    const grown = new Uint8Array(2 * (this.#at + size));
    grown.set(this.bytes());
    this.#view = new DataView(grown.buffer);
  }
}

class Reader {
  #view;
  #at = 0;

  constructor(buffer) {
    this.#view = new DataView(buffer);
  }

  get atEnd() {
    return this.#at === this.#view.byteLength;
  }

  value() {
    const head = this.#take(1, "getUint8");
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f);
    if (head < 0xa0) return this.#array(head & 0x0f);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    return this.#marked(head);
  }

  #marked(head) {
    switch (head) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xca: return this.#take(4, "getFloat32");
      case 0xcb: return this.#take(8, "getFloat64");
      case 0xcc: return this.#take(1, "getUint8");
      case 0xcd: return this.#take(2, "getUint16");
      case 0xce: return this.#take(4, "getUint32");
      case 0xcf: return Number(this.#take(8, "getBigUint64"));
      case 0xd0: return this.#take(1, "getInt8");
      case 0xd1: return this.#take(2, "getInt16");
      case 0xd2: return this.#take(4, "getInt32");
      case 0xd3: return Number(this.#take(8, "getBigInt64"));
      case 0xd9: return this.#text(this.#take(1, "getUint8"));
      case 0xda: return this.#text(this.#take(2, "getUint16"));
      case 0xdb: return this.#text(this.#take(4, "getUint32"));
      case 0xdc: return this.#array(this.#take(2, "getUint16"));
      case 0xdd: return this.#array(this.#take(4, "getUint32"));
      case 0xde: return this.#map(this.#take(2, "getUint16"));
      case 0xdf: return this.#map(this.#take(4, "getUint32"));
      default: throw new RangeError(`the protocol has no values that begin with ${head}`);
    }
  }

  #take(size, method) {
    const at = this.#at;
    this.#at += size;
    return this.#view[method](at); // raises RangeError beyond the end
  }

  #text(length) {
    const bytes = new Uint8Array(this.#view.buffer, this.#at, length);
    this.#at += length;
    return TEXT.decode(bytes);
  }

  #array(length) {
    const items = [];
    for (let index = 0; index < length; index++) items.push(this.value());
    return items;
  }

  #map(length) {
    const entries = [];
    for (let index = 0; index < length; index++) entries.push([this.value(), this.value()]);
    return Object.fromEntries(entries);
  }
}
