// HTTPS_PROXY and NO_PROXY: a tunnel through a proxy for a remote server, never for this machine. Only CONNECT is
// used, so the proxy sees a host name, a port and TLS.

import * as http from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import { connection, usage } from "./error.js";
import { authority, hostHeader, isLocal, type Target } from "./target.js";

/** What the environment says about proxies. */
export interface Proxy {
  httpsProxy?: string | undefined;
  noProxy?: string | undefined;
}

/** A proxy to go through. */
export interface Hop {
  host: string;
  port: number;
  authorization: string | undefined;
}

/** The proxy for a target, where one is to be used. */
export function hopFor(target: Target, proxy: Proxy): Hop | undefined {
  const url = proxy.httpsProxy?.trim();
  if (!url || target.kind === "unix" || isLocal(target)) return undefined;
  const rules = (proxy.noProxy ?? "").split(/[,\s]+/).filter((rule) => rule !== "");
  return rules.some((rule) => excepts(rule, target.host, target.port)) ? undefined : parse(url);
}

function excepts(rule: string, host: string, port: number): boolean {
  if (rule === "*") return true;
  if (isIP(host)) return inNetwork(rule, host);
  const [, name = "", at] = /^(.*?)(?::([^:]*))?$/.exec(rule) ?? [];
  if (at !== undefined && Number(at) !== port) return false;
  const suffix = name.replace(/^(\*\.)+/, "").replace(/^\.+/, "").toLowerCase();
  return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`));
}

function inNetwork(rule: string, address: string): boolean {
  const [network = "", bits] = rule.split("/");
  const start = network.replace(/^\[|\]$/g, "");
  const family = isIP(start);
  if (family === 0 || family !== isIP(address)) return false;
  const most = family === 6 ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits || NaN);
  if (!Number.isInteger(prefix) || prefix < 0) return false;
  const list = new BlockList();
  const type = family === 6 ? "ipv6" : "ipv4";
  list.addSubnet(start, Math.min(prefix, most), type);
  return list.check(address, type);
}

function parse(url: string): Hop {
  const refused = (why: string) => usage(`HTTPS_PROXY cannot be used: ${why}`, "write it as http://host:port");
  const scheme = /^([^:/]*):\/\//.exec(url)?.[1];
  if (scheme !== undefined && scheme.toLowerCase() !== "http") {
    throw refused("only a proxy that is spoken to over http:// is supported");
  }
  const rest = (scheme === undefined ? url : url.slice(scheme.length + 3)).replace(/\/$/, "");
  const at = rest.lastIndexOf("@");
  const place = rest.slice(at + 1);
  let authorization: string | undefined;
  let found: { host: string; port: number } | undefined;
  try {
    // The same grammar as a server's, so that one parser decides what a host and a port are.
    found = authority(/:[^\]]*$/.test(place) ? place : `${place}:80`);
    if (at >= 0) authorization = basic(rest.slice(0, at));
  } catch {
    throw refused(found ? "its login does not decode" : "it has no host and port");
  }
  return { ...found, authorization };
}

/** RFC 7617, from a URL's percent-encoded user and password. */
function basic(login: string): string {
  const [, user = "", password = ""] = /^([^:]*):?(.*)$/s.exec(login) ?? [];
  const plain = `${decodeURIComponent(user)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(plain).toString("base64")}`;
}

/** Opens a tunnel to the target over a connection to the proxy. */
export function tunnel(hop: Hop, target: Target, socket: Socket): Promise<Socket> {
  const host = hostHeader(target);
  return new Promise((resolve, reject) => {
    const request = http.request({ createConnection: () => socket, method: "CONNECT", path: host });
    request.setHeader("Host", host);
    if (hop.authorization) request.setHeader("Proxy-Authorization", hop.authorization);
    request.on("connect", (answer, stream, head) => {
      if ((answer.statusCode ?? 0) >= 200 && (answer.statusCode ?? 0) < 300 && head.length === 0) {
        resolve(stream as Socket);
      } else {
        stream.destroy();
        reject(connection(`the proxy refused to connect to ${host} (status ${answer.statusCode})`));
      }
    });
    request.on("error", () => reject(connection("the proxy closed the connection")));
    request.end();
  });
}
