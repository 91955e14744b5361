// A connection to the target: the socket after its look, or TLS against what is trusted and nothing else.

import * as net from "node:net";
import * as tls from "node:tls";
import { connection, shown, VaultSdkError } from "./error.js";
import { pinnedCa } from "./fetch.js";
import { hopFor, tunnel, type Proxy } from "./proxy.js";
import { display, isLocal, type Target } from "./target.js";
import { anchor, type Trust } from "./trust.js";
import { checkSocket, notRunning } from "./unix.js";

/** The sockets of one attempt. Once it has ended, none of them lives, and none is opened any more. */
class Attempt {
  #sockets: net.Socket[] = [];
  #over = false;

  add(socket: net.Socket): void {
    // What fails after somebody else has looked is of no interest, and must not end the process.
    socket.on("error", () => {});
    if (this.#over) socket.destroy();
    this.#sockets.push(socket);
  }

  end(): void {
    this.#over = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Opens connections to one server. */
export class Dialer {
  #roots: Promise<string[]> | undefined;

  constructor(
    readonly target: Target,
    private readonly trust: Trust,
    private readonly proxy: Proxy,
    private readonly within: number,
  ) {}

  /** One connection, ready for a request. Whatever fails here, nothing of the caller's was sent. */
  async connect(): Promise<net.Socket> {
    const attempt = new Attempt();
    let late: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      const message = `${shown(display(this.target))} did not answer in ${this.within / 1000} s`;
      late = setTimeout(() => reject(connection(message)), this.within);
    });
    try {
      return await Promise.race([this.#open(attempt), deadline]);
    } catch (error) {
      attempt.end();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  async #open(attempt: Attempt): Promise<net.Socket> {
    const target = this.target;
    if (target.kind === "unix") {
      checkSocket(target.path);
      const socket = net.connect({ path: target.path });
      attempt.add(socket);
      return ready(socket, "connect", (error) => notRunning(target.path, String(error.code)));
    }
    // Decided once. Where that failed, the next call asks anew.
    this.#roots ??= this.#decide(attempt).catch((error: unknown) => {
      this.#roots = undefined;
      throw error;
    });
    const ca = await this.#roots;
    const base = await this.#dial(attempt);
    const options = this.#tls(target.host);
    // Without a list of our own, Node's; explicit, since NODE_TLS_REJECT_UNAUTHORIZED must not count.
    const verified = tls.connect({ ...options, socket: base, rejectUnauthorized: true, ...(ca.length > 0 && { ca }) });
    attempt.add(verified);
    return ready(verified, "secureConnect", (error) => distrust(target, error));
  }

  /** The roots that count, from here or fetched and held to the pin. */
  async #decide(attempt: Attempt): Promise<string[]> {
    const found = anchor(this.trust, isLocal(this.target));
    if (found.kind === "roots") return found.certificates;
    const host = this.target.kind === "https" ? this.target.host : "";
    return [await pinnedCa(this.target, this.trust, await this.#dial(attempt), this.#tls(host))];
  }

  #tls(host: string): tls.ConnectionOptions {
    const name = net.isIP(host) ? {} : { servername: host };
    return { host, ...name, minVersion: "TLSv1.2", ALPNProtocols: ["http/1.1"] };
  }

  async #dial(attempt: Attempt): Promise<net.Socket> {
    const target = this.target as Extract<Target, { kind: "https" }>;
    const hop = hopFor(target, this.proxy);
    if (!hop) return tcp(target.host, target.port, attempt);
    let socket: net.Socket;
    try {
      socket = await tcp(hop.host, hop.port, attempt);
    } catch (error) {
      throw connection(`the proxy: ${(error as Error).message}`);
    }
    return tunnel(hop, target, socket);
  }
}

/** Connects to the first address that answers. No name service is asked about `localhost`. */
async function tcp(host: string, port: number, attempt: Attempt): Promise<net.Socket> {
  const addresses = host === "localhost" ? ["127.0.0.1", "::1"] : [host];
  let last: unknown;
  for (const address of addresses) {
    const socket = net.connect({ host: address, port, noDelay: true });
    attempt.add(socket);
    try {
      return await ready(socket, "connect", (error) => unreachable(host, port, error));
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function ready<S extends net.Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  fault: (error: NodeJS.ErrnoException) => VaultSdkError,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(fault(error));
    const closed = () => reject(fault({ code: "ECONNRESET" } as NodeJS.ErrnoException));
    socket.once("error", failed).once("close", closed);
    socket.once(event, () => {
      socket.off("error", failed).off("close", closed);
      resolve(socket);
    });
  });
}

function unreachable(host: string, port: number, error: NodeJS.ErrnoException): VaultSdkError {
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") return connection(`the name ${host} is not known`);
  const several = (error as { errors?: NodeJS.ErrnoException[] }).errors?.[0];
  return connection(`cannot reach ${host} port ${port}: ${error.code ?? several?.code ?? "no connection"}`);
}

// Vaults' CAs bear like names, so another vault's shows as a signature that does not fit.
const FAULTS: Record<string, string> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate comes from another CA",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate comes from another CA",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate comes from another CA",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from another CA",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate comes from another CA",
  CERT_SIGNATURE_FAILURE: "its certificate comes from another CA",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
};

function distrust(target: Target, error: NodeJS.ErrnoException): VaultSdkError {
  const fault = FAULTS[error.code ?? ""];
  if (fault) {
    return connection(`${display(target)} is not trusted: ${fault}`, {
      hint: "nothing was sent; check the address, the token and HQ_VAULT_CACERT",
    });
  }
  if (error.code === "ECONNRESET") return connection(`${display(target)} closed the connection before TLS stood`);
  return connection(`${display(target)} does not speak TLS as expected (${error.code})`);
}
