// The Unix socket, looked at before connecting: it must be a socket of ours that nobody else may use, in a directory
// that nobody else may change. Node cannot ask the kernel who listens (SO_PEERCRED), as our other clients do. The
// look at file and directory stands for it: what nobody but us could put there, nobody but us (or root) did.

import { lstatSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { connection, shown, type VaultSdkError } from "./error.js";

/** Throws where the socket cannot be trusted. */
export function checkSocket(path: string, ownUid = process.getuid?.()): void {
  const foreign = (why: string) =>
    connection(`the socket ${shown(path)} is not trusted: ${why}`, { hint: "hq-vault doctor" });
  if (ownUid === undefined) throw foreign("this system has no owners of files");
  const file = facts(path, () => lstatSync(path));
  if (!file.isSocket()) throw foreign("it is not a socket");
  if (file.uid !== ownUid) throw foreign(`it belongs to uid ${file.uid}`);
  if (file.mode & 0o077) throw foreign("others may use it");
  const folder = facts(path, () => statSync(dirname(path)));
  if (folder.uid !== ownUid && folder.uid !== 0) throw foreign("its directory belongs to somebody else");
  // A sticky directory such as /tmp lets nobody replace what is not theirs.
  if (folder.mode & 0o022 && !(folder.mode & 0o1000)) throw foreign("others may change its directory");
}

function facts(path: string, look: () => Stats): Stats {
  try {
    return look();
  } catch (error) {
    throw notRunning(path, String((error as NodeJS.ErrnoException).code));
  }
}

/** Nobody listens there. */
export function notRunning(path: string, why: string): VaultSdkError {
  return connection(`no vault answers on ${shown(path)}: ${why}`, { hint: "hq-vault serve --daemon" });
}
