/** The two ways to write messages: the same fields, as text or as bytes. */

import * as msgpack from "./msgpack.js";

/**
 * @typedef {"json" | "msgpack"} CodecName
 * @typedef {{protocol: string, encode: (message: object) => string | Uint8Array, decode: (data: any) => any}} Codec
 */

/** By name. `protocol` is the WebSocket subprotocol. @type {Record<CodecName, Codec>} */
export const CODECS = {
  json: { protocol: "scoreboard.v1.json", encode: JSON.stringify, decode: JSON.parse },
  msgpack: { protocol: "scoreboard.v1.msgpack", encode: msgpack.encode, decode: msgpack.decode },
};
