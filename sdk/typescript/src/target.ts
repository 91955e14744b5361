// Where the server is: `https://host:port` or `unix:/path`, and nothing that merely looks like it.

import { BlockList, isIP } from "node:net";
import { usage } from "./error.js";

/** A server's address, parsed once. A host is a name in lower case, or an address without brackets. */
export type Target = { kind: "unix"; path: string } | { kind: "https"; host: string; port: number };

const SHAPE = "write it as https://host:port or unix:/path";

/** Reads a URL. A refusal never repeats it, since it may hold a credential. */
export function parse(url: string): Target {
  if (url.startsWith("unix:")) {
    const path = url.slice(5).replace(/^\/\//, "");
    if (!path.startsWith("/") || path.includes("\0")) {
      throw usage("a unix: URL needs the socket's whole path, from /", SHAPE);
    }
    return { kind: "unix", path };
  }
  const scheme = /^([^:/]*):\/\//.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) throw usage("the server's URL has no scheme", SHAPE);
  if (scheme === "http") {
    throw usage("the server's URL begins with http://, and a vault is never asked without TLS", SHAPE);
  }
  if (scheme !== "https") throw usage("the server's URL has a scheme that is not known here", SHAPE);
  return { kind: "https", ...authority(url.slice(scheme.length + 3)) };
}

/** Host and port of what follows `https://`. */
export function authority(rest: string): { host: string; port: number } {
  const [, place = "", tail = ""] = /^([^/?#\\]*)(.*)$/s.exec(rest) ?? [];
  if (place.includes("@")) throw usage("the server's URL holds a user name or password", SHAPE);
  if (tail !== "" && tail !== "/") throw usage("the server's URL holds more than host and port", SHAPE);
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(place);
  const plain = /^([^:]*)(?::(.*))?$/s.exec(place);
  const [, host = "", port] = bracketed ?? plain ?? [];
  if (bracketed && isIP(host) !== 6) throw usage(NO_HOST, SHAPE);
  return { host: hostOf(host), port: portOf(port) };
}

const NO_HOST = "the server's URL has a host that is neither a name in ASCII nor an address";

function portOf(text: string | undefined): number {
  if (text === undefined) return 443;
  const number = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || number < 1 || number > 65535) {
    throw usage("the server's URL has a port that is not a number from 1 to 65535", SHAPE);
  }
  return number;
}

function hostOf(text: string): string {
  // One dot at the end is the root of DNS; the certificate knows the name without it.
  const host = text.replace(/\.$/, "");
  if (isIP(host)) return host.toLowerCase();
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(host) || host.length > 253) throw usage(NO_HOST, SHAPE);
  return host.toLowerCase();
}

/** What `Host` says. */
export function hostHeader(target: Target): string {
  if (target.kind === "unix") return "localhost";
  return `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`;
}

/** For people. */
export function display(target: Target): string {
  return target.kind === "unix" ? `unix:${target.path}` : `https://${hostHeader(target)}`;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether it can only be this machine. */
export function isLocal(target: Target): boolean {
  if (target.kind === "unix" || target.host === "localhost") return true;
  const family = isIP(target.host);
  return family !== 0 && loopback.check(target.host, family === 6 ? "ipv6" : "ipv4");
}
