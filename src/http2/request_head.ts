/**
 * Makes a request's head of its header list, and says what is malformed: RFC
 * 9113, 8.2 and 8.3.
 *
 * @module
 */

import type { RequestHead } from "./stream_api.ts";

/** Fields that speak of a connection, which HTTP/2 has frames for. */
const CONNECTION_SPECIFIC = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** A field's name: a token of RFC 9110 without upper case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
const DIGITS = /^[0-9]{1,15}$/;

/** Takes the fields of one header block, in order. */
export class HeadBuilder {
  /** Why the list is malformed; `undefined`: it is not. */
  malformed: string | undefined;
  /** `content-length`, if there is one. */
  contentLength: number | undefined;
  #method: string | undefined;
  #scheme: string | undefined;
  #path: string | undefined;
  #authority: string | undefined;
  readonly #fields: string[] = [];
  readonly #isTrailers: boolean;

  /** Trailers have no pseudo-fields. */
  constructor(isTrailers: boolean) {
    this.#isTrailers = isTrailers;
  }

  /** Takes the next field. */
  header(name: string, value: string): void {
    if (name.charCodeAt(0) === 0x3a) return this.#pseudo(name, value);
    switch (name) {
      case "te":
        if (value !== "trailers") this.#refuse(`te: ${value}`);
        break;
      case "content-length":
        this.#length(value);
        break;
      default:
        if (CONNECTION_SPECIFIC.has(name)) this.#refuse(name);
        else if (!NAME.test(name)) this.#refuse("a field's name");
    }
    if (BAD_VALUE.test(value)) this.#refuse(`the value of ${name}`);
    this.#fields.push(name, value);
  }

  /** The head; `undefined`: the list is malformed. */
  finish(): RequestHead | undefined {
    const method = this.#method;
    const scheme = this.#scheme;
    const path = this.#path;
    if (method === undefined || scheme === undefined || !path) {
      this.#refuse("a request needs :method, :scheme and :path");
    }
    if (this.malformed !== undefined) return undefined;
    return {
      method: method!,
      scheme: scheme!,
      path: path!,
      authority: this.#authority,
      fields: this.#fields,
    };
  }

  #pseudo(name: string, value: string): void {
    if (this.#isTrailers) return this.#refuse(`${name} in trailers`);
    if (this.#fields.length > 0) {
      return this.#refuse(`${name} after other fields`);
    }
    if (BAD_VALUE.test(value)) return this.#refuse(`the value of ${name}`);
    switch (name) {
      case ":method":
        if (this.#method !== undefined) return this.#refuse("two :method");
        // A tunnel needs neither path nor scheme: there is none here.
        if (value === "CONNECT") return this.#refuse("CONNECT");
        this.#method = value;
        break;
      case ":scheme":
        if (this.#scheme !== undefined) return this.#refuse("two :scheme");
        this.#scheme = value;
        break;
      case ":path":
        if (this.#path !== undefined) return this.#refuse("two :path");
        this.#path = value;
        break;
      case ":authority":
        if (this.#authority !== undefined) {
          return this.#refuse("two :authority");
        }
        this.#authority = value;
        break;
      default:
        this.#refuse(name);
    }
  }

  #length(value: string): void {
    if (!DIGITS.test(value)) return this.#refuse("content-length");
    const length = Number(value);
    if (this.contentLength !== undefined && this.contentLength !== length) {
      return this.#refuse("two content-length");
    }
    this.contentLength = length;
  }

  #refuse(what: string): void {
    this.malformed ??= what;
  }
}
